//! `cargo xtask lint`: formatting, lints and documentation, each without a warning.

use lexopt::{Arg, Parser};

use crate::{command::Command, failure::Failure, run};

pub(crate) const COMMAND: Command = Command {
    name: "lint",
    arguments: "",
    about: "Checks formatting (rustfmt), lints (clippy) and documentation (rustdoc).",
    run: lint,
};

fn lint(parser: &mut Parser) -> Result<(), Failure> {
    match parser.next()? {
        None => {}
        Some(Arg::Long("help") | Arg::Short('h')) => return Err(Failure::HelpWanted),
        Some(other) => return Err(other.unexpected().into()),
    }
    run::step("Formatting: cargo fmt --all --check", run::cargo().args(["fmt", "--all", "--check"]))?;
    run::step(
        "Lints: cargo clippy --workspace --all-targets -- -D warnings",
        run::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    // Each backend alone: features must not lean on each other, and `postgres` on no libpq.
    for features in ["sqlite", "postgres", "libpq", "mysql"] {
        run::step(
            &format!(
                "Lints of one feature: cargo clippy -p orm-core --no-default-features --features {features},bundled"
            ),
            run::cargo()
                .args(["clippy", "-p", "orm-core", "--no-default-features", "--features"])
                .arg(format!("{features},bundled"))
                .args(["--", "-D", "warnings"]),
        )?;
    }
    run::step(
        "Documentation: cargo doc --workspace --no-deps",
        run::cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
    )
}
