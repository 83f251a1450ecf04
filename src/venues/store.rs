//! Venues in the store.
//!
//! What is missing and what is somebody else's are answered alike, because the owner stands in every
//! `WHERE`.

use uuid::Uuid;

use crate::{
    accounts::{self, Account, Login, NewAccount, Role},
    base::{Kind, Random, failure::Result, ids},
    privacy::KeyRing,
    store::{Error, Tx},
    venues::{
        Contact, Venue, VenueDraft,
        rows::{VenueRow, contact_place, open, seal},
    },
};

/// Register a venue and the account of its owner, whose login is the contact's number. Run it in
/// [`crate::store::Db::write`].
///
/// # Errors
///
/// [`Kind::Conflict`] when the number has an account already; those of the store.
pub async fn register(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    draft: &VenueDraft,
    password_hash: &str,
) -> Result<(Venue, Account)> {
    let new = NewAccount {
        login: Login::of_phone(&draft.phone),
        role: Role::VenueOwner,
        province: None,
        password_hash: password_hash.to_owned(),
    };
    let account = accounts::create(tx, keys, random, &new).await?;
    let venue = add_venue(tx, keys, random, account.id, draft).await?;
    Ok((venue, account))
}

/// Add a venue to an account that is there already.
///
/// # Errors
///
/// Those of the store.
pub async fn add_venue(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    owner: Uuid,
    draft: &VenueDraft,
) -> Result<Venue, Error> {
    let public_id = ids::v4(random);
    let contact = Contact {
        name: draft.contact_name.as_str().to_owned(),
        phone: draft.phone.e164().to_owned(),
    };
    let sealed = seal(keys, random, contact_place(&public_id), &contact);
    let now = tx.now();
    tx.query(
        "INSERT INTO venues
             (public_id, owner_id, name, kind, catalogue, province, ward, street, contact_sealed,
              created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         RETURNING id, public_id, owner_id, name, kind, catalogue, province, ward, street,
                   created_at",
    )
    .bind(public_id)
    .bind(owner)
    .bind(draft.name.clone())
    .bind(draft.kind.as_str())
    .bind(draft.address.catalogue.id())
    .bind(draft.address.province.to_string())
    .bind(draft.address.ward.to_string())
    .bind(draft.address.street.to_string())
    .bind(sealed)
    .bind(now)
    .one::<VenueRow>()
    .await
    .map(Venue::from)
}

/// The venues of an account in the order of their making: at most `limit`, after the venue `after`.
///
/// # Errors
///
/// Those of the store.
pub async fn venues_of(
    tx: &mut Tx,
    owner: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Venue>, Error> {
    let rows: Vec<VenueRow> = tx
        .query(
            "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
                    v.street, v.created_at
             FROM venues v
             WHERE v.owner_id = $1
               AND v.id > COALESCE((SELECT a.id FROM venues a WHERE a.public_id = $2), 0)
             ORDER BY v.id LIMIT $3",
        )
        .bind(owner)
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(Venue::from).collect())
}

/// A venue of this account.
///
/// # Errors
///
/// [`Kind::NotFound`] when there is none, or it is somebody else's.
pub async fn own_venue(tx: &mut Tx, owner: Uuid, venue: Uuid) -> Result<Venue> {
    let row: Option<VenueRow> = tx
        .query(
            "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
                    v.street, v.created_at
             FROM venues v WHERE v.public_id = $1 AND v.owner_id = $2",
        )
        .bind(venue)
        .bind(owner)
        .optional()
        .await?;
    row.map(Venue::from).ok_or_else(|| Kind::NotFound.into())
}

pub(super) async fn by_id(tx: &mut Tx, id: i64) -> Result<Venue, Error> {
    tx.query(
        "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
                v.street, v.created_at
         FROM venues v WHERE v.id = $1",
    )
    .bind(id)
    .one::<VenueRow>()
    .await
    .map(Venue::from)
}

/// The contact of a venue, opened for its owner or an officer.
///
/// # Errors
///
/// When it does not open; those of the store.
pub async fn contact_of(tx: &mut Tx, keys: &KeyRing, venue: &Venue) -> Result<Contact> {
    let (sealed,): (Vec<u8>,) = tx
        .query("SELECT contact_sealed FROM venues WHERE id = $1")
        .bind(venue.id)
        .one()
        .await?;
    open(keys, contact_place(&venue.public_id), &sealed)
}
