//! Rows for PostgreSQL's `COPY`, which takes half the time of an `INSERT` and knows no `ON CONFLICT`.
//!
//! The format is the binary one of its manual ("COPY", *Binary Format*).

use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{Error, Tx, db::Conn, query::seen};

/// The signature, no flags, no extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The length of a field that is NULL, and the number of fields of no row: the end.
const NULL: i32 = -1;
const END: i16 = -1;

/// Rows for one table. The fields of a row are added in the order of the columns.
#[derive(Debug)]
pub struct Copy {
    table: &'static str,
    columns: &'static [&'static str],
    bytes: Vec<u8>,
}

impl Copy {
    /// No rows yet for `columns` of `table`; room for `capacity` bytes.
    #[must_use]
    pub fn new(table: &'static str, columns: &'static [&'static str], capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEAD.len() + capacity);
        bytes.extend(HEAD);
        Self {
            table,
            columns,
            bytes,
        }
    }

    /// Begin a row.
    pub fn row(&mut self) {
        let fields = i16::try_from(self.columns.len()).unwrap_or_default();
        self.bytes.extend(fields.to_be_bytes());
    }

    /// Add a field: text, or bytes.
    pub fn field(&mut self, value: Option<&[u8]>) {
        let length = value.map_or(NULL, |value| i32::try_from(value.len()).unwrap_or(NULL));
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value.unwrap_or_default());
    }

    /// Add a `BIGINT`.
    pub fn bigint(&mut self, value: Option<i64>) {
        self.field(
            value
                .map(i64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
    }

    /// Add a `UUID`.
    pub fn uuid(&mut self, value: Option<Uuid>) {
        self.field(value.as_ref().map(|value| value.as_bytes().as_slice()));
    }

    fn text(&self) -> String {
        let columns = self.columns.join(", ");
        format!(
            "COPY {} ({columns}) FROM STDIN WITH (FORMAT binary)",
            self.table
        )
    }
}

impl Tx {
    /// Whether copying is worth it for a few rows: it waits for the server twice, and over the network
    /// much longer (`nearby`).
    #[must_use]
    pub fn copies_fast(&self) -> bool {
        match &self.conn {
            Conn::Kept(lease) => lease.is_near(),
            Conn::Postgres(_) | Conn::Sqlite(_) => false,
        }
    }

    /// Add `rows`, in PostgreSQL, and say how many.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if one of them is there already; then nothing is added, and the transaction
    /// can only be rolled back.
    pub async fn copy(&mut self, rows: Copy) -> Result<u64, Error> {
        let fault = self.next_fault();
        let (conn, state) = self.postgres();
        state.refuse(fault)?;
        let Some(conn) = conn else {
            return seen(state, Err(sqlx::Error::PoolClosed));
        };
        seen(state, copy(conn, rows).await)
    }
}

async fn copy(conn: &mut PgConnection, mut rows: Copy) -> sqlx::Result<u64> {
    rows.bytes.extend(END.to_be_bytes());
    let mut into = conn.copy_in_raw(&rows.text()).await?;
    into.send(rows.bytes).await?;
    into.finish().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_fields_with_their_lengths() {
        let mut rows = Copy::new("t", &["a", "b", "c", "d"], 0);
        rows.row();
        rows.bigint(Some(258));
        rows.bigint(None);
        rows.field(Some(b"xy"));
        rows.uuid(Some(Uuid::from_u128(7)));
        assert_eq!(
            rows.text(),
            "COPY t (a, b, c, d) FROM STDIN WITH (FORMAT binary)"
        );
        let mut expected = HEAD.to_vec();
        expected.extend([0, 4]);
        expected.extend([0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2]);
        expected.extend([255, 255, 255, 255]);
        expected.extend([0, 0, 0, 2, b'x', b'y']);
        expected.extend([0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(rows.bytes, expected);
    }
}
