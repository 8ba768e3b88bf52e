//! The models, and rows of them in which everything happens: NULLs, equal values, keys that lead nowhere.

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "oracle_authors")]
pub(crate) struct Author {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) age: Option<i32>,
    #[model(belongs_to(Author, name = mentor, reverse = mentees))]
    pub(crate) mentor_id: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "oracle_entries")]
pub(crate) struct Entry {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) subtitle: Option<String>,
    pub(crate) rating: Option<i32>,
    pub(crate) comments: i32,
    pub(crate) published: bool,
    #[model(belongs_to(Author, name = author, reverse = written))]
    pub(crate) author_id: i64,
    #[model(belongs_to(Author, name = editor, reverse = edited))]
    pub(crate) editor_id: Option<i64>,
    /// May lead to no row.
    #[model(belongs_to(Author, name = reviewer, reverse = reviewed, optional))]
    pub(crate) reviewer_id: i64,
}

/// All rows there are.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) authors: Vec<Author>,
    pub(crate) entries: Vec<Entry>,
}

/// The characters of texts: with a meaning in patterns and in SQL, of both cases, and of more than one byte.
pub(crate) const CHARACTERS: [char; 10] = ['a', 'b', 'A', 'B', '%', '_', '\'', '\\', 'é', ' '];

/// A generator of numbers that are always the same, and look as if they were not.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        // Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn small(&mut self, sides: u32) -> i32 {
        i32::try_from(self.roll(u64::from(sides))).unwrap_or(0)
    }

    fn text(&mut self) -> String {
        (0..self.roll(5)).map(|_| CHARACTERS[usize::try_from(self.roll(10)).unwrap_or(0)]).collect()
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        (self.roll(3) > 0).then_some(value)
    }
}

impl World {
    /// The world of this number.
    pub(crate) fn new(number: u64) -> Self {
        let mut dice = Dice(number);
        let authors: Vec<Author> = (1..=9)
            .map(|id| {
                // One who was there before, so that all can be stored in this order.
                let (age, mentor) = (dice.small(6), i64::from(dice.small(9)) + 1);
                let mentor_id = dice.maybe(mentor).filter(|mentor| *mentor < id);
                Author { id, name: dice.text(), age: dice.maybe(age), mentor_id }
            })
            .collect();
        let entries = (1..=60)
            .map(|id| {
                let (rating, editor, subtitle) = (dice.small(7) - 3, i64::from(dice.small(9)) + 1, dice.text());
                Entry {
                    id,
                    title: dice.text(),
                    subtitle: dice.maybe(subtitle),
                    rating: dice.maybe(rating),
                    comments: dice.small(5) - 1,
                    published: dice.roll(2) == 0,
                    author_id: i64::from(dice.small(9)) + 1,
                    editor_id: dice.maybe(editor),
                    reviewer_id: i64::from(dice.small(14)) + 1,
                }
            })
            .collect();
        World { authors, entries }
    }

    /// Stores all rows in tables of their own.
    pub(crate) fn store(&self, db: &Database) -> orm_core::Result<()> {
        db.create_tables::<(Author, Entry)>()?;
        Author::bulk_create(db, self.authors.clone())?;
        Entry::bulk_create(db, self.entries.clone())?;
        Ok(())
    }

    pub(crate) fn author(&self, id: i64) -> Option<&Author> {
        self.authors.iter().find(|author| author.id == id)
    }
}
