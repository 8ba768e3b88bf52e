//! Installing a product's Debian package, or telling the user which command does it.

use std::process::Command;

use nix::unistd::Uid;

use crate::{
    failure::Failure,
    run,
    server::programs::{self, Product},
};

/// Where Debian, and what is made from it, has a product's server.
pub(crate) struct Package {
    /// The packages' names without versions.
    pub(crate) names: &'static [&'static str],
    /// How the version is found that belongs in the names.
    pub(crate) version: Version,
    /// A shell script to run first, with an account that may change the system.
    pub(crate) prepare: Option<&'static str>,
}

/// Some releases have a version in a package's name.
pub(crate) enum Version {
    /// There is a package of the plain name that depends on the one with the version.
    ThatItDependsOn,
    /// There is the plain name, or there are names with versions, of which the newest is taken.
    Newest,
}

/// What can be done about missing programs.
#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    /// Run the package manager, each command after these words.
    Install(&'static [&'static str]),
    /// The user must do this.
    Ask(String),
}

/// What the remedy depends on.
struct Machine {
    is_root: bool,
    /// sudo works without asking for a password.
    has_sudo: bool,
    has_program: fn(&str) -> bool,
}

/// Installs the product's package, or fails with the command that does.
pub(crate) fn install(product: &Product) -> Result<(), Failure> {
    match remedy(product, &this_machine()?) {
        Remedy::Ask(what) => Err(Failure::Other(missing(product, &what))),
        Remedy::Install(privilege) => install_as(privilege, product),
    }
}

fn this_machine() -> Result<Machine, Failure> {
    let has_sudo = programs::is_on_path("sudo") && {
        let (status, _) = run::quiet(Command::new("sudo").args(["-n", "true"]))?;
        status.success()
    };
    Ok(Machine { is_root: Uid::effective().is_root(), has_sudo, has_program: programs::is_on_path })
}

fn remedy(product: &Product, machine: &Machine) -> Remedy {
    let ask = |manager: &str, package: &str| {
        // Homebrew refuses to run as root.
        let sudo = if machine.is_root || manager == "brew" { "" } else { "sudo " };
        Remedy::Ask(format!("run `{sudo}{manager} {package}`"))
    };
    if (machine.has_program)("apt-get") {
        return match (machine.is_root, machine.has_sudo) {
            (true, _) => Remedy::Install(&[]),
            (false, true) => Remedy::Install(&["sudo", "-n"]),
            (false, false) => {
                ask("apt-get", &format!("install --no-install-recommends {}", product.package.names.join(" ")))
            }
        };
    }
    match product.other_packages.iter().find(|(manager, _)| (machine.has_program)(manager)) {
        Some((manager, arguments)) => ask(manager, arguments),
        None => Remedy::Ask("install them with the system's package manager".to_owned()),
    }
}

fn missing(product: &Product, what_to_do: &str) -> String {
    format!(
        "{}'s server programs ({}) are needed and were not found; {what_to_do}, or {}",
        product.name,
        product.programs.join(", "),
        product.otherwise
    )
}

fn install_as(privilege: &[&str], product: &Product) -> Result<(), Failure> {
    let apt_get = |arguments: &[&str]| {
        // Another package manager may be at work: wait for it rather than fail.
        let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"];
        privileged(privilege, &[&apt, arguments].concat())
    };
    run::step("Package lists: apt-get update", &mut apt_get(&["update"]))?;
    let packages = versioned_packages(&product.package)?;
    let shown = packages.join(" ");
    if let Some(script) = product.package.prepare {
        run::step(&format!("Preparing for package {shown}"), &mut privileged(privilege, &["sh", "-c", script]))?;
    }
    let mut install = apt_get(&["install", "-y", "--no-install-recommends"]);
    run::step(&format!("{}'s server: apt-get install {shown}", product.name), install.args(packages))
}

fn privileged(privilege: &[&str], words: &[&str]) -> Command {
    let words = [privilege, words].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// The packages with the version in their names, which bring the server alone; the plain ones when that can't be told.
fn versioned_packages(package: &Package) -> Result<Vec<String>, Failure> {
    let versioned = |&name: &&str| {
        let found = match package.version {
            Version::ThatItDependsOn => versioned_dependency(&apt_cache(&["depends", name])?, name),
            Version::Newest => newest(&apt_cache(&["search", "--names-only", &format!("^{name}")])?, name),
        };
        Ok(found.unwrap_or_else(|| name.to_owned()))
    };
    package.names.iter().map(versioned).collect()
}

/// What apt-cache prints; nothing, if it fails.
fn apt_cache(arguments: &[&str]) -> Result<String, Failure> {
    let (status, output) = run::quiet(Command::new("apt-cache").args(arguments).env("LC_ALL", "C"))?;
    Ok(if status.success() { output } else { String::new() })
}

/// The package `name-VERSION` that the package depends on, from what `apt-cache depends` prints.
fn versioned_dependency(output: &str, name: &str) -> Option<String> {
    let mut dependencies = output.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    dependencies.find(|package| version_of(package, name).is_some()).map(str::to_owned)
}

/// The package `name` or else the newest `name-VERSION`, from what `apt-cache search` prints.
fn newest(output: &str, name: &str) -> Option<String> {
    let packages = || output.lines().filter_map(|line| line.split_whitespace().next());
    let plain = packages().find(|&package| package == name);
    let versioned = || packages().filter_map(|package| Some((version_of(package, name)?, package))).max();
    plain.or_else(|| versioned().map(|(_, package)| package)).map(str::to_owned)
}

/// The version in a package's name: `[10, 5]` for `name-10.5`.
fn version_of(package: &str, name: &str) -> Option<Vec<u32>> {
    programs::version(package.strip_prefix(name)?.strip_prefix('-')?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::postgres::PRODUCT;

    fn remedy_with(is_root: bool, has_sudo: bool, has_program: fn(&str) -> bool) -> Remedy {
        remedy(&PRODUCT, &Machine { is_root, has_sudo, has_program })
    }

    #[test]
    fn debian_installs_when_it_may() {
        assert_eq!(remedy_with(true, false, |name| name == "apt-get"), Remedy::Install(&[]));
        assert_eq!(remedy_with(false, true, |name| name == "apt-get"), Remedy::Install(&["sudo", "-n"]));
    }

    #[test]
    fn a_user_who_may_not_is_told_the_command() {
        let ask = |what: &str| Remedy::Ask(what.to_owned());
        assert_eq!(
            remedy_with(false, false, |name| name == "apt-get"),
            ask("run `sudo apt-get install --no-install-recommends postgresql`")
        );
        assert_eq!(remedy_with(false, false, |name| name == "brew"), ask("run `brew install postgresql`"));
        assert_eq!(remedy_with(false, true, |name| name == "dnf"), ask("run `sudo dnf install postgresql-server`"));
        assert_eq!(remedy_with(true, false, |name| name == "dnf"), ask("run `dnf install postgresql-server`"));
        assert_eq!(remedy_with(true, false, |_| false), ask("install them with the system's package manager"));
    }

    #[test]
    fn the_message_says_what_is_missing_and_what_to_run() {
        let Remedy::Ask(what) = remedy_with(false, false, |name| name == "apt-get") else {
            panic!("nothing may be installed")
        };
        assert_eq!(
            missing(&PRODUCT, &what),
            "PostgreSQL's server programs (initdb, postgres) are needed and were not found; \
             run `sudo apt-get install --no-install-recommends postgresql`, \
             or name an existing server with --postgres-url URL"
        );
    }

    #[test]
    fn the_versioned_package_is_found() {
        let output = "postgresql\n  Depends: postgresql-common\n  Depends: postgresql-15\n  Suggests: postgresql-doc\n";
        assert_eq!(versioned_dependency(output, "postgresql").as_deref(), Some("postgresql-15"));
        assert_eq!(versioned_dependency("postgresql\n  Depends: postgresql-common\n", "postgresql"), None);
    }

    #[test]
    fn the_newest_package_is_found_unless_there_is_a_plain_one() {
        let both = "server-core - The files\nserver-core-10.5 - The files\n";
        assert_eq!(newest(both, "server-core").as_deref(), Some("server-core"));
        let versions = "server-core-10.5 - The files\nserver-core-10.11 - The files\nserver-core-dbg - Others\n";
        assert_eq!(newest(versions, "server-core").as_deref(), Some("server-core-10.11"));
        assert_eq!(newest("server-core-dbg - Others\n", "server-core"), None);
    }
}
