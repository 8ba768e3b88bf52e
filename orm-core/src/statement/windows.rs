//! Windows that MariaDB cannot have together.
//!
//! MariaDB sorts once for several windows where it can. Where one window's partitions begin both of two others that go on
//! differently, as `PARTITION BY a` beside `PARTITION BY a, b` and `PARTITION BY a ORDER BY c`, it computes one of these over
//! rows that are sorted for the other, and gives wrong values without a word (seen in 10.11).

/// Whether a list of expressions has such windows.
pub(crate) fn clash(sql: &str) -> bool {
    let keys: Vec<String> = windows(sql).map(key).collect();
    windows(sql).any(|window| {
        let Some(partitions) = window.strip_prefix("PARTITION BY ") else { return false };
        let whole = !partitions.contains(" ORDER BY ");
        let begin = format!("{}, ", key(window));
        let longer: Vec<&String> = keys.iter().filter(|key| whole && key.starts_with(&begin)).collect();
        longer.iter().any(|a| longer.iter().any(|b| !goes_on(a, b) && !goes_on(b, a)))
    })
}

/// Whether an expression may have a window, whoever wrote it.
pub(crate) fn has_any(sql: &str) -> bool {
    let sql = sql.to_ascii_uppercase();
    [" OVER (", " OVER("].iter().any(|over| sql.contains(over))
}

/// Whether a list is the other, or goes on behind it.
fn goes_on(long: &str, short: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
}

/// What it is sorted by.
fn key(window: &str) -> String {
    let end = [" ROWS BETWEEN ", " RANGE BETWEEN "].iter().filter_map(|frame| window.find(frame)).min();
    let sorted = &window[..end.unwrap_or(window.len())];
    let sorted = sorted.strip_prefix("PARTITION BY ").or_else(|| sorted.strip_prefix("ORDER BY ")).unwrap_or(sorted);
    sorted.replace(" ORDER BY ", ", ").replace(" ASC", "")
}

/// What stands in the brackets behind each OVER.
fn windows(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(" OVER (").skip(1).map(|behind| {
        let mut depth = 0_usize;
        let end = behind.find(|c| {
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => return true,
                ')' => depth -= 1,
                _ => {}
            }
            false
        });
        &behind[..end.unwrap_or(behind.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::{clash, has_any};

    #[test]
    fn windows_clash_where_one_begins_two_that_differ() {
        let over = |windows: &[&str]| {
            windows.iter().map(|window| format!("SUM((`a` + ?)) OVER ({window}), ")).collect::<String>()
        };
        let (a, ab, ac) = ("PARTITION BY `a`", "PARTITION BY `a`, `b`", "PARTITION BY `a` ORDER BY `c` ASC");
        assert!(clash(&over(&[a, ab, ac])) && clash(&over(&[ac, "", a, ab])));
        assert!(!clash(&over(&[ab, ac, ""])) && !clash(&over(&[a, ab])) && !clash(&over(&[a, a, ac])));
        assert!(!clash(&over(&[a, ab, "PARTITION BY `a`, `b` ORDER BY `c` DESC"])));
        assert!(!clash(&over(&[a, ac, "PARTITION BY `a` ORDER BY `c` ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"])));
        assert!(!clash("`a`, COUNT(*)"));
    }

    #[test]
    fn a_window_is_seen_however_it_is_written() {
        assert!(has_any("RANK() OVER (ORDER BY \"a\")") && has_any("rank() over(order by a)"));
        assert!(!has_any("\"flights\".\"turnover\"") && !has_any("COUNT(*)"));
    }
}
