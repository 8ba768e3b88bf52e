//! Functions of text. Characters are Unicode's code points, on every backend; the first one has the number 1.
//!
//! SQLite's own functions take the character NUL for the end of a text; PostgreSQL has no text with NUL in it.

use diesel::{
    expression::Expression,
    sql_types::{Bool, Integer, Text},
};

use super::{
    Expr,
    expr::on_expressions,
    function::{Function, Of, Words, call, calls},
    search::Searchable,
};
use crate::{
    backend::BackendKind,
    types::{IntoText, PortableValue},
};

/// A number of characters.
type Number = PortableValue<Integer, i32>;

fn number(characters: u32) -> Number {
    // No text has more characters than that.
    PortableValue::new(i32::try_from(characters).unwrap_or(i32::MAX))
}

on_expressions! {
    /// The text in lower case.
    ///
    /// Each character is changed by itself, of every alphabet on MySQL, MariaDB and SQLite. Which letters PostgreSQL knows
    /// the case of is the locale's to say that the database was created with; the locale `C` knows ASCII.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "ZRH".into(), city: "Zürich".into() }])?;
    /// let airports = Airport::objects(&db).filter(|a| a.code.lower().eq("zrh"));
    /// assert_eq!(airports.values(|a| (a.city.upper(), a.city.length())).load()?, [("ZÜRICH".to_owned(), 6)]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn lower(self) -> Expr<Function<Lower, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Lower, (self,))
    }

    /// The text in upper case; letters as [`lower`](Self::lower) has them. What has no capital of one character, such as
    /// `ß`, stays as it is, but for databases of PostgreSQL's in a locale of ICU, which write `SS`.
    pub fn upper(self) -> Expr<Function<Upper, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Upper, (self,))
    }

    /// The number of characters.
    pub fn length(self) -> Expr<Function<Length, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Length, (self,))
    }

    /// The text without the spaces at both ends. Other white space, such as tabs, stays.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: " New York ".into() }])?;
    /// let city = Airport::objects(&db).values(|a| (a.city.trim(), a.city.trim().replace("New", "Old"))).get()?;
    /// assert_eq!(city, ("New York".to_owned(), "Old York".to_owned()));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn trim(self) -> Expr<Function<Trim, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Trim, (self,))
    }

    /// The text without the spaces at its start.
    pub fn ltrim(self) -> Expr<Function<TrimStart, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(TrimStart, (self,))
    }

    /// The text without the spaces at its end.
    pub fn rtrim(self) -> Expr<Function<TrimEnd, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(TrimEnd, (self,))
    }

    /// `length` characters of the text, from the character with the number `from` on: the first has the number 1, and 0
    /// is refused when the statement is written. Where the text ends sooner, so does this.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: "New York".into() }])?;
    /// let parts = Airport::objects(&db).values(|a| (a.city.substr(5, 2), a.city.left(3), a.city.right(4))).get()?;
    /// assert_eq!(parts, ("Yo".to_owned(), "New".to_owned(), "York".to_owned()));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn substr(self, from: u32, length: u32) -> Expr<Function<Substring, (Self, Number, Number)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Substring { from }, (self, number(from), number(length)))
    }

    /// The text from the character with the number `from` on, as [`substr`](Self::substr) counts them.
    pub fn substr_from(self, from: u32) -> Expr<Function<SubstringFrom, (Self, Number)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(SubstringFrom { from }, (self, number(from)))
    }

    /// The first `length` characters.
    pub fn left(self, length: u32) -> Expr<Function<Left, (Self, Number)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Left, (self, number(length)))
    }

    /// The last `length` characters.
    pub fn right(self, length: u32) -> Expr<Function<Right, (Self, Number)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Right, (self, number(length)))
    }

    /// The text with every `from` in it replaced by `to`; case counts. Nothing is replaced where `from` is empty.
    pub fn replace<F: IntoText, T: IntoText>(
        self,
        from: F,
        to: T,
    ) -> Of<Replace, (Self, F::Expression, T::Expression)>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Replace, (self, from.into_text(), to.into_text()))
    }

    /// Where `needle` is in the text: the number of its first character, 1 at the start, and 0 where it is not; case
    /// counts.
    pub fn position<T: IntoText>(self, needle: T) -> Expr<Function<Position, (Self, T::Expression)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Position, (self, needle.into_text()))
    }

    /// The text with its characters in the opposite order.
    pub fn reversed(self) -> Expr<Function<Reversed, (Self,)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Function::expression(Reversed, (self,))
    }

    /// The text with exactly `length` characters: filled up by `fill` at its start, or cut at its end. An empty `fill` is
    /// refused when the statement is written.
    pub fn lpad(self, length: u32, fill: impl AsRef<str>) -> Expr<Function<PadStart, (Self, Number, Fill)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        let fill = fill.as_ref();
        Function::expression(PadStart { fills: !fill.is_empty() }, (self, number(length), fill.to_owned().into_text()))
    }

    /// The text with exactly `length` characters: filled up by `fill` at its end, or cut there. An empty `fill` is refused
    /// when the statement is written.
    pub fn rpad(self, length: u32, fill: impl AsRef<str>) -> Expr<Function<PadEnd, (Self, Number, Fill)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        let fill = fill.as_ref();
        Function::expression(PadEnd { fills: !fill.is_empty() }, (self, number(length), fill.to_owned().into_text()))
    }

    /// Whether the regular expression `pattern` is found in the text; case counts.
    ///
    /// Each backend has a dialect of its own: PostgreSQL its advanced regular expressions, MariaDB PCRE, MySQL ICU's, and
    /// SQLite those of the Rust crate `regex`, which have neither backreferences nor look-around. Common to all are
    /// characters, `.`, classes such as `[a-z0-9]` and `[^,]`, groups, `|`, `*`, `+`, `?`, `{2,5}` and their lazy
    /// forms, `^` and `$`, and `\` before what is to stand for itself. On text of several lines they differ in what
    /// `.`, `^` and `$` are; `\d`, `\w` and `\s` know other alphabets on some. A bad pattern is an error.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: "New York".into() }])?;
    /// assert_eq!(Airport::objects(&db).filter(|a| a.city.regex("^New [A-Z]")).count()?, 1);
    /// assert_eq!(Airport::objects(&db).filter(|a| a.city.iregex("^new y")).count()?, 1);
    /// let error = Airport::objects(&db).filter(|a| a.city.regex("(")).count().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn regex(self, pattern: impl AsRef<str>) -> Expr<Function<Regex, (Self, Fill)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        let pattern = pattern.as_ref().to_owned();
        Function::expression(Regex { pattern: pattern.clone(), ignore_case: false }, (self, pattern.into_text()))
    }

    /// As [`regex`](Self::regex), without regard to case, of the letters that [`icontains`](Self::icontains) knows.
    pub fn iregex(self, pattern: impl AsRef<str>) -> Expr<Function<Regex, (Self, Fill)>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        let pattern = pattern.as_ref().to_owned();
        Function::expression(Regex { pattern: pattern.clone(), ignore_case: true }, (self, pattern.into_text()))
    }
}

/// A text that is given.
type Fill = PortableValue<Text, String>;

calls! {
    /// `lower`
    Lower: Text, Words::each("LOWER({0})", "LOWER({0})", "orm_lower({0})");
    /// `upper`
    Upper: Text, Words::each("UPPER({0})", "UPPER({0})", "orm_upper({0})");
    /// `length`
    Length: Integer, Words::each("CHAR_LENGTH({0})", "CHAR_LENGTH({0})", "LENGTH({0})");
    /// `trim`
    Trim: Text, Words::alike("TRIM({0})");
    /// `ltrim`
    TrimStart: Text, Words::alike("LTRIM({0})");
    /// `rtrim`
    TrimEnd: Text, Words::alike("RTRIM({0})");
    /// `left`
    Left: Text, Words::each("LEFT({0}, {1})", "LEFT({0}, {1})", "SUBSTR({0}, 1, {1})");
    /// `right`
    // A length of 0 is no negative number to count from the end.
    Right: Text, Words::each("RIGHT({0}, {1})", "RIGHT({0}, {1})", "SUBSTR({0}, MAX(LENGTH({0}) - {1}, 0) + 1)");
    /// `replace`
    // Where there is nothing to replace, some do not look at what it would be replaced by.
    Replace: Text, Words::each(
        "REPLACE({0}, {1}, {2})",
        "IF({1} IS NULL OR {2} IS NULL, NULL, REPLACE({0}, {1}, {2}))",
        "CASE WHEN {2} IS NOT NULL THEN REPLACE({0}, {1}, {2}) END"
    );
    /// `position`
    Position: Integer, Words::each("STRPOS({0}, {1})", "LOCATE({1} COLLATE utf8mb4_bin, {0})", "INSTR({0}, {1})");
    /// `reversed`
    Reversed: Text, Words::each("REVERSE({0})", "REVERSE({0})", "orm_reverse({0})");
}

/// `substr`
#[derive(Clone, Copy, Debug)]
pub struct Substring {
    from: u32,
}
call!(Substring: Text {
    fn words(&self) -> Words {
        Words::alike("SUBSTR({0}, {1}, {2})")
    }
    fn check(&self, _: BackendKind) -> Result<(), String> {
        counted_from_1(self.from)
    }
});

/// `substr_from`
#[derive(Clone, Copy, Debug)]
pub struct SubstringFrom {
    from: u32,
}
call!(SubstringFrom: Text {
    fn words(&self) -> Words {
        Words::alike("SUBSTR({0}, {1})")
    }
    fn check(&self, _: BackendKind) -> Result<(), String> {
        counted_from_1(self.from)
    }
});

fn counted_from_1(from: u32) -> Result<(), String> {
    if from == 0 { Err("`substr` counts characters from 1, and was told to begin at 0".into()) } else { Ok(()) }
}

macro_rules! padding {
    ($($(#[$attribute:meta])* $name:ident $method:literal $words:expr;)*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            fills: bool,
        }
        call!($name: Text {
            fn words(&self) -> Words {
                $words
            }
            fn check(&self, _: BackendKind) -> Result<(), String> {
                if self.fills { Ok(()) } else { Err(concat!("`", $method, "` has nothing to fill up with").into()) }
            }
        });
    )* };
}
padding! {
    /// `lpad`
    PadStart "lpad" Words::each("LPAD({0}, {1}, {2})", "LPAD({0}, {1}, {2})", "orm_pad({0}, {1}, {2}, 1)");
    /// `rpad`
    PadEnd "rpad" Words::each("RPAD({0}, {1}, {2})", "RPAD({0}, {1}, {2})", "orm_pad({0}, {1}, {2}, 0)");
}

/// `regex` and `iregex`
#[derive(Clone, Debug)]
pub struct Regex {
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pattern: String,
    ignore_case: bool,
}
call!(Regex: Bool {
    fn words(&self) -> Words {
        // On MySQL it is the collation that says whether case counts, but the pattern for the letters that it knows.
        if self.ignore_case {
            let mysql = "({0} REGEXP CONCAT('(?i)', {1}) COLLATE utf8mb4_bin)";
            Words::each("({0} ~* {1})", mysql, "orm_regex({0}, {1}, 1)")
        } else {
            Words::each("({0} ~ {1})", "({0} REGEXP {1} COLLATE utf8mb4_bin)", "orm_regex({0}, {1}, 0)")
        }
    }
    fn check(&self, backend: BackendKind) -> Result<(), String> {
        match backend {
            #[cfg(feature = "sqlite")]
            BackendKind::Sqlite => {
                crate::backend::sqlite::functions::text::compile(&self.pattern, self.ignore_case).map(|_| ())
            }
            _ => Ok(()),
        }
    }
});
