//! A day's budgets of an officer: lookups made, and people whose names were opened.
//!
//! An account that was taken over, or a curious one, is stopped after a day's worth of work. What is
//! spent is stored, so that neither a restart nor a second node begins anew; days are those of
//! Vietnam. Opening a run once more on the same day costs nothing once all its people are paid for.
//! The operator sets an account's own budgets where the usual ones do not fit. The first refusal of a
//! day is in the audit log.

use uuid::Uuid;

use crate::{
    accounts::Account,
    base::{Failure, Kind, Timestamp, failure::Result},
    privacy::audit,
    store::{Db, Error, Tx},
};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Vietnam's offset from UTC, ms.
const OFFSET_MS: i64 = 7 * 3600 * 1000;

/// What an officer may do on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Lookups, repeated ones included.
    pub lookups: i64,
    /// People whose names are opened, counted by run.
    pub people: i64,
}

/// What an officer has done today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    /// Lookups made.
    pub lookups: i64,
    /// People opened.
    pub people: i64,
    /// What may be done.
    pub budgets: Budgets,
}

/// Days since 1970-01-01 in Vietnam.
const fn local_day(at: Timestamp) -> i64 {
    at.as_ms().saturating_add(OFFSET_MS).div_euclid(DAY_MS)
}

fn spent(now: Timestamp) -> Failure {
    let midnight = (local_day(now) + 1) * DAY_MS - OFFSET_MS;
    let seconds = (midnight - now.as_ms()).div_euclid(1000) + 1;
    Failure {
        retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        ..Kind::BudgetSpent.into()
    }
}

/// What `officer` has done today, and may.
///
/// # Errors
///
/// Those of the store.
pub async fn today(tx: &mut Tx, usual: Budgets, officer: Uuid) -> Result<Today, Error> {
    let day = local_day(tx.now());
    let own: Option<(Option<i64>, Option<i64>)> = tx
        .query("SELECT lookups_per_day, people_per_day FROM accounts WHERE id = $1")
        .bind(officer)
        .optional()
        .await?;
    let (lookups_own, people_own) = own.unwrap_or_default();
    let lookups: Option<(i64,)> = tx
        .query("SELECT lookups FROM budget_days WHERE account_id = $1 AND day = $2")
        .bind(officer)
        .bind(day)
        .optional()
        .await?;
    let (people,): (i64,) = tx
        .query(
            "SELECT CAST(COALESCE(SUM(people), 0) AS BIGINT) FROM budget_runs
             WHERE account_id = $1 AND day = $2",
        )
        .bind(officer)
        .bind(day)
        .one()
        .await?;
    Ok(Today {
        lookups: lookups.map_or(0, |(n,)| n),
        people,
        budgets: Budgets {
            lookups: lookups_own.unwrap_or(usual.lookups),
            people: people_own.unwrap_or(usual.people),
        },
    })
}

/// Fail when no lookup is left of the day; nothing is counted.
///
/// # Errors
///
/// [`Kind::BudgetSpent`]; those of the store.
pub async fn check_lookup(tx: &mut Tx, usual: Budgets, officer: Uuid) -> Result<()> {
    let today = today(tx, usual, officer).await?;
    if today.lookups >= today.budgets.lookups {
        return Err(spent(tx.now()));
    }
    Ok(())
}

/// Count a lookup, in the transaction that stores it.
///
/// # Errors
///
/// As [`check_lookup`].
pub async fn count_lookup(tx: &mut Tx, usual: Budgets, officer: Uuid) -> Result<()> {
    check_lookup(tx, usual, officer).await?;
    let day = local_day(tx.now());
    forget_before(tx, officer, day).await?;
    tx.query(
        "INSERT INTO budget_days (account_id, day, lookups) VALUES ($1, $2, 1)
         ON CONFLICT (account_id, day) DO UPDATE SET lookups = budget_days.lookups + 1",
    )
    .bind(officer)
    .bind(day)
    .execute()
    .await?;
    Ok(())
}

/// Count `people` opened of a run that has `all`, in the transaction of the entry that says so.
///
/// # Errors
///
/// [`Kind::BudgetSpent`]; those of the store.
pub async fn count_people(
    tx: &mut Tx,
    usual: Budgets,
    officer: Uuid,
    run: Uuid,
    people: i64,
    all: i64,
) -> Result<()> {
    let now = tx.now();
    let day = local_day(now);
    let today = today(tx, usual, officer).await?;
    let before: Option<(i64,)> = tx
        .query("SELECT people FROM budget_runs WHERE account_id = $1 AND day = $2 AND run_id = $3")
        .bind(officer)
        .bind(day)
        .bind(run)
        .optional()
        .await?;
    let before = before.map_or(0, |(n,)| n);
    let paid = before.saturating_add(people).min(all.max(before));
    if today.people - before + paid > today.budgets.people {
        return Err(spent(now));
    }
    forget_before(tx, officer, day).await?;
    tx.query(
        "INSERT INTO budget_runs (account_id, day, run_id, people) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, day, run_id) DO UPDATE SET people = excluded.people",
    )
    .bind(officer)
    .bind(day)
    .bind(run)
    .bind(paid)
    .execute()
    .await?;
    Ok(())
}

/// What an officer spent on other days is of no use any more.
async fn forget_before(tx: &mut Tx, officer: Uuid, day: i64) -> Result<(), Error> {
    tx.query("DELETE FROM budget_days WHERE account_id = $1 AND day < $2")
        .bind(officer)
        .bind(day)
        .execute()
        .await?;
    tx.query("DELETE FROM budget_runs WHERE account_id = $1 AND day < $2")
        .bind(officer)
        .bind(day)
        .execute()
        .await?;
    Ok(())
}

/// Pass an outcome on; that a budget was spent goes into the audit log, once a day and officer.
///
/// # Errors
///
/// That of the outcome; those of the store.
pub async fn noted<T>(db: &Db, officer: &Account, outcome: Result<T>) -> Result<T> {
    if let Err(failure) = &outcome
        && failure.kind == Kind::BudgetSpent
    {
        db.write(async |tx| note_refusal(tx, officer.id).await)
            .await?;
    }
    outcome
}

async fn note_refusal(tx: &mut Tx, officer: Uuid) -> Result<(), Error> {
    let now = tx.now();
    let day = local_day(now);
    let noted: Option<(Option<Timestamp>,)> = tx
        .query("SELECT refused_at FROM budget_days WHERE account_id = $1 AND day = $2")
        .bind(officer)
        .bind(day)
        .optional()
        .await?;
    if noted.is_some_and(|(at,)| at.is_some()) {
        return Ok(());
    }
    tx.query(
        "INSERT INTO budget_days (account_id, day, lookups, refused_at) VALUES ($1, $2, 0, $3)
         ON CONFLICT (account_id, day) DO UPDATE SET refused_at = excluded.refused_at",
    )
    .bind(officer)
    .bind(day)
    .bind(now)
    .execute()
    .await?;
    let entry = audit::Entry {
        actor: Some(officer),
        action: "lookup.budget_spent",
        subject: officer.to_string(),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// Give an account budgets of its own; `None` is the usual one.
///
/// # Errors
///
/// Those of the store.
pub async fn set(
    tx: &mut Tx,
    account: Uuid,
    lookups: Option<i64>,
    people: Option<i64>,
) -> Result<(), Error> {
    tx.query("UPDATE accounts SET lookups_per_day = $2, people_per_day = $3 WHERE id = $1")
        .bind(account)
        .bind(lookups)
        .bind(people)
        .execute()
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_vietnam() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let last = at("2026-11-18T16:59:59.999Z");
        let first = at("2026-11-18T17:00:00Z");
        assert_eq!(local_day(last) + 1, local_day(first));
        assert_eq!(spent(last).retry_after, Some(1));
        assert_eq!(spent(first).retry_after, Some(24 * 3600 + 1));
        assert_eq!(spent(first).kind, Kind::BudgetSpent);
    }
}
