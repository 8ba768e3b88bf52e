//! Reading SQL as a backend reads it, as far as is needed to find placeholders, the end, and what would write.

use crate::backend::BackendKind;

/// Cuts a statement at its placeholders, or says why it cannot be sent.
pub(super) fn scan(sql: &str, backend: BackendKind) -> Result<Vec<String>, String> {
    let scanner = Scanner {
        sql,
        bytes: sql.as_bytes(),
        backend,
        at: 0,
        piece: String::new(),
        pieces: Vec::new(),
        depth: 0,
        last: Last::Nothing,
        with: false,
        ended: false,
        escapes: Escapes::No,
    };
    scanner.run()
}

struct Scanner<'s> {
    sql: &'s str,
    bytes: &'s [u8],
    backend: BackendKind,
    at: usize,
    piece: String,
    pieces: Vec<String>,
    /// How many brackets are open.
    depth: usize,
    last: Last,
    /// The statement begins with WITH.
    with: bool,
    /// A semicolon has ended it.
    ended: bool,
    escapes: Escapes,
}

/// What stood before, spaces and comments aside.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    Open,
    Close,
    Other,
}

/// Whether a string of PostgreSQL's that begins here goes on with another one's backslashes: `E'…'`, a line's end, `'…'`.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    No,
    OnTheNextLine,
    Here,
}

impl Scanner<'_> {
    fn run(mut self) -> Result<Vec<String>, String> {
        use BackendKind::{Mysql, Postgres, Sqlite};
        while let Some(byte) = self.peek(0) {
            let start = self.at;
            match (byte, self.backend) {
                (b'\n' | b'\r', _) => {
                    self.at += 1;
                    if self.escapes == Escapes::OnTheNextLine {
                        self.escapes = Escapes::Here;
                    }
                    self.keep(start);
                    continue;
                }
                (_, _) if byte.is_ascii_whitespace() => {
                    self.at += 1;
                    self.keep(start);
                    continue;
                }
                (b'-', _) if self.peek(1) == Some(b'-') && self.begins_comment() => {
                    self.line();
                    self.keep(start);
                    continue;
                }
                (b'#', Mysql) => {
                    self.line();
                    self.keep(start);
                    continue;
                }
                (b'/', _) if self.peek(1) == Some(b'*') => {
                    self.comment()?;
                    self.keep(start);
                    continue;
                }
                _ => {}
            }
            if self.ended {
                return Err("it has more than one statement; send one at a time".to_owned());
            }
            let escapes = std::mem::replace(&mut self.escapes, Escapes::No) == Escapes::Here;
            match (byte, self.backend) {
                (b';', _) => {
                    self.at += 1;
                    self.ended = true;
                    continue;
                }
                (b'\'', Postgres) => {
                    self.quoted(b'\'', escapes)?;
                    if escapes {
                        self.escapes = Escapes::OnTheNextLine;
                    }
                }
                (b'\'' | b'"', Mysql) => self.quoted(byte, true)?,
                (b'\'' | b'"', _) | (b'`', Mysql | Sqlite) => self.quoted(byte, false)?,
                (b'[', Sqlite) => self.until("]", "a bracket")?,
                (b'?', _) => {
                    self.question()?;
                    self.last = Last::Other;
                    continue;
                }
                (b'$', Postgres) => self.dollar()?,
                (b':' | b'@' | b'$', Sqlite) => return Err(self.not_ours(start)),
                (b'(', _) => {
                    self.depth += 1;
                    self.at += 1;
                    self.keep(start);
                    self.last = Last::Open;
                    continue;
                }
                (b')', _) => {
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                    self.keep(start);
                    self.last = Last::Close;
                    continue;
                }
                _ if begins_word(byte) => self.word()?,
                _ if byte.is_ascii_digit() => self.skip_word(),
                _ => self.at += 1,
            }
            self.keep(start);
            self.last = Last::Other;
        }
        if self.last == Last::Nothing {
            return Err("it is empty".to_owned());
        }
        self.pieces.push(self.piece);
        Ok(self.pieces)
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Keeps what was passed over. (All that is looked for is ASCII, so that no character is cut.)
    fn keep(&mut self, from: usize) {
        self.piece.push_str(&self.sql[from..self.at]);
    }

    /// MySQL wants a space behind the two dashes.
    fn begins_comment(&self) -> bool {
        self.backend != BackendKind::Mysql || self.peek(2).is_none_or(|byte| byte <= b' ')
    }

    /// A comment to the end of the line, which is at a carriage return already on PostgreSQL alone.
    fn line(&mut self) {
        let ends = |byte| byte == b'\n' || (byte == b'\r' && self.backend == BackendKind::Postgres);
        while self.peek(0).is_some_and(|byte| !ends(byte)) {
            self.at += 1;
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        let rest = &self.bytes[self.at + 2..];
        let is_read = self.backend == BackendKind::Mysql && (rest.starts_with(b"!") || rest.starts_with(b"M!"));
        let (start, mut open) = (self.at, 0_usize);
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'*'), Some(b'/')) => {
                    self.at += 2;
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                (Some(b'/'), Some(b'*')) if open == 0 || self.backend == BackendKind::Postgres => {
                    self.at += 2;
                    open += 1;
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err("a comment that it opens is not closed".to_owned()),
            }
        }
        if is_read && self.bytes[start..self.at].iter().any(|byte| matches!(byte, b'?' | b';')) {
            return Err(
                "it has `?` or `;` in a comment that is read by some servers and not by others (`/*! … */`)".to_owned()
            );
        }
        Ok(())
    }

    /// Passes over a quoted text, in which a doubled quote stands for itself.
    fn quoted(&mut self, quote: u8, backslashes: bool) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some(b'\\') if backslashes => self.at += 2,
                Some(byte) if byte == quote => {
                    self.at += 1;
                    if self.peek(0) != Some(quote) {
                        return Ok(());
                    }
                    self.at += 1;
                }
                Some(_) => self.at += 1,
                None => return Err(format!("a quote ({}) that it opens is not closed", char::from(quote))),
            }
        }
    }

    fn until(&mut self, end: &str, what: &str) -> Result<(), String> {
        match self.sql[self.at..].find(end) {
            Some(length) => {
                self.at += length + end.len();
                Ok(())
            }
            None => Err(format!("{what} that it opens is not closed")),
        }
    }

    /// `$tag$ … $tag$` of PostgreSQL's.
    fn dollar(&mut self) -> Result<(), String> {
        if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.not_ours(self.at));
        }
        let rest = &self.bytes[self.at + 1..];
        let length = rest.iter().take_while(|byte| goes_on(**byte) && **byte != b'$').count();
        if rest.get(length) != Some(&b'$') {
            self.at += 1;
            return Ok(());
        }
        let tag = self.sql[self.at..self.at + length + 2].to_owned();
        self.at += tag.len();
        self.until(&tag, &format!("a quote ({tag})"))
    }

    /// The place of a value, or a question mark.
    fn question(&mut self) -> Result<(), String> {
        if self.peek(1) == Some(b'?') {
            if self.backend != BackendKind::Postgres {
                return Err("it has `??`, which stands for the question mark of PostgreSQL's operators".to_owned());
            }
            self.at += 2;
            self.piece.push('?');
            return Ok(());
        }
        if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.not_ours(self.at));
        }
        // What is written in its place could grow together with what stands beside it.
        if self.piece.bytes().last().is_some_and(goes_on) {
            self.piece.push(' ');
        }
        self.pieces.push(std::mem::take(&mut self.piece));
        self.at += 1;
        if self.peek(0).is_some_and(goes_on) {
            self.piece.push(' ');
        }
        Ok(())
    }

    /// What other libraries call a placeholder.
    fn not_ours(&self, start: usize) -> String {
        let length = self.bytes[start + 1..].iter().take_while(|byte| goes_on(**byte)).count();
        format!("it has `{}`: a value's place is written `?` here, on every backend", &self.sql[start..=start + length])
    }

    fn skip_word(&mut self) {
        while self.peek(0).is_some_and(goes_on) {
            self.at += 1;
        }
    }

    /// A word, which may begin a string of PostgreSQL's with backslashes, or say that the statement writes.
    fn word(&mut self) -> Result<(), String> {
        let start = self.at;
        self.skip_word();
        let word = self.sql[start..self.at].to_ascii_uppercase();
        if word == "E" && self.backend == BackendKind::Postgres && self.peek(0) == Some(b'\'') {
            self.quoted(b'\'', true)?;
            self.escapes = Escapes::OnTheNextLine;
            return Ok(());
        }
        if self.last == Last::Nothing || (self.last == Last::Open && self.pieces.is_empty() && self.piece.trim() == "(")
        {
            // EXPLAIN ANALYZE of what writes does write, and so do many a PRAGMA.
            const READS: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE", "SHOW"];
            if !READS.contains(&word.as_str()) {
                return Err(writes(&word));
            }
            self.with = word == "WITH";
        }
        // Behind the bracket of a WITH that is a statement's, or as the first word of one of its queries.
        let may_begin = self.last == Last::Open || (self.last == Last::Close && self.with && self.depth == 0);
        let is_called = self.bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'(');
        let begins = may_begin && !is_called && matches!(&*word, "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "REPLACE");
        if begins || (word == "INTO" && self.depth == 0) {
            return Err(writes(&word));
        }
        Ok(())
    }
}

fn writes(word: &str) -> String {
    format!(
        "it has the word `{word}` where a statement that only reads has none, and raw statements are for reading: change rows \
         by a queryset's `update` and `delete`, and send what else there is by `batch_execute` or on Diesel's connection"
    )
}

fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn goes_on(byte: u8) -> bool {
    begins_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [BackendKind; 3] = [BackendKind::Postgres, BackendKind::Mysql, BackendKind::Sqlite];

    /// The statement with `$n` or, where it stays, `<>` in each place.
    fn places(sql: &str, backend: BackendKind) -> Result<String, String> {
        scan(sql, backend).map(|pieces| pieces.join("<>"))
    }

    fn refused(sql: &str, backend: BackendKind) -> String {
        scan(sql, backend).expect_err(sql)
    }

    #[test]
    fn places_are_found_and_nothing_else() {
        for (sql, postgres, mysql, sqlite) in [
            ("SELECT ?", "SELECT <>", "SELECT <>", "SELECT <>"),
            ("SELECT '?', '''?', ?", "SELECT '?', '''?', <>", "SELECT '?', '''?', <>", "SELECT '?', '''?', <>"),
            ("SELECT \"?\" , ?", "SELECT \"?\" , <>", "SELECT \"?\" , <>", "SELECT \"?\" , <>"),
            ("SELECT ? -- ?\n, ?", "SELECT <> -- ?\n, <>", "SELECT <> -- ?\n, <>", "SELECT <> -- ?\n, <>"),
            ("SELECT /* ' ? */ ?", "SELECT /* ' ? */ <>", "SELECT /* ' ? */ <>", "SELECT /* ' ? */ <>"),
            (
                "SELECT 'Zürich?', ?, 'é'",
                "SELECT 'Zürich?', <>, 'é'",
                "SELECT 'Zürich?', <>, 'é'",
                "SELECT 'Zürich?', <>, 'é'",
            ),
            ("SELECT 1 LIMIT?", "SELECT 1 LIMIT <>", "SELECT 1 LIMIT <>", "SELECT 1 LIMIT <>"),
            ("SELECT ?;  -- the end?", "SELECT <>  -- the end?", "SELECT <>  -- the end?", "SELECT <>  -- the end?"),
        ] {
            assert_eq!(ALL.map(|b| places(sql, b)), [postgres, mysql, sqlite].map(|s| Ok(s.to_owned())), "{sql}");
        }
    }

    #[test]
    fn each_backend_has_its_own_quotes_and_comments() {
        use BackendKind::{Mysql, Postgres, Sqlite};
        for (backend, sql, expected) in [
            // A backslash is a character like any other, but in E''.
            (Postgres, r"SELECT '\', ?, E'\'?', ?", r"SELECT '\', <>, E'\'?', <>"),
            (Postgres, "SELECT E'a'\n 'b\\'?' , ?", "SELECT E'a'\n 'b\\'?' , <>"),
            (Postgres, "SELECT E'a'\r 'b\\'?' , ?", "SELECT E'a'\r 'b\\'?' , <>"),
            (Postgres, "SELECT 1 -- ?\r, ?", "SELECT 1 -- ?\r, <>"),
            (Mysql, "SELECT 1 -- ?\r, ?\n, ?", "SELECT 1 -- ?\r, ?\n, <>"),
            (Sqlite, "SELECT 1 -- ?\r, ?\n, ?", "SELECT 1 -- ?\r, ?\n, <>"),
            (Postgres, "SELECT te'?' , ?", "SELECT te'?' , <>"),
            (Postgres, "SELECT $$ ? ' $$, $a$ $$ ? $b$ $a$, ?", "SELECT $$ ? ' $$, $a$ $$ ? $b$ $a$, <>"),
            (Postgres, "SELECT /* /* ? */ ? */ ?", "SELECT /* /* ? */ ? */ <>"),
            (Postgres, "SELECT j ?? 'k' , j ??| ? , j @?? ?", "SELECT j ? 'k' , j ?| <> , j @? <>"),
            (Postgres, "SELECT a#>? , b[?]", "SELECT a#><> , b[<>]"),
            (Postgres, "SELECT a--?\n, ?", "SELECT a--?\n, <>"),
            (Mysql, r#"SELECT '\'?', "\"?", ?"#, r#"SELECT '\'?', "\"?", <>"#),
            (Mysql, "SELECT `a?``?`, ? # ?\n, ?", "SELECT `a?``?`, <> # ?\n, <>"),
            (Mysql, "SELECT 1--?", "SELECT 1--<>"),
            (Mysql, "SELECT @a := ?, /* /* ? */ ?", "SELECT @a := <>, /* /* ? */ <>"),
            (Sqlite, r"SELECT '\', ?, [a?'], `?`", r"SELECT '\', <>, [a?'], `?`"),
        ] {
            assert_eq!(places(sql, backend), Ok(expected.to_owned()), "{backend}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        use BackendKind::{Mysql, Postgres, Sqlite};
        for backend in ALL {
            for (sql, why) in [
                ("", "empty"),
                (" -- nothing\n", "empty"),
                ("SELECT 'a", "not closed"),
                ("SELECT \"a", "not closed"),
                ("SELECT /* a", "not closed"),
                ("SELECT ?1", "`?1`"),
                ("SELECT 1; SELECT 2", "more than one statement"),
            ] {
                assert!(refused(sql, backend).contains(why), "{sql} on {backend}");
            }
        }
        assert!(refused("SELECT $1", Postgres).contains("`$1`"));
        assert!(refused("SELECT $a$ ?", Postgres).contains("$a$"));
        for sql in ["SELECT :name", "SELECT @name", "SELECT $name", "SELECT [a"] {
            refused(sql, Sqlite);
        }
        assert!(refused("SELECT a ?? b", Mysql).contains("PostgreSQL"));
        assert!(refused("SELECT /*!80000 ? */", Mysql).contains("/*!"));
        assert!(refused("SELECT 'a\\'", Mysql).contains("not closed"));
    }

    #[test]
    fn what_writes_is_refused_and_what_reads_is_not() {
        for backend in ALL {
            for sql in [
                "INSERT INTO a VALUES (1) RETURNING b",
                "/* SELECT */ update a SET b = 1",
                "DELETE FROM a",
                "DROP TABLE a",
                "WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a",
                "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a RETURNING *",
                "SELECT * INTO b FROM a",
                "(DELETE FROM a)",
                "EXPLAIN ANALYZE DELETE FROM a",
                "PRAGMA user_version = 5",
            ] {
                assert!(refused(sql, backend).contains("only reads"), "{sql}");
            }
            for sql in [
                "SELECT REPLACE(a, 'DELETE FROM b', ''), INSERT(a, 1, 2, b) FROM c FOR UPDATE",
                "(SELECT 1) UNION (SELECT 2)",
                "WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE",
                "VALUES (1)",
                "SELECT a.update FROM a WHERE (insert (b, 1, 2, c)) = 1",
            ] {
                assert!(scan(sql, backend).is_ok(), "{sql}");
            }
        }
    }
}
