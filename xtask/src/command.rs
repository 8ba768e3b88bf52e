//! What a command is, and the help text made from the table of commands.

use std::io::{self, Write};

use crate::failure::Failure;

/// One row of the command table.
pub(crate) struct Command {
    /// The word after `cargo xtask`.
    pub(crate) name: &'static str,
    /// What may follow the name.
    pub(crate) arguments: &'static str,
    /// What it does, for the help; one or more lines.
    pub(crate) about: &'static str,
    /// Reads the arguments that follow the name, then does the work.
    pub(crate) run: fn(&mut lexopt::Parser) -> Result<(), Failure>,
}

/// Prints what `cargo xtask` can do.
pub(crate) fn print_help(commands: &[Command]) {
    // A reader that closed the pipe (`| head`) has seen what it wanted.
    let _ = io::stdout().write_all(help(commands).as_bytes());
}

/// Prints a line to standard output, where a script can read it.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{line}").map_err(|error| Failure::Other(format!("could not print the result: {error}")))
}

fn help(commands: &[Command]) -> String {
    let mut text = "Usage: cargo xtask <command> [arguments]\n".to_owned();
    for command in commands {
        text.push_str(format!("\n  {} {}", command.name, command.arguments).trim_end());
        text.push('\n');
        for line in command.about.lines() {
            text.push_str(&format!("      {line}\n"));
        }
    }
    text.push_str("\n  help\n      Prints this text.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_with_its_arguments() {
        let commands = [
            Command { name: "first", arguments: "[--fast]", about: "Does it.\nTwice.", run: |_| Ok(()) },
            Command { name: "second", arguments: "", about: "Does more.", run: |_| Ok(()) },
        ];
        let text = help(&commands);
        assert!(text.contains("\n  first [--fast]\n      Does it.\n      Twice.\n"), "{text}");
        assert!(text.contains("\n  second\n      Does more.\n"), "{text}");
    }
}
