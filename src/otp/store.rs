//! Codes in the store.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::{GOOD_FOR_MS, Purpose, TRIES, budget};
use crate::{
    base::{Day, Random, Timestamp},
    identity::Phone,
    messages::{Language, Message, Pin, Template, outbox},
    privacy::{KeyRing, Place},
    store::{Error, Tx},
};

/// A code that somebody asks for. That the form's token is good, and that its puzzle was solved, has
/// been checked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What for.
    pub purpose: Purpose,
    /// The form's token, as text.
    pub token: &'a str,
    /// What names the browser.
    pub binding: &'a str,
    /// The number.
    pub phone: &'a Phone,
    /// The language of the message.
    pub language: Language,
    /// Messages that the whole service sends in one UTC day at most.
    pub daily_limit: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A code is on its way.
    Sent,
    /// The form was used before.
    Used,
    /// The number was sent codes enough; another one after so many seconds.
    Wait(i64),
    /// The service has sent what it sends in a day.
    Spent,
}

/// What a code that came back is worth.
#[derive(Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is right: this number is the caller's.
    Right(Phone),
    /// It is not, and so many tries are left.
    Wrong(i64),
    /// There is no code any more, or none for this browser: used, too old, tried too often.
    Gone,
}

impl std::fmt::Debug for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Right(_) => f.write_str("Right(***)"),
            Self::Wrong(left) => write!(f, "Wrong({left})"),
            Self::Gone => f.write_str("Gone"),
        }
    }
}

fn sha(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Six digits are guessed in no time, so their hash is keyed.
fn hash_code(keys: &KeyRing, token_hash: &[u8; 32], digits: &str) -> [u8; 32] {
    let parts: [&[u8]; 3] = [b"otp-code", token_hash, digits.as_bytes()];
    keys.token().mac(&parts)
}

/// So is that of a number.
fn hash_number(keys: &KeyRing, phone: &Phone) -> Vec<u8> {
    let parts: [&[u8]; 2] = [b"otp-number", phone.e164().as_bytes()];
    keys.token().mac(&parts).to_vec()
}

fn place(token_hash: &[u8; 32]) -> Place<'_> {
    Place {
        table: "otp_codes",
        column: "phone_sealed",
        row: token_hash,
    }
}

/// Send a code, unless that is too much. Run it in [`crate::store::Db::write`].
///
/// # Errors
///
/// Those of the store.
pub async fn ask(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    ask: Ask<'_>,
) -> Result<Asked, Error> {
    let now = tx.now();
    let token_hash = sha(ask.token);
    let number_hash = hash_number(keys, ask.phone);
    let known: Option<(i64,)> = tx
        .query("SELECT tries FROM otp_codes WHERE token_hash = $1")
        .bind(token_hash.to_vec())
        .optional()
        .await?;
    if known.is_some() {
        return Ok(Asked::Used);
    }
    let (most, span) = budget::LONG;
    let sent: Vec<(Timestamp,)> = tx
        .query(
            "SELECT created_at FROM otp_codes WHERE number_hash = $1 AND created_at > $2
             ORDER BY created_at DESC LIMIT $3",
        )
        .bind(number_hash.clone())
        .bind(now.plus_ms(-span))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .all()
        .await?;
    let sent: Vec<Timestamp> = sent.into_iter().map(|(at,)| at).collect();
    if let Some(wait) = budget::wait_ms(&sent, now) {
        return Ok(Asked::Wait(wait / 1000 + 1));
    }
    if !spend(tx, ask.daily_limit).await? {
        return Ok(Asked::Spent);
    }
    let pin = Pin::new(random);
    let expires_at = now.plus_ms(GOOD_FOR_MS);
    let sealed = keys
        .record()
        .seal(place(&token_hash), ask.phone.e164().as_bytes(), random);
    tx.query(
        "INSERT INTO otp_codes (token_hash, purpose, binding_hash, number_hash, phone_sealed,
                                code_hash, tries, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
    )
    .bind(token_hash.to_vec())
    .bind(ask.purpose.as_str())
    .bind(sha(ask.binding).to_vec())
    .bind(number_hash)
    .bind(sealed)
    .bind(hash_code(keys, &token_hash, &pin.digits()).to_vec())
    .bind(now)
    .bind(expires_at)
    .execute()
    .await?;
    let message = Message {
        to: ask.phone.clone(),
        language: ask.language,
        template: Template::Code { pin },
    };
    outbox::put(tx, keys, random, &message, Some(expires_at)).await?;
    Ok(Asked::Sent)
}

/// Count one message of today, unless today's are all sent.
async fn spend(tx: &mut Tx, daily_limit: u32) -> Result<bool, Error> {
    let today = Day::of(tx.now());
    if daily_limit == 0 {
        return Ok(false);
    }
    let counted: Option<(i64,)> = tx
        .query(
            "INSERT INTO message_days (day, sent) VALUES ($1, 1)
             ON CONFLICT (day) DO UPDATE SET sent = message_days.sent + 1
             WHERE message_days.sent < $2
             RETURNING sent",
        )
        .bind(i64::from(today.number()))
        .bind(i64::from(daily_limit))
        .optional()
        .await?;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    match counted {
        Some((sent,)) => metrics::gauge!("sms_spend_today").set(sent as f64),
        None => metrics::counter!("sms_refused_total").increment(1),
    }
    Ok(counted.is_some())
}

/// Judge `digits` that came back with a form. Each call is a try; a right code is good once. Run it in
/// [`crate::store::Db::write`].
///
/// # Errors
///
/// Those of the store.
pub async fn verify(
    tx: &mut Tx,
    keys: &KeyRing,
    purpose: Purpose,
    token: &str,
    binding: &str,
    digits: &str,
) -> Result<Verdict, Error> {
    let now = tx.now();
    let token_hash = sha(token);
    // A try from another browser is none, so that nobody can use up another's.
    let row: Option<(Vec<u8>, Option<Vec<u8>>, i64)> = tx
        .query(
            "UPDATE otp_codes SET tries = tries + 1
             WHERE token_hash = $1 AND purpose = $2 AND binding_hash = $3
               AND used_at IS NULL AND expires_at > $4 AND tries < $5
             RETURNING code_hash, phone_sealed, tries",
        )
        .bind(token_hash.to_vec())
        .bind(purpose.as_str())
        .bind(sha(binding).to_vec())
        .bind(now)
        .bind(TRIES)
        .optional()
        .await?;
    let Some((code_hash, Some(sealed), tries)) = row else {
        return Ok(Verdict::Gone);
    };
    let given = hash_code(keys, &token_hash, digits);
    if !bool::from(given.as_slice().ct_eq(&code_hash)) {
        return Ok(Verdict::Wrong(TRIES - tries));
    }
    tx.query("UPDATE otp_codes SET used_at = $2, phone_sealed = NULL WHERE token_hash = $1")
        .bind(token_hash.to_vec())
        .bind(now)
        .execute()
        .await?;
    let phone = keys
        .record()
        .open(place(&token_hash), &sealed)
        .ok()
        .and_then(|plain| Phone::parse(std::str::from_utf8(&plain).ok()?).ok());
    Ok(phone.map_or(Verdict::Gone, Verdict::Right))
}

/// Wipe numbers of codes that are not good any more, and forget codes that count for no budget.
///
/// # Errors
///
/// Those of the store.
pub async fn sweep(tx: &mut Tx) -> Result<u64, Error> {
    let now = tx.now();
    let before = now.plus_ms(-budget::LONG.1);
    let gone = tx
        .query("DELETE FROM otp_codes WHERE created_at <= $1")
        .bind(before)
        .execute()
        .await?;
    tx.query(
        "UPDATE otp_codes SET phone_sealed = NULL
         WHERE created_at <= $1 AND phone_sealed IS NOT NULL",
    )
    .bind(now.plus_ms(-GOOD_FOR_MS))
    .execute()
    .await?;
    tx.query("DELETE FROM message_days WHERE day < $1")
        .bind(i64::from(Day::of(now).number()) - 40)
        .execute()
        .await?;
    Ok(gone)
}
