//! Accounts in the store.

use uuid::Uuid;

use crate::{
    accounts::{Account, Login, Role},
    base::{Failure, Random, ids},
    privacy::{KeyRing, Place},
    store::{Error, Tx},
};

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// Its login.
    pub login: Login,
    /// Its role.
    pub role: Role,
    /// Code of its province, of today's catalogue; `None` for the whole country.
    pub province: Option<String>,
    /// Its password, hashed.
    pub password_hash: String,
}

fn place(id: &Uuid) -> Place<'_> {
    Place {
        table: "accounts",
        column: "login_sealed",
        row: id.as_bytes(),
    }
}

/// Make an account.
///
/// # Errors
///
/// [`Error::Conflict`] when the login is taken; those of the store.
pub async fn create(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    new: &NewAccount,
) -> Result<Account, Error> {
    let id = ids::v4(random);
    let sealed = keys
        .record()
        .seal(place(&id), new.login.text().as_bytes(), random);
    let now = tx.now();
    let made = tx
        .query(
            "INSERT INTO accounts
                 (id, login_hash, login_sealed, role, province, password_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (login_hash) DO NOTHING",
        )
        .bind(id)
        .bind(new.login.hash(keys.record()))
        .bind(sealed)
        .bind(new.role.name())
        .bind(new.province.clone())
        .bind(new.password_hash.clone())
        .bind(now)
        .execute()
        .await?;
    if made == 0 {
        return Err(Error::Conflict);
    }
    Ok(Account {
        id,
        role: new.role,
        province: new.province.clone(),
    })
}

/// The account of `login` and its password hash, if it may log in.
///
/// # Errors
///
/// Those of the store.
pub async fn find_login(
    tx: &mut Tx,
    keys: &KeyRing,
    login: &Login,
) -> Result<Option<(Account, String)>, Error> {
    let row: Option<(Uuid, String, Option<String>, String)> = tx
        .query(
            "SELECT id, role, province, password_hash FROM accounts
             WHERE login_hash = $1 AND disabled_at IS NULL",
        )
        .bind(login.hash(keys.record()))
        .optional()
        .await?;
    Ok(row.and_then(|(id, role, province, hash)| {
        let role = Role::parse(&role)?;
        Some((Account { id, role, province }, hash))
    }))
}

/// The login of an account, for its owner's eyes.
///
/// # Errors
///
/// Those of the store; [`Failure`] when it does not open.
pub async fn login_of(tx: &mut Tx, keys: &KeyRing, id: Uuid) -> Result<String, Failure> {
    let (sealed,): (Vec<u8>,) = tx
        .query("SELECT login_sealed FROM accounts WHERE id = $1")
        .bind(id)
        .one()
        .await?;
    let plain = keys
        .record()
        .open(place(&id), &sealed)
        .map_err(Failure::internal)?;
    Ok(String::from_utf8_lossy(&plain).into_owned())
}

/// The password hash of an account, for another proof in a session that is open.
///
/// # Errors
///
/// Those of the store.
pub async fn password_hash_of(tx: &mut Tx, id: Uuid) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx
        .query("SELECT password_hash FROM accounts WHERE id = $1 AND disabled_at IS NULL")
        .bind(id)
        .optional()
        .await?;
    Ok(row.map(|(hash,)| hash))
}

/// Replace the password of an account.
///
/// # Errors
///
/// Those of the store.
pub async fn set_password_hash(tx: &mut Tx, id: Uuid, hash: String) -> Result<bool, Error> {
    tx.query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
        .bind(id)
        .bind(hash)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Whether there is no account at all.
///
/// # Errors
///
/// Those of the store.
pub async fn is_empty(tx: &mut Tx) -> Result<bool, Error> {
    let any: Option<(Uuid,)> = tx
        .query("SELECT id FROM accounts LIMIT 1")
        .optional()
        .await?;
    Ok(any.is_none())
}
