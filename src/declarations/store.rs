//! The SQL of declarations. Everything here adds rows and reads nothing, so it runs in
//! [`crate::store::Db::append`].

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Person, QUESTIONNAIRE, Sealed};
use crate::{
    base::Code,
    identity::PersonId,
    store::{Engine, Error, Packed, Sql, Tx, places},
};

/// A declaration as it is stored.
#[derive(Clone, Debug)]
pub struct Row {
    /// Whose it is.
    pub person: Person,
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Contact details and answers.
    pub sealed: Sealed,
    /// A [`super::Risk`], or [`super::UNDECLARED`].
    pub risk: &'static str,
    /// Today's code of the province of residence.
    pub province: Option<String>,
    /// The version of the consent text; empty when nobody was asked.
    pub consent_version: &'static str,
}

/// A personal code as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Whose it is.
    pub person: Person,
    /// [`hash_code`] of the code.
    pub code_hash: [u8; 32],
}

/// What is stored of a personal code: its SHA-256. A code is 128 random bits, so that nobody finds
/// it by trying.
#[must_use]
pub fn hash_code(code: Code) -> [u8; 32] {
    Sha256::digest(code.bytes()).into()
}

/// Width of a row for SQLite: person 16, id 16, then place and length of contact (10, 6) and of
/// answers (10, 6) in `$4`, risk 12, province 4, consent 12.
const WIDTH: usize = 92;

const INSERT: Sql = Sql::split(
    "INSERT INTO declarations
         (person_id, id, contact_sealed, answers_sealed, risk, province, questionnaire, consent_version)
     SELECT u.person_id, u.id, u.contact, u.answers, u.risk, u.province, $1::text, u.consent
     FROM UNNEST($2::bytea[], $3::uuid[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[])
          AS u (person_id, id, contact, answers, risk, province, consent)
     ON CONFLICT (id, person_id) DO NOTHING",
    "INSERT INTO declarations
         (person_id, id, contact_sealed, answers_sealed, risk, province, questionnaire, consent_version)
     SELECT substr($3, j.value, 16), substr($3, j.value + 16, 16),
            substr($4, CAST(substr($3, j.value + 32, 10) AS INTEGER),
                   CAST(substr($3, j.value + 42, 6) AS INTEGER)),
            substr($4, CAST(substr($3, j.value + 48, 10) AS INTEGER),
                   CAST(substr($3, j.value + 58, 6) AS INTEGER)),
            rtrim(CAST(substr($3, j.value + 64, 12) AS TEXT)),
            NULLIF(rtrim(CAST(substr($3, j.value + 76, 4) AS TEXT)), ''),
            $1,
            rtrim(CAST(substr($3, j.value + 80, 12) AS TEXT))
     FROM json_each($2) AS j
     WHERE true
     ON CONFLICT (id, person_id) DO NOTHING",
);

/// Store `rows` that are not there yet, and say how many were new.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(tx: &mut Tx, rows: &[&Row]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    match tx.engine() {
        Engine::Postgres => insert_postgres(tx, rows).await,
        Engine::Sqlite => insert_sqlite(tx, rows).await,
    }
}

async fn insert_postgres(tx: &mut Tx, rows: &[&Row]) -> Result<u64, Error> {
    let mut people = Vec::with_capacity(rows.len());
    let mut ids = Vec::with_capacity(rows.len());
    let mut contacts = Vec::with_capacity(rows.len());
    let mut answers = Vec::with_capacity(rows.len());
    let mut risks = Vec::with_capacity(rows.len());
    let mut provinces = Vec::with_capacity(rows.len());
    let mut consents = Vec::with_capacity(rows.len());
    for row in rows {
        people.push(row.person.id.as_bytes().to_vec());
        ids.push(row.id);
        contacts.push(row.sealed.contact.clone());
        answers.push(row.sealed.answers.clone());
        risks.push(row.risk);
        provinces.push(row.province.clone());
        consents.push(row.consent_version);
    }
    tx.query(INSERT)
        .bind(QUESTIONNAIRE)
        .bind_postgres(people)
        .bind_postgres(ids)
        .bind_postgres(contacts)
        .bind_postgres(answers)
        .bind_postgres(risks)
        .bind_postgres(provinces)
        .bind_postgres(consents)
        .execute()
        .await
}

async fn insert_sqlite(tx: &mut Tx, rows: &[&Row]) -> Result<u64, Error> {
    let mut packed = Packed::with_capacity(rows.len(), WIDTH);
    let mut sealed = Packed::default();
    for row in rows {
        packed.add(row.person.id.as_bytes());
        packed.add(row.id.as_bytes());
        for column in [&row.sealed.contact, &row.sealed.answers] {
            packed.digits(sealed.add(column), 10);
            packed.digits(column.len(), 6);
        }
        packed.word(row.risk, 12);
        packed.word(row.province.as_deref().unwrap_or_default(), 4);
        packed.word(row.consent_version, 12);
    }
    tx.query(INSERT)
        .bind(QUESTIONNAIRE)
        .bind_sqlite(places(rows.len(), WIDTH))
        .bind_sqlite(packed.into_bytes())
        .bind_sqlite(sealed.into_bytes())
        .execute()
        .await
}

/// The risk of a stored declaration.
///
/// # Errors
///
/// Those of the database.
pub async fn risk(tx: &mut Tx, person: PersonId, id: Uuid) -> Result<Option<String>, Error> {
    let found: Option<(String,)> = tx
        .query("SELECT risk FROM declarations WHERE id = $1 AND person_id = $2")
        .bind(id)
        .bind(person.as_bytes().to_vec())
        .optional()
        .await?;
    Ok(found.map(|(risk,)| risk))
}

const INSERT_ALIASES: Sql = Sql::split(
    "INSERT INTO person_aliases (alias, person_id)
     SELECT u.alias, u.person_id FROM UNNEST($1::bytea[], $2::bytea[]) AS u (alias, person_id)
     ON CONFLICT (alias) DO NOTHING",
    "INSERT INTO person_aliases (alias, person_id)
     SELECT substr($2, j.value, 16), substr($2, j.value + 16, 16)
     FROM json_each($1) AS j
     WHERE true
     ON CONFLICT (alias) DO NOTHING",
);

/// Store the other pseudonyms of `people`. The first owner of an alias stays.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_aliases(
    tx: &mut Tx,
    people: impl IntoIterator<Item = Person>,
) -> Result<(), Error> {
    let mut pairs: Vec<([u8; 16], [u8; 16])> = people
        .into_iter()
        .filter_map(|person| Some((*person.alias?.as_bytes(), *person.id.as_bytes())))
        .collect();
    // One order for all writers, so that two of them never wait for each other.
    pairs.sort_unstable();
    pairs.dedup_by_key(|(alias, _)| *alias);
    if pairs.is_empty() {
        return Ok(());
    }
    let packed: Vec<u8> = pairs.iter().flat_map(|(a, p)| [*a, *p]).flatten().collect();
    let (aliases, owners): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .map(|(alias, owner)| (alias.to_vec(), owner.to_vec()))
        .unzip();
    tx.query(INSERT_ALIASES)
        .bind_sqlite(places(aliases.len(), 32))
        .bind_sqlite(packed)
        .bind_postgres(aliases)
        .bind_postgres(owners)
        .execute()
        .await
        .map(drop)
}

/// Issue `passes`. Each code is new, so a code that is there already is an error.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_passes(tx: &mut Tx, passes: &[Pass]) -> Result<(), Error> {
    for pass in passes {
        let now = tx.now();
        tx.query("INSERT INTO passes (code_hash, person_id, issued_at) VALUES ($1, $2, $3)")
            .bind(pass.code_hash.to_vec())
            .bind(pass.person.id.as_bytes().to_vec())
            .bind(now)
            .execute()
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::declarations::{CONSENT_VERSIONS, Risk, UNDECLARED};

    #[test]
    fn words_fit_their_fields() {
        let risks = [Risk::Clear, Risk::Caution, Risk::Stop].map(Risk::as_str);
        let words = risks
            .into_iter()
            .chain([UNDECLARED])
            .chain(CONSENT_VERSIONS);
        assert!(words.map(str::len).all(|length| (1..=12).contains(&length)));
    }
}
