//! The clock of a case file: how long it lives, and its end.
//!
//! A file outlives the days that it copied from, and not for ever. It ends [`FILE_DAYS`] whole UTC
//! days after the last of three: its report, its latest lookup, the end of its infectious window.
//! Then its key is destroyed first, in one transaction with the audit entry: from there on nothing
//! that the file sealed opens, in any copy of the table. Its rows are deleted afterwards, in batches
//! that may be interrupted.

use uuid::Uuid;

use crate::{
    base::{Day, Timestamp},
    privacy::audit,
    store::{Error, Tx},
};

/// Days that a file lives after its last use. The measures of the rule sets ask who recovered in the
/// last three months (CV 762/BYT-DP), so a case says something about people for as long.
pub const FILE_DAYS: u16 = 90;

/// The first instant of a last use that keeps a file alive on `today`.
#[must_use]
pub fn alive_from(today: Day) -> Timestamp {
    Timestamp::from_ms(today.plus(-i32::from(FILE_DAYS)).start_ms())
}

/// Note that a lookup was made for `case`, which winds its clock up again.
///
/// # Errors
///
/// Those of the store.
pub async fn worked(tx: &mut Tx, case: Uuid) -> Result<(), Error> {
    let now = tx.now();
    tx.query("UPDATE cases SET worked_at = $2 WHERE id = $1 AND worked_at < $2")
        .bind(case)
        .bind(now)
        .execute()
        .await
        .map(drop)
}

/// Files whose clock has run out by `today`, at most `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn run_out(tx: &mut Tx, today: Day, limit: i64) -> Result<Vec<Uuid>, Error> {
    let from = alive_from(today);
    let rows: Vec<(Uuid,)> = tx
        .query(
            "SELECT id FROM cases WHERE ended_at IS NULL AND worked_at < $1
                 AND (window_until IS NULL OR window_until < $2)
             ORDER BY id LIMIT $3",
        )
        .bind(from)
        .bind(from.as_ms())
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// End the file of `case` if its clock has run out by `today`: destroy its key and its patient, and
/// write the audit entry. Gives whether it did.
///
/// # Errors
///
/// Those of the store.
pub async fn end(tx: &mut Tx, case: Uuid, today: Day) -> Result<bool, Error> {
    let (from, now) = (alive_from(today), tx.now());
    let ended = tx
        .query(
            "UPDATE cases SET key_wrapped = NULL, patient_sealed = NULL, ended_at = $2
             WHERE id = $1 AND ended_at IS NULL AND worked_at < $3
               AND (window_until IS NULL OR window_until < $4)",
        )
        .bind(case)
        .bind(now)
        .bind(from)
        .bind(from.as_ms())
        .execute()
        .await?;
    if ended == 0 {
        return Ok(false);
    }
    let entry = audit::Entry {
        action: "case.ended",
        subject: case.to_string(),
        reason: Some("retention"),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await?;
    Ok(true)
}

/// Cases whose file has ended and has rows left: at most `limit`, by id, after `after`.
///
/// # Errors
///
/// Those of the store.
pub async fn with_leftovers(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = tx
        .query(
            "SELECT c.id FROM cases c WHERE c.ended_at IS NOT NULL AND c.id > $1
                 AND (EXISTS (SELECT 1 FROM case_persons p WHERE p.case_id = c.id)
                      OR EXISTS (SELECT 1 FROM case_contacts k WHERE k.case_id = c.id)
                      OR EXISTS (SELECT 1 FROM case_stays s WHERE s.case_id = c.id))
             ORDER BY c.id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Delete at most `limit` contacts and as many stays of a file that has ended, and the patient's
/// pseudonyms. Gives the rows deleted: none when nothing is left.
///
/// # Errors
///
/// Those of the store.
pub async fn clear(tx: &mut Tx, case: Uuid, limit: i64) -> Result<u64, Error> {
    let contacts = tx
        .query(
            "DELETE FROM case_contacts WHERE case_id = $1 AND entry IN
                 (SELECT entry FROM case_contacts WHERE case_id = $1 ORDER BY entry LIMIT $2)",
        )
        .bind(case)
        .bind(limit)
        .execute()
        .await?;
    let stays = tx
        .query(
            "DELETE FROM case_stays WHERE case_id = $1 AND entry IN
                 (SELECT entry FROM case_stays WHERE case_id = $1 ORDER BY entry LIMIT $2)",
        )
        .bind(case)
        .bind(limit)
        .execute()
        .await?;
    let persons = tx
        .query("DELETE FROM case_persons WHERE case_id = $1")
        .bind(case)
        .execute()
        .await?;
    Ok(contacts + stays + persons)
}
