//! Sessions: an opaque cookie for browsers, a family of tokens for programs.
//!
//! Of every secret only its SHA-256 is stored. A program's login opens a *family*: one refresh
//! token at a time, each good once, and short access tokens (JWT) that name the family. A refresh
//! token that comes back a second time was stolen from one side or the other, so the whole family
//! ends.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    accounts::{Account, Role},
    base::{Random, Timestamp, ids},
    privacy::{KeyRing, jwt::Signer},
    store::{Error, Tx},
};

/// Seconds an access token is good for.
pub const ACCESS_SECONDS: i64 = 600;

/// Longest life of a family, in milliseconds: 30 days.
pub const REFRESH_MAX_MS: i64 = 30 * 24 * 3600 * 1000;

/// A browser session ends after this long without a request: 2 hours.
pub const BROWSER_IDLE_MS: i64 = 2 * 3600 * 1000;

/// Longest life of a browser session: 12 hours, a shift.
pub const BROWSER_MAX_MS: i64 = 12 * 3600 * 1000;

/// How long a proof (a login, or a one-time password since) stays fresh: 15 minutes.
pub const PROOF_MS: i64 = 15 * 60 * 1000;

/// How long a request may go by without the session's last use being written again: a minute.
const SEEN_GRAIN_MS: i64 = 60 * 1000;

/// A secret that is handed out once: 256 random bits in hexadecimal.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    fn new(random: &Random) -> Self {
        Self(hex(&random.bytes::<32>()))
    }

    /// One that begins with the session's id: what is bound to the session stays bound when the
    /// secret is replaced.
    fn of(family: Uuid, random: &Random) -> Self {
        Self(format!("{}{}", family.simple(), Self::new(random).0))
    }

    /// The text, for the one answer that carries it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Signs and reads access tokens.
#[derive(Debug)]
pub struct AccessTokens(Signer);

/// What an access token says.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Access {
    sub: Uuid,
    fam: Uuid,
}

impl AccessTokens {
    /// A signer with a key of its own from the ring.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        Self(Signer::new("access", keys.token()))
    }

    /// An access token for `account` in `family`, good for [`ACCESS_SECONDS`].
    #[must_use]
    pub fn sign(&self, account: Uuid, family: Uuid, now: Timestamp) -> String {
        let body = Access {
            sub: account,
            fam: family,
        };
        self.0.sign(body, now, ACCESS_SECONDS)
    }

    /// The account and family that `token` names, if it is good at `now`.
    #[must_use]
    pub fn read(&self, token: &str, now: Timestamp) -> Option<(Uuid, Uuid)> {
        self.0
            .read::<Access>(token, now)
            .map(|token| (token.body.sub, token.body.fam))
    }
}

struct NewSession<'a> {
    secret: &'a Secret,
    family: Uuid,
    kind: &'static str,
    account: Uuid,
    expires_at: Timestamp,
    proved_at: Timestamp,
}

async fn insert(tx: &mut Tx, new: NewSession<'_>) -> Result<(), Error> {
    let now = tx.now();
    tx.query(
        "INSERT INTO sessions (id_hash, family, kind, account_id, created_at, seen_at, expires_at,
                               proved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(hash(new.secret.text()))
    .bind(new.family)
    .bind(new.kind)
    .bind(new.account)
    .bind(now)
    .bind(now)
    .bind(new.expires_at)
    .bind(new.proved_at)
    .execute()
    .await
    .map(drop)
}

/// Open a browser session after a proof; its secret goes into the cookie.
pub async fn open_browser(tx: &mut Tx, account: Uuid, random: &Random) -> Result<Secret, Error> {
    let family = ids::v4(random);
    let secret = Secret::of(family, random);
    let now = tx.now();
    let new = NewSession {
        secret: &secret,
        family,
        kind: "browser",
        account,
        expires_at: now.plus_ms(BROWSER_MAX_MS),
        proved_at: now,
    };
    insert(tx, new).await?;
    Ok(secret)
}

/// Open a family for a program after a proof: its id, and the first refresh token.
pub async fn open_family(
    tx: &mut Tx,
    account: Uuid,
    random: &Random,
) -> Result<(Uuid, Secret), Error> {
    let family = ids::v4(random);
    let secret = Secret::new(random);
    let now = tx.now();
    let new = NewSession {
        secret: &secret,
        family,
        kind: "refresh",
        account,
        expires_at: now.plus_ms(REFRESH_MAX_MS),
        proved_at: now,
    };
    insert(tx, new).await?;
    Ok((family, secret))
}

/// Note that the session's account has proved itself again now.
pub async fn proved(tx: &mut Tx, family: Uuid) -> Result<u64, Error> {
    let now = tx.now();
    tx.query("UPDATE sessions SET proved_at = $2 WHERE family = $1")
        .bind(family)
        .bind(now)
        .execute()
        .await
}

/// As [`proved`] for a browser's session, which gets a new secret: whoever copied the old cookie does
/// not share in the proof.
pub async fn renew(tx: &mut Tx, family: Uuid, random: &Random) -> Result<Secret, Error> {
    let secret = Secret::of(family, random);
    let now = tx.now();
    tx.query(
        "UPDATE sessions SET id_hash = $2, proved_at = $3, seen_at = $3
         WHERE family = $1 AND kind = 'browser'",
    )
    .bind(family)
    .bind(hash(secret.text()))
    .bind(now)
    .execute()
    .await?;
    Ok(secret)
}

#[derive(sqlx::FromRow)]
struct Row {
    family: Uuid,
    account_id: Uuid,
    seen_at: Timestamp,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    proved_at: Timestamp,
    role: String,
    province: Option<String>,
}

impl Row {
    fn account(&self) -> Option<Account> {
        Some(Account {
            id: self.account_id,
            role: Role::parse(&self.role)?,
            province: self.province.clone(),
        })
    }
}

async fn by_secret(tx: &mut Tx, secret: &str, kind: &'static str) -> Result<Option<Row>, Error> {
    tx.query(
        "SELECT s.family, s.account_id, s.seen_at, s.expires_at, s.used_at, s.proved_at, a.role,
                a.province
         FROM sessions s JOIN accounts a ON a.id = s.account_id
         WHERE s.id_hash = $1 AND s.kind = $2 AND a.disabled_at IS NULL",
    )
    .bind(hash(secret))
    .bind(kind)
    .optional()
    .await
}

/// Exchange a refresh token for the next one: the account, its family and the new token. `None`
/// when it is not good; when it was used before, the family ends.
pub async fn refresh(
    tx: &mut Tx,
    token: &str,
    random: &Random,
) -> Result<Option<(Account, Uuid, Secret)>, Error> {
    let now = tx.now();
    let Some(row) = by_secret(tx, token, "refresh").await? else {
        return Ok(None);
    };
    if row.used_at.is_some() {
        end_family(tx, row.family).await?;
        return Ok(None);
    }
    let Some(account) = row.account().filter(|_| now < row.expires_at) else {
        return Ok(None);
    };
    tx.query("UPDATE sessions SET used_at = $2 WHERE id_hash = $1")
        .bind(hash(token))
        .bind(now)
        .execute()
        .await?;
    let secret = Secret::new(random);
    let new = NewSession {
        secret: &secret,
        family: row.family,
        kind: "refresh",
        account: account.id,
        expires_at: row.expires_at,
        proved_at: row.proved_at,
    };
    insert(tx, new).await?;
    Ok(Some((account, row.family, secret)))
}

/// A session that has not ended, and whose it is.
#[derive(Clone, Debug)]
pub struct Alive {
    /// The account, with the role it has now.
    pub account: Account,
    /// The session.
    pub family: Uuid,
    /// When the account last proved itself in it.
    pub proved_at: Timestamp,
    /// Whether [`touch`] is due: the last use was written more than a minute ago.
    pub touch_due: bool,
}

impl Alive {
    /// Whether the last proof is fresh at `now`.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.proved_at.plus_ms(PROOF_MS)
    }
}

/// The account behind an access token's family, if the family has not ended.
pub async fn account_of_access(
    tx: &mut Tx,
    account: Uuid,
    family: Uuid,
) -> Result<Option<Alive>, Error> {
    let now = tx.now();
    let row: Option<(Uuid, String, Option<String>, Timestamp)> = tx
        .query(
            "SELECT a.id, a.role, a.province, s.proved_at
             FROM sessions s JOIN accounts a ON a.id = s.account_id
             WHERE s.family = $1 AND s.account_id = $2 AND s.expires_at > $3
               AND a.disabled_at IS NULL
             LIMIT 1",
        )
        .bind(family)
        .bind(account)
        .bind(now)
        .optional()
        .await?;
    Ok(row.and_then(|(id, role, province, proved_at)| {
        let role = Role::parse(&role)?;
        Some(Alive {
            account: Account { id, role, province },
            family,
            proved_at,
            touch_due: false,
        })
    }))
}

/// The session behind a browser's cookie.
pub async fn account_of_browser(tx: &mut Tx, secret: &str) -> Result<Option<Alive>, Error> {
    let now = tx.now();
    let row = by_secret(tx, secret, "browser").await?;
    Ok(row.and_then(|row| {
        let alive = now < row.expires_at && now < row.seen_at.plus_ms(BROWSER_IDLE_MS);
        Some(Alive {
            account: row.account().filter(|_| alive)?,
            family: row.family,
            proved_at: row.proved_at,
            touch_due: row.seen_at.plus_ms(SEEN_GRAIN_MS) < now,
        })
    }))
}

/// End the browser session of this cookie, whoever's it is.
pub async fn end_browser(tx: &mut Tx, secret: &str) -> Result<u64, Error> {
    tx.query("DELETE FROM sessions WHERE id_hash = $1 AND kind = 'browser'")
        .bind(hash(secret))
        .execute()
        .await
}

/// End a family or a browser session, on the server.
pub async fn end_family(tx: &mut Tx, family: Uuid) -> Result<u64, Error> {
    tx.query("DELETE FROM sessions WHERE family = $1")
        .bind(family)
        .execute()
        .await
}

/// Note that a browser session was used now.
pub async fn touch(tx: &mut Tx, family: Uuid) -> Result<u64, Error> {
    let now = tx.now();
    tx.query("UPDATE sessions SET seen_at = $2 WHERE family = $1")
        .bind(family)
        .bind(now)
        .execute()
        .await
}

/// End every session of an account.
pub async fn end_all(tx: &mut Tx, account: Uuid) -> Result<u64, Error> {
    tx.query(
        "DELETE FROM sessions WHERE id_hash IN
             (SELECT id_hash FROM sessions WHERE account_id = $1)",
    )
    .bind(account)
    .execute()
    .await
}

/// Delete at most `limit` sessions that have ended, and count them.
pub async fn sweep(tx: &mut Tx, limit: i64) -> Result<u64, Error> {
    let now = tx.now();
    tx.query(
        "DELETE FROM sessions WHERE id_hash IN
             (SELECT id_hash FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    )
    .bind(now)
    .bind(limit)
    .execute()
    .await
}
