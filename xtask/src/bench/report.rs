//! What one run printed, the medians of several, and how they are shown.

use std::str::FromStr;

/// What one run of a program printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    rows: u64,
    checksum: String,
    seconds: f64,
    cpu_seconds: f64,
    peak_kib: Option<f64>,
}

impl FromStr for Run {
    type Err = String;

    /// Reads `key=value`, separated by spaces.
    fn from_str(output: &str) -> Result<Self, String> {
        let find = |key: &str| {
            output.split_whitespace().filter_map(|word| word.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v)
        };
        let number = |key: &str| find(key).and_then(|value| value.parse().ok());
        let read = || {
            Some(Run {
                rows: find("rows")?.parse().ok()?,
                checksum: find("checksum")?.to_owned(),
                seconds: number("seconds")?,
                cpu_seconds: number("cpu_seconds")?,
                peak_kib: number("peak_kib"),
            })
        };
        read().ok_or_else(|| format!("orm-bench printed no measurement but this:\n{}", output.trim_end()))
    }
}

/// Refuses runs that did not read the same.
pub(super) fn check_agreement(case: &str, programs: &[&str], runs: &[Vec<Run>]) -> Result<(), String> {
    let all = || programs.iter().zip(runs).flat_map(|(program, runs)| runs.iter().map(move |run| (program, run)));
    let Some((first_program, first)) = all().next() else { return Ok(()) };
    match all().find(|(_, run)| (run.rows, &run.checksum) != (first.rows, &first.checksum)) {
        None => Ok(()),
        Some((program, run)) => Err(format!(
            "the programs do not read the same in the case `{case}`: {first_program} read {} rows with the checksum \
             {}, and {program} read {} with {}",
            first.rows, first.checksum, run.rows, run.checksum
        )),
    }
}

/// The medians of one program's runs on one case.
#[derive(Debug)]
pub(super) struct Line<'a> {
    backend: &'a str,
    case: &'a str,
    pub(super) program: &'a str,
    rows: u64,
    seconds: f64,
    cpu_seconds: f64,
    peak_kib: Option<f64>,
}

/// The table's first row; its columns are those of [`Line::row`].
pub(super) const HEADING: &str = "backend   case           program                 rows    seconds  cpu seconds  cpu/time  peak MiB  × by hand: time    cpu";

impl<'a> Line<'a> {
    pub(super) fn new(backend: &'a str, case: &'a str, program: &'a str, runs: &[Run]) -> Self {
        let of = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect()).unwrap_or(f64::NAN);
        Line {
            backend,
            case,
            program,
            rows: runs.first().map_or(0, |run| run.rows),
            seconds: of(|run| run.seconds),
            cpu_seconds: of(|run| run.cpu_seconds),
            peak_kib: median(runs.iter().filter_map(|run| run.peak_kib).collect()),
        }
    }

    /// The part of its time in which the program itself had the processor; for the rest it waited for the server.
    fn cpu_share(&self) -> f64 {
        self.cpu_seconds / self.seconds
    }

    /// How many times the time, and the processor time, of the program written by hand.
    fn ratios(&self, by_hand: &Line<'_>) -> (f64, f64) {
        (self.seconds / by_hand.seconds, self.cpu_seconds / by_hand.cpu_seconds)
    }

    /// A row of the table, compared with the program written by hand.
    pub(super) fn row(&self, by_hand: &Line<'_>) -> String {
        let (time, cpu) = self.ratios(by_hand);
        let peak = self.peak_kib.map_or_else(|| "-".to_owned(), |kib| format!("{:.1}", kib / 1024.0));
        format!(
            "{:<9} {:<14} {:<18} {:>9} {:>10.4} {:>12.4} {:>9.2} {peak:>9} {time:>16.2} {cpu:>6.2}",
            self.backend,
            self.case,
            self.program,
            self.rows,
            self.seconds,
            self.cpu_seconds,
            self.cpu_share()
        )
    }

    /// The same as a JSON object. None of its texts has a character that JSON would escape.
    pub(super) fn json(&self, by_hand: &Line<'_>) -> String {
        // JSON has no other numbers; a program that took no measurable time has no ratio.
        let number = |value: f64, decimals| {
            if value.is_finite() { format!("{value:.decimals$}") } else { "null".to_owned() }
        };
        let (time_ratio, cpu_ratio) = self.ratios(by_hand);
        let members = [
            ("backend", format!("\"{}\"", self.backend)),
            ("case", format!("\"{}\"", self.case)),
            ("program", format!("\"{}\"", self.program)),
            ("rows", self.rows.to_string()),
            ("seconds", number(self.seconds, 6)),
            ("cpu_seconds", number(self.cpu_seconds, 6)),
            ("cpu_share", number(self.cpu_share(), 4)),
            ("peak_kib", number(self.peak_kib.unwrap_or(f64::NAN), 0)),
            ("by_hand", format!("\"{}\"", by_hand.program)),
            ("time_ratio", number(time_ratio, 4)),
            ("cpu_ratio", number(cpu_ratio, 4)),
        ];
        format!("{{{}}}", members.map(|(name, value)| format!("\"{name}\":{value}")).join(","))
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length.is_multiple_of(2) => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: f64, checksum: &str) -> Run {
        Run { rows: 7, checksum: checksum.to_owned(), seconds, cpu_seconds: seconds / 2.0, peak_kib: Some(2048.0) }
    }

    #[test]
    fn a_run_is_read_from_its_line() {
        let read = "rows=7 checksum=ab seconds=1.5 cpu_seconds=0.75 peak_kib=2048\n".parse();
        assert_eq!(read, Ok(run(1.5, "ab")));
        let without_memory: Run = "rows=7 checksum=ab seconds=1.5 cpu_seconds=0.75".parse().expect("it may be missing");
        assert_eq!(without_memory.peak_kib, None);
        assert!("rows=7 seconds=1.5".parse::<Run>().is_err_and(|error| error.contains("rows=7 seconds=1.5")));
    }

    #[test]
    fn programs_that_read_otherwise_are_named() {
        let same = [vec![run(1.0, "ab"), run(2.0, "ab")], vec![run(3.0, "ab")]];
        assert_eq!(check_agreement("scan", &["a", "b"], &same), Ok(()));
        let other = [vec![run(1.0, "ab")], vec![run(3.0, "ab"), run(3.0, "cd")]];
        let error = check_agreement("scan", &["a", "b"], &other).expect_err("the last run read something else");
        assert!(error.contains("`scan`") && error.contains("b read 7 with cd"), "{error}");
    }

    #[test]
    fn medians_are_of_the_sorted_values() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_line_is_shown_in_both_forms() {
        let runs = [run(1.0, "ab"), run(9.0, "ab"), run(2.0, "ab")];
        let line = Line::new("sqlite", "scan", "ours", &runs);
        let by_hand = Line::new("sqlite", "scan", "diesel", &[run(4.0, "ab")]);
        assert_eq!(
            line.json(&by_hand),
            r#"{"backend":"sqlite","case":"scan","program":"ours","rows":7,"seconds":2.000000,"cpu_seconds":1.000000,"cpu_share":0.5000,"peak_kib":2048,"by_hand":"diesel","time_ratio":0.5000,"cpu_ratio":0.5000}"#
        );
        let row = line.row(&by_hand);
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>()[3..],
            ["7", "2.0000", "1.0000", "0.50", "2.0", "0.50", "0.50"]
        );
        assert_eq!(row.chars().count(), HEADING.chars().count());
    }

    #[test]
    fn what_has_no_ratio_is_null_in_json() {
        let idle = Run { cpu_seconds: 0.0, peak_kib: None, ..run(1.0, "ab") };
        let by_hand = Line::new("sqlite", "first", "diesel", &[idle]);
        let json = Line::new("sqlite", "first", "ours", &[run(3.0, "ab")]).json(&by_hand);
        assert!(json.ends_with(r#""time_ratio":3.0000,"cpu_ratio":null}"#), "{json}");
        assert!(by_hand.json(&by_hand).contains(r#""peak_kib":null,"by_hand":"diesel","time_ratio":1.0000"#));
    }
}
