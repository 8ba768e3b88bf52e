//! MariaDB's C library, with which Diesel's own connection to MySQL is built. Only the bench compares with that one.

use std::process::Command;

use crate::{
    failure::Failure,
    run,
    server::{
        debian::Package,
        programs::{self, Product},
    },
};

const PRODUCT: Product = Product {
    name: "MariaDB's C library",
    programs: &["mysql_config"],
    // Not `libmariadb-dev`, which only pkg-config finds.
    package: Package { name: "libmariadb-dev-compat", before: None, services: &[] },
    other_packages: &[
        ("brew", "install mariadb-connector-c"),
        ("dnf", "install mariadb-connector-c-devel"),
        ("zypper", "install libmariadb-devel"),
        ("pacman", "-S mariadb-libs"),
        ("apk", "add mariadb-connector-c-dev"),
    ],
    otherwise: "leave MySQL out with --backend sqlite or --backend postgres",
};

/// Installs the library, unless it is there.
pub(crate) fn find_or_install() -> Result<(), Failure> {
    programs::find_or_install(&PRODUCT, || (programs::is_on_path("mysql_config") || pkg_config_knows()).then_some(()))
}

fn pkg_config_knows() -> bool {
    ["mysqlclient", "libmariadb"].iter().any(|library| {
        let found = run::quiet(Command::new("pkg-config").args(["--exists", library]));
        found.is_ok_and(|(status, _)| status.success())
    })
}
