//! An account's own sessions: which are open, and ending one.

use uuid::Uuid;

use crate::{
    accounts::BROWSER_IDLE_MS,
    base::Timestamp,
    store::{Error, Tx},
};

/// Sessions listed at most.
const MOST: i64 = 200;

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its id.
    pub family: Uuid,
    /// Whether it is a browser's; else it is a program's.
    pub is_browser: bool,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to the minute; for a program, when it last fetched tokens.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// The open sessions of an account, the last used first.
///
/// # Errors
///
/// Those of the store.
pub async fn list(tx: &mut Tx, account: Uuid) -> Result<Vec<Open>, Error> {
    let now = tx.now();
    let rows: Vec<(Uuid, String, Timestamp, Timestamp, Timestamp)> = tx
        .query(
            "SELECT family, kind, MIN(created_at), MAX(seen_at), MAX(expires_at)
             FROM sessions WHERE account_id = $1 AND expires_at > $2
             GROUP BY family, kind ORDER BY MAX(seen_at) DESC, family LIMIT $3",
        )
        .bind(account)
        .bind(now)
        .bind(MOST)
        .all()
        .await?;
    let open = rows
        .into_iter()
        .map(|(family, kind, created_at, seen_at, expires_at)| Open {
            family,
            is_browser: kind == "browser",
            created_at,
            seen_at,
            expires_at,
        });
    // A browser that was left alone has ended, though its row is still there.
    Ok(open
        .filter(|open| !open.is_browser || now < open.seen_at.plus_ms(BROWSER_IDLE_MS))
        .collect())
}

/// End one session of an account; `false` when it has none with this id.
///
/// # Errors
///
/// Those of the store.
pub async fn end_one(tx: &mut Tx, account: Uuid, family: Uuid) -> Result<bool, Error> {
    tx.query("DELETE FROM sessions WHERE account_id = $1 AND family = $2")
        .bind(account)
        .bind(family)
        .execute()
        .await
        .map(|rows| rows > 0)
}
