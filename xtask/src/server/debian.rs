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
    /// The package; it may be one that only depends on another with a version in its name.
    pub(crate) name: &'static str,
    /// A shell script to run first, with an account that may change the system.
    pub(crate) before: Option<&'static str>,
    /// What the package starts when it is installed, and with the machine from then on, which nobody here has asked for.
    /// Names that the package's other releases use may be among them.
    pub(crate) services: &'static [&'static str],
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
            (false, false) => ask("apt-get", &format!("install --no-install-recommends {}", product.package.name)),
        };
    }
    match product.other_packages.iter().find(|(manager, _)| (machine.has_program)(manager)) {
        Some((manager, arguments)) => ask(manager, arguments),
        None => Remedy::Ask("install them with the system's package manager".to_owned()),
    }
}

fn missing(product: &Product, what_to_do: &str) -> String {
    format!(
        "{}: its programs ({}) are needed and were not found; {what_to_do}, or {}",
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
    let package = versioned_package(&product.package)?;
    let script = |title: &str, script: Option<String>| match script {
        Some(script) => run::step(title, &mut privileged(privilege, &["sh", "-c", &script])),
        None => Ok(()),
    };
    let Package { before, services, .. } = product.package;
    let has_services = !services.is_empty();
    let preparing = format!("Preparing for package {package}");
    script(&preparing, before.map(str::to_owned))?;
    script(&preparing, has_services.then(|| start_nothing(services)))?;
    let installed = run::step(
        &format!("{}: apt-get install {package}", product.name),
        &mut apt_get(&["install", "-y", "--no-install-recommends", &package]),
    );
    // Also when the installation has failed.
    let after = has_services.then(|| nor_later(services));
    installed.and(script(&format!("Tidying up after package {package}"), after))
}

/// A script that keeps the package from starting the services. A policy that is already there is the machine's owner's
/// choice.
fn start_nothing(services: &[&str]) -> String {
    let names: Vec<String> = services.iter().map(|service| format!("{service}*")).collect();
    format!(
        "f=/usr/sbin/policy-rc.d\n\
         test -e $f || {{ printf '#!/bin/sh\\n# From cargo xtask.\\ncase $1 in {}) exit 101 ;; esac\\n' > $f \
         && chmod 755 $f && echo \"Wrote $f\"; }}",
        names.join("|")
    )
}

/// A script that takes that away, and keeps the machine from starting the services later.
fn nor_later(services: &[&str]) -> String {
    format!(
        "f=/usr/sbin/policy-rc.d\n\
         if grep -qs '^# From cargo xtask' $f; then rm $f && echo \"Removed $f\"; fi\n\
         for service in {}; do\n\
         if test -e /etc/init.d/$service; then update-rc.d $service disable; fi\n\
         done",
        services.join(" ")
    )
}

fn privileged(privilege: &[&str], words: &[&str]) -> Command {
    let words = [privilege, words].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// The package with the version in its name, which brings the server alone; the plain one when that can't be told.
fn versioned_package(package: &Package) -> Result<String, Failure> {
    let (status, output) = run::quiet(Command::new("apt-cache").args(["depends", package.name]).env("LC_ALL", "C"))?;
    let found = if status.success() { versioned_dependency(&output, package.name) } else { None };
    Ok(found.unwrap_or(package.name).to_owned())
}

/// The package `name-VERSION` that the package depends on, from what `apt-cache depends` prints.
fn versioned_dependency<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    let is_version = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let mut dependencies = output.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    dependencies
        .find(|package| package.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')).is_some_and(is_version))
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
        assert_eq!(
            remedy_with(false, true, |name| name == "dnf"),
            ask("run `sudo dnf install postgresql-server postgresql-contrib`")
        );
        assert_eq!(
            remedy_with(true, false, |name| name == "dnf"),
            ask("run `dnf install postgresql-server postgresql-contrib`")
        );
        assert_eq!(remedy_with(true, false, |_| false), ask("install them with the system's package manager"));
    }

    #[test]
    fn the_message_says_what_is_missing_and_what_to_run() {
        let Remedy::Ask(what) = remedy_with(false, false, |name| name == "apt-get") else {
            panic!("nothing may be installed")
        };
        assert_eq!(
            missing(&PRODUCT, &what),
            "PostgreSQL: its programs (initdb, postgres) are needed and were not found; \
             run `sudo apt-get install --no-install-recommends postgresql`, \
             or name an existing server with --postgres-url URL"
        );
    }

    #[test]
    fn services_are_not_started_while_their_package_is_installed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let policy = folder.path().join("policy-rc.d");
        let run = |script: String| {
            let script = script.replace("/usr/sbin/policy-rc.d", &policy.display().to_string());
            run::quiet(Command::new("sh").args(["-c", &script])).expect("sh runs").0.success()
        };
        let answer = |service: &str| {
            let status = run::quiet(Command::new(&policy).args([service, "start"])).expect("the policy is a script").0;
            status.code()
        };
        assert!(run(start_nothing(&["no-such", "neither"])));
        assert_eq!(["no-such", "neither", "ssh"].map(answer), [Some(101), Some(101), Some(0)]);
        assert!(run(nor_later(&["no-such", "neither"])) && !policy.exists());
        // Another's policy stays as it is.
        std::fs::write(&policy, "#!/bin/sh\nexit 0\n").expect("a file in it");
        assert!(run(start_nothing(&["no-such"])) && run(nor_later(&["no-such"])));
        assert_eq!(std::fs::read_to_string(&policy).expect("it is there"), "#!/bin/sh\nexit 0\n");
    }

    #[test]
    fn the_versioned_package_is_found() {
        let output = "postgresql\n  Depends: postgresql-common\n  Depends: postgresql-15\n  Suggests: postgresql-doc\n";
        assert_eq!(versioned_dependency(output, "postgresql"), Some("postgresql-15"));
        assert_eq!(versioned_dependency("postgresql\n  Depends: postgresql-common\n", "postgresql"), None);
        assert_eq!(versioned_dependency("mariadb-server\n  Depends: mariadb-server-core\n", "mariadb-server"), None);
    }
}
