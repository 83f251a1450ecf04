//! The one list of tables: read from the migrations, so that a new table comes along by itself.
//!
//! Backup and restore go through every table that there is. A list by hand would be forgotten on the
//! day it was needed, so the list is the text of PostgreSQL's migrations, which name the kind of every
//! column; SQLite's have the same columns. `tests/it/store/schema.rs` compares it with what both
//! engines say about themselves, and fails on a statement that is not understood here.

use std::{fmt::Write as _, sync::LazyLock};

use crate::store::{Sql, migrate};

/// What a column holds, apart from how an engine stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A whole number of 64 bits.
    Int,
    /// Yes or no; 1 or 0 in SQLite.
    Bool,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A UUID; 16 bytes in SQLite.
    Uuid,
    /// An instant; microseconds in SQLite.
    Time,
}

impl ColumnKind {
    /// The kind of a column of this type of PostgreSQL, by its name in `CREATE TABLE` or in the
    /// catalogue.
    #[must_use]
    pub fn of(postgres: &str) -> Option<Self> {
        Some(match postgres.to_ascii_uppercase().as_str() {
            "BIGINT" | "INT8" => Self::Int,
            "BOOLEAN" | "BOOL" => Self::Bool,
            "TEXT" => Self::Text,
            "BYTEA" => Self::Bytes,
            "UUID" => Self::Uuid,
            "TIMESTAMPTZ" => Self::Time,
            _ => return None,
        })
    }

    /// The letter that stands for it in a backup.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Int => 'i',
            Self::Bool => 'b',
            Self::Text => 't',
            Self::Bytes => 'x',
            Self::Uuid => 'u',
            Self::Time => 'z',
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// A table, with the texts that read and fill it.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, as in PostgreSQL's migrations.
    pub columns: Vec<Column>,
    /// The column that PostgreSQL numbers by itself.
    pub numbered: Option<String>,
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let texts: Vec<String> = migrate::postgres_texts();
    read(&texts.join("\n"))
});

/// All tables, each after those that it refers to.
#[must_use]
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// The tables that the statements of `text` leave behind.
fn read(text: &str) -> Vec<Table> {
    let bare: String = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut tables: Vec<Table> = Vec::new();
    for statement in bare.split(';').map(str::trim) {
        if let Some(rest) = statement.strip_prefix("CREATE TABLE ") {
            tables.extend(table(rest));
        } else if let Some((name, rest)) = statement
            .strip_prefix("ALTER TABLE ")
            .and_then(|rest| rest.split_once(" ADD COLUMN "))
            && let Some(table) = tables.iter_mut().find(|table| table.name == name.trim())
        {
            table.columns.extend(column(rest));
        }
    }
    tables
}

fn table(definition: &str) -> Option<Table> {
    let (name, rest) = definition.split_once('(')?;
    let mut columns = Vec::new();
    let mut numbered = None;
    for part in parts(rest) {
        if let Some(column) = column(part) {
            if part.contains("AS IDENTITY") {
                numbered = Some(column.name.clone());
            }
            columns.push(column);
        }
    }
    Some(Table {
        name: name.trim().to_owned(),
        columns,
        numbered,
    })
}

/// What commas separate, up to the bracket that closes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_u32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => {
                found.extend(text.get(from..at));
                break;
            }
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(text.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The column that `part` defines; `None` for a rule about several.
fn column(part: &str) -> Option<Column> {
    let mut words = part.split_whitespace();
    let name = words.next()?;
    Some(Column {
        kind: ColumnKind::of(words.next()?)?,
        name: name.to_owned(),
    })
}

impl Table {
    /// The text that counts its rows.
    #[must_use]
    pub fn count(&self) -> Sql {
        shared(format!("SELECT COUNT(*) FROM {}", self.name))
    }

    /// The text that reads all of its rows.
    #[must_use]
    pub fn select(&self) -> Sql {
        shared(format!("SELECT {} FROM {}", self.names(), self.name))
    }

    /// The text that adds `rows` rows, whose values are bound one after the other.
    #[must_use]
    pub fn insert(&self, rows: usize) -> Sql {
        let mut values = String::new();
        let width = self.columns.len();
        for row in 0..rows {
            values.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..width {
                let comma = if column == 0 { "" } else { ", " };
                // Writing to a string does not fail.
                let _ = write!(values, "{comma}${}", row * width + column + 1);
            }
            values.push(')');
        }
        let (name, names) = (&self.name, self.names());
        // Numbers are those of the backup, also where PostgreSQL would give its own.
        let own = self
            .numbered
            .as_ref()
            .map_or("", |_| "OVERRIDING SYSTEM VALUE ");
        Sql::split(
            leak(format!("INSERT INTO {name} ({names}) {own}VALUES {values}")),
            leak(format!("INSERT INTO {name} ({names}) VALUES {values}")),
        )
    }

    /// The text that lets PostgreSQL number on after the highest number that is there.
    #[must_use]
    pub fn renumber(&self) -> Option<Sql> {
        let (name, column) = (&self.name, self.numbered.as_ref()?);
        Some(Sql::split(
            leak(format!(
                "SELECT setval(pg_get_serial_sequence('{name}', '{column}'),
                               COALESCE(MAX({column}), 0) + 1, false) FROM {name}"
            )),
            "SELECT 1",
        ))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        names.join(", ")
    }
}

fn shared(text: String) -> Sql {
    leak(text).into()
}

/// Texts live as long as the program. There are three or four for each table, in a command that ends.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_read_with_their_kinds() {
        let read = read(
            "-- A comment; with a semicolon.
             CREATE TABLE a (
                 id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, -- one
                 who UUID NOT NULL REFERENCES b (id),
                 at TIMESTAMPTZ,
                 PRIMARY KEY (id, who),
                 CHECK (at IS NULL OR (id > 1 AND id < 2))
             ) PARTITION BY RANGE (id);
             CREATE INDEX x ON a (id);
             CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
             ALTER TABLE a ADD COLUMN seen BOOLEAN;",
        );
        let [table] = read.as_slice() else {
            panic!("{read:?}")
        };
        let columns: Vec<(&str, char)> = table
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.kind.letter()))
            .collect();
        assert_eq!(
            columns,
            [("id", 'i'), ("who", 'u'), ("at", 'z'), ("seen", 'b')]
        );
        assert_eq!(table.numbered.as_deref(), Some("id"));
        assert_eq!(
            table.insert(2).sqlite,
            "INSERT INTO a (id, who, at, seen) VALUES ($1, $2, $3, $4), ($5, $6, $7, $8)"
        );
    }

    #[test]
    fn a_table_stands_after_those_it_refers_to() {
        let names: Vec<&str> = tables().iter().map(|table| table.name.as_str()).collect();
        let at = |name| names.iter().position(|n| *n == name).unwrap();
        assert!(at("accounts") < at("venues") && at("venues") < at("checkpoints"));
        assert!(names.len() > 15);
    }
}
