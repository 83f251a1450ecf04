//! Rows of any table, as values that belong to no engine: what a backup is made of.

use sqlx::{Column as _, FromRow, Row, TypeInfo, ValueRef, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{
    base::Timestamp,
    store::{Column, ColumnKind, Error, Query, Sql, Table, Tx},
};

/// Rows that are added with one statement.
const ROWS: usize = 64;

/// Going through a large table takes longer than a request may.
const UNHURRIED: Sql = Sql::split("SET LOCAL statement_timeout = 0", "SELECT 1");

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID.
    Uuid(Uuid),
    /// An instant.
    Time(Timestamp),
}

/// Adds rows to one table.
#[derive(Clone, Debug)]
pub struct Filler {
    table: Table,
    many: Sql,
    one: Sql,
}

impl Filler {
    /// For rows that have a value for each of the columns of `table`, in their order.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            many: table.insert(ROWS),
            one: table.insert(1),
            table,
        }
    }

    /// Its table, with the columns that the rows have.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }
}

/// A row as the engine gives it: SQLite knows numbers, texts and bytes alone.
struct Raw(Vec<Cell>);

impl FromRow<'_, PgRow> for Raw {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let mut cells = Vec::with_capacity(row.columns().len());
        for (at, column) in row.columns().iter().enumerate() {
            let kind = ColumnKind::of(column.type_info().name()).ok_or_else(|| {
                sqlx::Error::Decode("a column of a kind that is not known".into())
            })?;
            let cell = match kind {
                ColumnKind::Int => row.try_get::<Option<i64>, _>(at)?.map(Cell::Int),
                ColumnKind::Bool => row.try_get::<Option<bool>, _>(at)?.map(Cell::Bool),
                ColumnKind::Text => row.try_get::<Option<String>, _>(at)?.map(Cell::Text),
                ColumnKind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
                ColumnKind::Uuid => row.try_get::<Option<Uuid>, _>(at)?.map(Cell::Uuid),
                ColumnKind::Time => row.try_get::<Option<Timestamp>, _>(at)?.map(Cell::Time),
            };
            cells.push(cell.unwrap_or(Cell::Null));
        }
        Ok(Self(cells))
    }
}

impl FromRow<'_, SqliteRow> for Raw {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let mut cells = Vec::with_capacity(row.columns().len());
        for at in 0..row.columns().len() {
            let raw = row.try_get_raw(at)?;
            let is_null = raw.is_null();
            let kind = raw.type_info().name().to_owned();
            cells.push(match kind.as_str() {
                _ if is_null => Cell::Null,
                "INTEGER" | "BOOLEAN" => Cell::Int(row.try_get(at)?),
                "TEXT" => Cell::Text(row.try_get(at)?),
                _ => Cell::Bytes(row.try_get(at)?),
            });
        }
        Ok(Self(cells))
    }
}

/// What SQLite stores of `cell` in `column`, as what it means.
fn meant(cell: Cell, column: &Column) -> Result<Cell, Error> {
    Ok(match (column.kind, cell) {
        (ColumnKind::Bool, Cell::Int(n)) => Cell::Bool(n != 0),
        (ColumnKind::Time, Cell::Int(n)) => Cell::Time(Timestamp::from_micros(n)),
        (ColumnKind::Uuid, Cell::Bytes(bytes)) => Cell::Uuid(
            Uuid::from_slice(&bytes)
                .map_err(|_| Error::Refused("a stored id has another length than 16 bytes"))?,
        ),
        (_, cell) => cell,
    })
}

impl Tx {
    /// How many rows `table` has. The time limit of one statement does not count.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn count_rows(&mut self, table: &Table) -> Result<u64, Error> {
        self.query(UNHURRIED).execute().await?;
        let (count,): (i64,) = self.query(table.count()).one().await?;
        Ok(count.unsigned_abs())
    }

    /// Hand every row of `table` to `each`, its values in the order of [`Table::columns`], without
    /// holding them all. The time limit of one statement does not count.
    ///
    /// # Errors
    ///
    /// Those of the database and of `each`.
    pub async fn each_row<E: From<Error>>(
        &mut self,
        table: &Table,
        mut each: impl FnMut(Vec<Cell>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.query(UNHURRIED).execute().await?;
        self.query(table.select())
            .for_each(|Raw(cells): Raw| {
                let cells = cells.into_iter().zip(&table.columns);
                let row: Result<Vec<Cell>, Error> =
                    cells.map(|(cell, column)| meant(cell, column)).collect();
                each(row?)
            })
            .await
    }

    /// Add `rows` to the table of `filler`.
    ///
    /// # Errors
    ///
    /// Those of the database, and when a value is not of its column's kind.
    pub async fn fill(&mut self, filler: &Filler, rows: Vec<Vec<Cell>>) -> Result<(), Error> {
        let whole = rows.len() / ROWS;
        let mut rows = rows.into_iter();
        for _ in 0..whole {
            let query = self.query(filler.many);
            let some = rows.by_ref().take(ROWS);
            bind(query, &filler.table, some)?.execute().await?;
        }
        for row in rows {
            let query = self.query(filler.one);
            bind(query, &filler.table, [row])?.execute().await?;
        }
        Ok(())
    }

    /// Let PostgreSQL number on after the rows that were added to the table of `filler`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn renumber(&mut self, filler: &Filler) -> Result<(), Error> {
        match filler.table.renumber() {
            Some(text) => self.query(text).execute().await.map(drop),
            None => Ok(()),
        }
    }
}

fn bind<'t>(
    mut query: Query<'t>,
    table: &Table,
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> Result<Query<'t>, Error> {
    for row in rows {
        if row.len() != table.columns.len() {
            return Err(Error::Refused(
                "a row has another number of values than its table",
            ));
        }
        for (cell, column) in row.into_iter().zip(&table.columns) {
            query = match (column.kind, cell) {
                (ColumnKind::Int, Cell::Null) => query.bind(None::<i64>),
                (ColumnKind::Bool, Cell::Null) => query.bind(None::<bool>),
                (ColumnKind::Text, Cell::Null) => query.bind(None::<String>),
                (ColumnKind::Bytes, Cell::Null) => query.bind(None::<Vec<u8>>),
                (ColumnKind::Uuid, Cell::Null) => query.bind(None::<Uuid>),
                (ColumnKind::Time, Cell::Null) => query.bind(None::<Timestamp>),
                (ColumnKind::Int, Cell::Int(value)) => query.bind(value),
                (ColumnKind::Bool, Cell::Bool(value)) => query.bind(value),
                (ColumnKind::Text, Cell::Text(value)) => query.bind(value),
                (ColumnKind::Bytes, Cell::Bytes(value)) => query.bind(value),
                (ColumnKind::Uuid, Cell::Uuid(value)) => query.bind(value),
                (ColumnKind::Time, Cell::Time(value)) => query.bind(value),
                _ => return Err(Error::Refused("a value is not of its column's kind")),
            };
        }
    }
    Ok(query)
}
