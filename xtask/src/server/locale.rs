//! The locale of a throwaway PostgreSQL server's databases: how text is ordered, and which letters have a case.

use std::{path::Path, process::Command, str::FromStr};

use nix::sys::signal::Signal;

use crate::{
    failure::Failure,
    run,
    server::{
        debian::Package,
        home::Home,
        launch,
        programs::{self, Product},
    },
};

/// What `--postgres-locale` names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Locale {
    /// By code points, and ASCII alone has a case.
    #[default]
    C,
    /// American English by ICU, as PostgreSQL 15 and later have it.
    Icu,
    /// American English, or another language, by the C library.
    Libc,
}

impl FromStr for Locale {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "c" => Ok(Locale::C),
            "icu" => Ok(Locale::Icu),
            "libc" => Ok(Locale::Libc),
            _ => Err("the locales are c, icu and libc".to_owned()),
        }
    }
}

/// A locale that a server can be started with.
pub(super) struct Available {
    /// The arguments of `initdb`.
    pub(super) initdb: Vec<String>,
    /// Whether the C library finds it in the server's folder.
    is_in_home: bool,
}

/// The C library's sources of locales, from which `localedef` makes those that the system lacks.
const SOURCES: Product = Product {
    name: "The C library's locales",
    programs: &["localedef", SOURCE],
    package: Package { name: "locales", before: None, services: &[] },
    other_packages: &[("dnf", "install glibc-langpack-en"), ("zypper", "install glibc-locale"), ("pacman", "-S glibc")],
    otherwise: "choose another --postgres-locale",
};
const SOURCE: &str = "/usr/share/i18n/locales/en_US";
const COMPILED: &str = "en_US.UTF-8";

impl Locale {
    /// Finds the locale, or makes it in the server's folder.
    pub(super) fn available(self, home: &Home) -> Result<Available, Failure> {
        let of = |arguments: &[&str]| Available {
            initdb: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            is_in_home: false,
        };
        match self {
            Locale::C => Ok(of(&["--locale=C"])),
            Locale::Icu => Ok(of(&["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"])),
            Locale::Libc => {
                let installed = installed()?;
                if installed.is_none() {
                    make(home)?;
                }
                let name = installed.as_deref().unwrap_or(COMPILED);
                // The log's language stays the one that is read here.
                Ok(Available {
                    is_in_home: installed.is_none(),
                    ..of(&[&format!("--locale={name}"), "--lc-messages=C"])
                })
            }
        }
    }
}

impl Available {
    /// Lets a program find it.
    pub(super) fn apply_to(&self, command: &mut Command, home: &Home) {
        if self.is_in_home {
            command.env("LOCPATH", home.path());
        }
    }
}

/// A UTF-8 locale of a language that the system has.
fn installed() -> Result<Option<String>, Failure> {
    if !programs::is_on_path("locale") {
        return Ok(None);
    }
    let (_, names) = run::quiet(Command::new("locale").arg("-a"))?;
    Ok(of_a_language(&names))
}

/// The first of `locale -a` that is of a language, and of UTF-8; of American English if there is one.
fn of_a_language(names: &str) -> Option<String> {
    let is_utf8 = |name: &&str| {
        name.split_once('.').is_some_and(|(language, encoding)| {
            language.contains('_') && encoding.replace('-', "").eq_ignore_ascii_case("utf8")
        })
    };
    let names: Vec<&str> = names.lines().map(str::trim).filter(is_utf8).collect();
    names.iter().find(|name| name.starts_with("en_US")).or(names.first()).map(|name| (*name).to_owned())
}

fn make(home: &Home) -> Result<(), Failure> {
    let localedef = programs::find_or_install(&SOURCES, || {
        let found = programs::first_of(&["localedef"], &programs::path_and([]));
        found.filter(|_| Path::new(SOURCE).exists())
    })?;
    let mut command = launch::command(&localedef, home, Signal::SIGTERM, &[]);
    command.args(["--no-archive", "-i", "en_US", "-f", "UTF-8"]).arg(home.path().join(COMPILED));
    let (status, output) = run::quiet(&mut command)?;
    if home.path().join(COMPILED).is_dir() {
        return Ok(());
    }
    Err(Failure::Other(format!("localedef could not make {COMPILED} ({status}):\n{}", output.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_more_than_an_encoding() {
        assert_eq!(of_a_language("C\nC.utf8\nPOSIX\n"), None);
        assert_eq!(of_a_language("C.UTF-8\nde_DE\nde_DE.iso88591\nde_DE.utf8\n").as_deref(), Some("de_DE.utf8"));
        assert_eq!(of_a_language("de_DE.UTF-8\nen_US.UTF-8\n").as_deref(), Some("en_US.UTF-8"));
    }

    #[test]
    fn locales_are_known_by_name() {
        assert_eq!("icu".parse::<Locale>().expect("it is one"), Locale::Icu);
        assert!("en_US".parse::<Locale>().is_err());
    }
}
