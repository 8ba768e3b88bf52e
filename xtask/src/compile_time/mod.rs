//! `cargo xtask compile-time`: how long a crate of models takes to build, with orm-core and with plain Diesel.

mod source;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command as Process,
    time::{Duration, Instant},
};

use lexopt::{Arg, Parser, ValueExt};

use self::source::Size;
use crate::{
    command::{self, Command},
    failure::Failure,
    run,
};

pub(crate) const COMMAND: Command = Command {
    name: "compile-time",
    arguments: "[--models N] [--rounds N]",
    about: "\
Builds two crates that are written for it in turn, one on orm-core and one on
Diesel alone: as many models of ten fields, and two queries of each model. The
dependencies are built before; shown are the medians of the crates' own time.
--models  how many models; default: 50
--rounds  how often each crate is built; default: 5",
    run: compile_time,
};

/// The text of a crate of such a size.
type Source = fn(Size) -> String;

/// The crates that are built, and what they are on.
const CRATES: [(&str, Source); 2] = [("models-of-ours", source::ours), ("models-of-diesel", source::diesel)];

fn compile_time(parser: &mut Parser) -> Result<(), Failure> {
    let (size, rounds) = read_options(parser)?;
    let folder = tempfile::tempdir().map_err(|error| not_written(Path::new("a temporary folder"), &error))?;
    write_workspace(folder.path(), size)?;
    // Apart from the workspace's own builds, and kept, so that the dependencies are built once.
    let target = run::workspace().join("target/compile-time");
    let mut times = CRATES.map(|_| Vec::new());
    for round in 0..=rounds {
        for ((name, source), times) in CRATES.iter().zip(&mut times) {
            // Another text each time, so that nothing of the crate is taken from the last build.
            let file = folder.path().join(name).join("src/lib.rs");
            write(&file, &format!("{}\n/// The round.\npub const ROUND: usize = {round};\n", source(size)))?;
            let mut command = run::cargo();
            command.current_dir(folder.path()).env("CARGO_TARGET_DIR", &target).env("CARGO_INCREMENTAL", "0");
            command.args(["build", "--quiet", "-p", name]);
            let time = timed(&mut command)?;
            // The first round builds the dependencies.
            if round > 0 {
                times.push(time);
            }
        }
    }
    report(size, &times)
}

fn read_options(parser: &mut Parser) -> Result<(Size, usize), Failure> {
    let (mut models, mut rounds) = (50, 5);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("models") => models = parser.value()?.parse()?,
            Arg::Long("rounds") => rounds = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            other => return Err(other.unexpected().into()),
        }
    }
    if models == 0 || rounds == 0 {
        return Err(Failure::Usage("--models and --rounds must be at least 1".to_owned()));
    }
    Ok((Size { models }, rounds))
}

/// A workspace of its own, with the lock file of this one, so that both build the same versions.
fn write_workspace(folder: &Path, size: Size) -> Result<(), Failure> {
    let core = run::workspace().join("orm-core");
    let manifest = |name: &str, dependencies: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n"
        )
    };
    let ours = format!("orm-core = {{ path = {:?}, features = [\"sqlite\"] }}", core.display().to_string());
    let diesel = "diesel = { version = \"2.3\", default-features = false, features = [\"sqlite\"] }";
    write(
        &folder.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"models-of-ours\", \"models-of-diesel\"]\n",
    )?;
    for ((name, source), dependencies) in CRATES.iter().zip([ours.as_str(), diesel]) {
        write(&folder.join(name).join("Cargo.toml"), &manifest(name, dependencies))?;
        write(&folder.join(name).join("src/lib.rs"), &source(size))?;
    }
    let lock = run::workspace().join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock")).map(|_| ()).map_err(|error| not_written(&lock, &error))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    fs::create_dir_all(&folder).and_then(|()| fs::write(file, text)).map_err(|error| not_written(file, &error))
}

fn not_written(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Other(format!("could not write {}: {error}", file.display()))
}

fn timed(command: &mut Process) -> Result<Duration, Failure> {
    let start = Instant::now();
    let (status, output) = run::quiet(command)?;
    if status.success() {
        return Ok(start.elapsed());
    }
    Err(Failure::Other(format!("a crate that should build does not ({status}):\n{}", output.trim_end())))
}

fn report(size: Size, times: &[Vec<Duration>; 2]) -> Result<(), Failure> {
    let [ours, diesel] = times.each_ref().map(|times| median(times).as_secs_f64());
    let text = format!(
        "{} models of {} fields, {} querysets: {ours:.2} s on orm-core, {diesel:.2} s on Diesel alone, ratio {:.2}",
        size.models,
        source::FIELDS,
        size.models * source::QUERIES,
        ours / diesel
    );
    command::print(&text)
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let seconds = [5, 1, 3].map(Duration::from_secs);
        assert_eq!(median(&seconds), Duration::from_secs(3));
    }

    #[test]
    fn nothing_to_build_is_refused() {
        for arguments in [["--models", "0"], ["--rounds", "0"]] {
            assert!(matches!(read_options(&mut Parser::from_args(arguments)), Err(Failure::Usage(_))));
        }
    }
}
