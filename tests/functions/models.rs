//! The models of these tests, and the rows that are in their tables.

use orm_core::prelude::*;

/// Texts, one of which may be missing.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Note {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) other: Option<String>,
}

/// Texts with every character that means something to one backend or another.
pub(crate) fn notes(db: &Database) -> orm_core::Result<Vec<Note>> {
    let texts = [
        ("", None),
        ("", Some("")),
        ("a", Some("a")),
        ("A", Some("a")),
        ("New York", Some("York")),
        ("new york ", Some("NEW")),
        (" padded ", Some(" ")),
        ("100%", Some("0%")),
        ("100 per cent", Some("0%")),
        ("a_b", Some("_")),
        ("axb", Some("_")),
        ("it's", Some("'")),
        (r"back\slash", Some(r"\")),
        ("[x]*?!", Some("[x]")),
        ("[x]*?!", Some("*?!")),
        ("!!", Some("!")),
        ("Zürich", Some("ü")),
        ("日本語", Some("本")),
        ("😀 ok", Some("😀")),
        ("aaa", None),
        ("trail", Some("trail ")),
    ];
    let rows: Vec<Note> = texts
        .into_iter()
        .zip(1..)
        .map(|((text, other), id)| Note { id, text: text.into(), other: other.map(Into::into) })
        .collect();
    db.create_tables::<(Note,)>()?;
    Note::bulk_create(db, rows.clone())?;
    Ok(rows)
}

/// The keys of the notes that a queryset finds, in order.
pub(crate) fn found(query: QuerySet<'_, Note>) -> orm_core::Result<Vec<i64>> {
    query.order_by(|n| n.id.asc()).values(|n| n.id).load()
}

/// The keys of the notes for which the oracle says true.
pub(crate) fn expected(notes: &[Note], oracle: impl Fn(&Note) -> Option<bool>) -> Vec<i64> {
    notes.iter().filter(|note| oracle(note) == Some(true)).map(|note| note.id).collect()
}
