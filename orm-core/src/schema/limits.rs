//! Whether a column of limited length or digits holds what a field may hold.

use super::stored::Misfit;
use crate::{backend::BackendKind, model::Column, types::limit::Limit};

/// The digits of MySQL's widest decimals, which a field without a limit takes.
const WIDEST: (u32, u32) = (65, 30);

/// Why the column would cut or round values of the field. SQLite does neither.
pub(super) fn misfit(column: &Column, declared: &str, backend: BackendKind) -> Option<Misfit> {
    if backend == BackendKind::Sqlite {
        return None;
    }
    let declared = declared.to_lowercase();
    let (name, numbers) = numbers(&declared);
    match (name, numbers.as_slice(), column.limit) {
        ("character varying" | "varchar" | "varbinary", &[holds], Some(Limit::Length(most))) if holds < most => {
            Some(Misfit::writing(format!(
                "which is shorter than the field's `max_length` of {most}, so that longer values are refused or cut; \
                 widen the column, or set `max_length = {holds}`"
            )))
        }
        ("numeric" | "decimal", numbers, limit) if column.sql.postgres == "NUMERIC" => {
            let (precision, scale) = match numbers {
                [precision, scale] => (*precision, *scale),
                [precision] => (*precision, 0),
                _ => return None,
            };
            decimal((precision, scale), limit, backend)
        }
        _ => None,
    }
}

fn decimal((precision, scale): (u32, u32), limit: Option<Limit>, backend: BackendKind) -> Option<Misfit> {
    let needed = match limit {
        Some(Limit::Decimal { precision, scale }) => Some((precision, scale)),
        _ if backend == BackendKind::Mysql => Some(WIDEST),
        _ => None,
    };
    let fits = needed
        .is_some_and(|(digits, fraction)| fraction <= scale && digits - fraction <= precision.saturating_sub(scale));
    (!fits).then(|| {
        Misfit::writing(format!(
            "which rounds a number of more than {scale} digits after the point; add `#[model(decimal({precision}, {scale}))]` \
             to the field, so that such a number is refused, or widen the column"
        ))
    })
}

/// The name of a type, and the numbers in parentheses after it.
fn numbers(declared: &str) -> (&str, Vec<u32>) {
    let Some((name, rest)) = declared.split_once('(') else { return (declared.trim(), Vec::new()) };
    let inside = rest.split_once(')').map_or(rest, |(inside, _)| inside);
    (name.trim(), inside.split(',').filter_map(|number| number.trim().parse().ok()).collect())
}
