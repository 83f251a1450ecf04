//! The second factor of an account in the store.
//!
//! The secret is sealed. The last step used is stored, so that a password is good once, and so is
//! each password before it. Whoever gets as far as guessing knows the password already, so five
//! misses in a row close the second factor for a quarter of an hour without giving a stranger the
//! means to lock an officer out.

use uuid::Uuid;

use crate::{
    accounts::totp::TotpSecret,
    base::{Failure, Kind, Random, Timestamp, failure::Result},
    privacy::{KeyRing, Place, audit},
    store::{Error, Tx},
};

/// Misses in a row after which it closes.
const MISSES: i64 = 5;

/// How long it stays closed after the last miss: 15 minutes.
const CLOSED_MS: i64 = 15 * 60 * 1000;

fn place(id: &Uuid) -> Place<'_> {
    Place {
        table: "accounts",
        column: "totp_sealed",
        row: id.as_bytes(),
    }
}

/// What a one-time password that was typed is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It is right, and used up now.
    Right,
    /// It is wrong, or the account has no second factor.
    Wrong,
    /// It was right, but it or a later one was used before.
    Used,
    /// Nothing is looked at for this many seconds.
    Closed(u32),
}

impl Worth {
    /// The failure to answer with; nothing when it is right.
    ///
    /// # Errors
    ///
    /// [`Kind::LoginFailed`], [`Kind::OtpUsed`], [`Kind::TooMany`].
    pub fn judge(self) -> Result<()> {
        match self {
            Self::Right => Ok(()),
            Self::Wrong => Err(Kind::LoginFailed.into()),
            Self::Used => Err(Kind::OtpUsed.into()),
            Self::Closed(seconds) => Err(Failure {
                retry_after: Some(seconds),
                ..Kind::TooMany.into()
            }),
        }
    }
}

/// Give an account a new second factor in place of any it has. The secret is shown once.
///
/// # Errors
///
/// Those of the store.
pub async fn enrol(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    id: Uuid,
) -> Result<TotpSecret, Error> {
    let secret = TotpSecret::new(random);
    let sealed = keys.record().seal(place(&id), secret.bytes(), random);
    tx.query(
        "UPDATE accounts
         SET totp_sealed = $2, totp_step = NULL, totp_misses = 0, totp_missed_at = NULL
         WHERE id = $1",
    )
    .bind(id)
    .bind(sealed)
    .execute()
    .await?;
    Ok(secret)
}

#[derive(sqlx::FromRow)]
struct Row {
    sealed: Option<Vec<u8>>,
    step: Option<i64>,
    misses: i64,
    missed_at: Option<Timestamp>,
}

impl Row {
    /// Seconds for which it is still closed.
    fn closed(&self, now: Timestamp) -> Option<u32> {
        let until = self.missed_at?.plus_ms(CLOSED_MS);
        let left = (until.as_ms() - now.as_ms()).div_euclid(1000) + 1;
        (self.misses >= MISSES && now < until).then(|| u32::try_from(left).unwrap_or(u32::MAX))
    }
}

/// Look at a one-time password and use it up. Run it in [`crate::store::Db::write`], and commit
/// whatever it says: misses are counted.
///
/// # Errors
///
/// [`Failure`] when the secret does not open; those of the store.
pub async fn spend(tx: &mut Tx, keys: &KeyRing, id: Uuid, typed: &str) -> Result<Worth> {
    let row: Option<Row> = tx
        .query(
            "SELECT totp_sealed AS sealed, totp_step AS step, totp_misses AS misses,
                    totp_missed_at AS missed_at
             FROM accounts WHERE id = $1",
        )
        .bind(id)
        .optional()
        .await?;
    let now = tx.now();
    let Some(row) = row else {
        return Ok(Worth::Wrong);
    };
    if let Some(seconds) = row.closed(now) {
        return Ok(Worth::Closed(seconds));
    }
    let Some(sealed) = &row.sealed else {
        return Ok(Worth::Wrong);
    };
    let plain = keys
        .record()
        .open(place(&id), sealed)
        .map_err(Failure::internal)?;
    let secret = TotpSecret::from_slice(&plain).ok_or(Kind::Internal)?;
    match secret.step_of(typed, now) {
        None => {
            miss(tx, id, row.misses + 1).await?;
            Ok(Worth::Wrong)
        }
        Some(step) if row.step.is_some_and(|last| step <= last) => Ok(Worth::Used),
        Some(step) => {
            tx.query(
                "UPDATE accounts SET totp_step = $2, totp_misses = 0, totp_missed_at = NULL
                 WHERE id = $1",
            )
            .bind(id)
            .bind(step)
            .execute()
            .await?;
            Ok(Worth::Right)
        }
    }
}

async fn miss(tx: &mut Tx, id: Uuid, misses: i64) -> Result<(), Error> {
    let now = tx.now();
    tx.query("UPDATE accounts SET totp_misses = $2, totp_missed_at = $3 WHERE id = $1")
        .bind(id)
        .bind(misses)
        .bind(now)
        .execute()
        .await?;
    if misses == MISSES {
        // The password is known to whoever this is: its owner, or somebody else.
        let entry = audit::Entry {
            action: "account.otp_closed",
            subject: id.to_string(),
            ..audit::Entry::default()
        };
        audit::append(tx, entry).await?;
    }
    Ok(())
}
