//! Checkpoints in the store.

use uuid::Uuid;

use crate::{
    base::{Code, FieldError, Kind, Random, Timestamp, failure::Result, ids},
    privacy::KeyRing,
    store::{Error, Tx},
    venues::{
        Change, Checkpoint, CheckpointDraft, OpeningHours, PatchDraft, Vehicle, VehicleText, Venue,
        rows::{CheckpointRow, open, seal, vehicle_place},
        store,
    },
};

/// The channel on which the processes tell each other the number of a checkpoint that was made or
/// changed.
pub const CHANGED: &str = "checkpoints";

/// The vehicle of a checkpoint, opened for its owner or an officer; `None` where there is none.
///
/// # Errors
///
/// When it does not open; those of the store.
pub async fn vehicle_of(
    tx: &mut Tx,
    keys: &KeyRing,
    checkpoint: &Checkpoint,
) -> Result<Option<VehicleText>> {
    if !checkpoint.is_vehicle {
        return Ok(None);
    }
    let (sealed,): (Option<Vec<u8>>,) = tx
        .query("SELECT vehicle_sealed FROM checkpoints WHERE id = $1")
        .bind(checkpoint.id)
        .one()
        .await?;
    sealed
        .map(|sealed| open(keys, vehicle_place(&checkpoint.public_id), &sealed))
        .transpose()
}

/// The checkpoints of a venue in the order of their making: at most `limit`, after the checkpoint
/// `after`.
///
/// # Errors
///
/// Those of the store.
pub async fn checkpoints_of(
    tx: &mut Tx,
    venue: &Venue,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Checkpoint>, Error> {
    let rows: Vec<CheckpointRow> = tx
        .query(
            "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
                    c.stay_minutes, c.capacity, c.opening_hours, c.listed,
                    c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
                    c.poster_at, c.created_at, c.changed_at, c.closed_at
             FROM checkpoints c
             WHERE c.venue_id = $1
               AND c.id > COALESCE((SELECT a.id FROM checkpoints a WHERE a.public_id = $2), 0)
             ORDER BY c.id LIMIT $3",
        )
        .bind(venue.id)
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(Checkpoint::from).collect())
}

/// A checkpoint of one of this account's venues, with the venue.
///
/// # Errors
///
/// [`Kind::NotFound`] when there is none, or it is somebody else's.
pub async fn own_checkpoint(
    tx: &mut Tx,
    owner: Uuid,
    checkpoint: Uuid,
) -> Result<(Venue, Checkpoint)> {
    let id: Option<(i64,)> = tx
        .query(
            "SELECT c.id FROM checkpoints c JOIN venues v ON v.id = c.venue_id
             WHERE c.public_id = $1 AND v.owner_id = $2",
        )
        .bind(checkpoint)
        .bind(owner)
        .optional()
        .await?;
    let (id,) = id.ok_or(Kind::NotFound)?;
    Ok(with_venue(tx, id).await?)
}

/// The checkpoint of this code, with its venue.
pub(super) async fn find(tx: &mut Tx, code: Code) -> Result<Option<(Venue, Checkpoint)>, Error> {
    let id: Option<(i64,)> = tx
        .query("SELECT id FROM checkpoints WHERE code = $1")
        .bind(code.bytes().to_vec())
        .optional()
        .await?;
    match id {
        Some((id,)) => with_venue(tx, id).await.map(Some),
        None => Ok(None),
    }
}

async fn with_venue(tx: &mut Tx, id: i64) -> Result<(Venue, Checkpoint), Error> {
    let checkpoint = by_id(tx, id).await?;
    let venue = store::by_id(tx, checkpoint.venue_id).await?;
    Ok((venue, checkpoint))
}

/// The site of the checkpoint that a field `gate_of` names, which must be of the same venue.
async fn site_of_gate(tx: &mut Tx, venue: i64, gate_of: Uuid) -> Result<i64> {
    let site: Option<(i64,)> = tx
        .query("SELECT site_id FROM checkpoints WHERE public_id = $1 AND venue_id = $2")
        .bind(gate_of)
        .bind(venue)
        .optional()
        .await?;
    site.map(|(site,)| site).ok_or_else(|| {
        FieldError::new(
            "gate_of",
            "unknown_checkpoint",
            "Địa điểm này không có điểm kiểm dịch đó.",
            "The venue has no such checkpoint.",
        )
        .into()
    })
}

fn seal_vehicle(keys: &KeyRing, random: &Random, id: &Uuid, vehicle: &Vehicle) -> Vec<u8> {
    let text = VehicleText {
        plate: vehicle.written.clone(),
        route: vehicle.route.clone(),
    };
    seal(keys, random, vehicle_place(id), &text)
}

/// Add a checkpoint with a new code to a venue.
///
/// # Errors
///
/// [`Kind::Invalid`] when `gate_of` names none of the venue; those of the store.
pub async fn add_checkpoint(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    venue: &Venue,
    draft: &CheckpointDraft,
) -> Result<Checkpoint> {
    let site = match draft.gate_of {
        Some(gate) => Some(site_of_gate(tx, venue.id, gate).await?),
        None => None,
    };
    let public_id = ids::v4(random);
    let vehicle = draft.vehicle.as_ref();
    let now = tx.now();
    let (id,): (i64,) = tx
        .query(
            "INSERT INTO checkpoints
                 (public_id, venue_id, site_id, code, name, kind, stay_minutes, capacity,
                  opening_hours, listed, vehicle_sealed, poster_version, poster_at, created_at,
                  changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14)
             RETURNING id",
        )
        .bind(public_id)
        .bind(venue.id)
        .bind(site.unwrap_or(0))
        .bind(Code::new(random).bytes().to_vec())
        .bind(draft.name.clone())
        .bind(draft.kind.unwrap_or(venue.kind).as_str())
        .bind(draft.stay_minutes.map(i64::from))
        .bind(draft.capacity.map(i64::from))
        .bind(draft.opening_hours.as_ref().map(OpeningHours::to_json))
        .bind(draft.listed)
        .bind(vehicle.map(|vehicle| seal_vehicle(keys, random, &public_id, vehicle)))
        .bind(now)
        .bind(now)
        .bind(now)
        .one()
        .await?;
    if site.is_none() {
        tx.query("UPDATE checkpoints SET site_id = id WHERE id = $1")
            .bind(id)
            .execute()
            .await?;
    }
    tx.notify(CHANGED, id).await?;
    Ok(by_id(tx, id).await?)
}

async fn by_id(tx: &mut Tx, id: i64) -> Result<Checkpoint, Error> {
    tx.query(
        "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
                c.stay_minutes, c.capacity, c.opening_hours, c.listed,
                c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
                c.poster_at, c.created_at, c.changed_at, c.closed_at
         FROM checkpoints c WHERE c.id = $1",
    )
    .bind(id)
    .one::<CheckpointRow>()
    .await
    .map(Checkpoint::from)
}

/// Change a checkpoint of one of this account's venues.
///
/// # Errors
///
/// [`Kind::NotFound`] when there is none, or it is somebody else's; [`Kind::Invalid`] when `gate_of`
/// names none of the venue; those of the store.
pub async fn patch_checkpoint(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    venue: &Venue,
    checkpoint: Uuid,
    patch: &PatchDraft,
) -> Result<Checkpoint> {
    let id: Option<(i64,)> = tx
        .query("SELECT id FROM checkpoints WHERE public_id = $1 AND venue_id = $2")
        .bind(checkpoint)
        .bind(venue.id)
        .optional()
        .await?;
    let (id,) = id.ok_or(Kind::NotFound)?;
    let mut now = by_id(tx, id).await?;
    let printed = (now.name.clone(), now.kind);
    // By this moment the change is told from what was before, also when the clock was set back or
    // another process's runs ahead.
    let before = now.changed_at.as_micros();
    now.changed_at = tx.now().max(Timestamp::from_micros(before + 1));
    match patch.gate_of {
        Change::Set(gate) => {
            now.site_id = site_of_gate(tx, venue.id, gate).await?;
            bring_gates(tx, &now).await?;
        }
        Change::Clear => now.site_id = now.id,
        Change::Keep => {}
    }
    apply(&mut now, patch, tx.now());
    if printed != (now.name.clone(), now.kind) || !matches!(patch.vehicle, Change::Keep) {
        now.poster_version += 1;
        now.poster_at = tx.now();
    }
    write(tx, &now).await?;
    tx.notify(CHANGED, id).await?;
    let sealed = match &patch.vehicle {
        Change::Keep => return Ok(by_id(tx, now.id).await?),
        Change::Clear => None,
        Change::Set(vehicle) => Some(seal_vehicle(keys, random, &now.public_id, vehicle)),
    };
    tx.query("UPDATE checkpoints SET vehicle_sealed = $2 WHERE id = $1")
        .bind(now.id)
        .bind(sealed)
        .execute()
        .await?;
    Ok(by_id(tx, now.id).await?)
}

/// Move the other entrances to the space of `root` to its new one with it, so that one space stays
/// one.
async fn bring_gates(tx: &mut Tx, root: &Checkpoint) -> Result<(), Error> {
    let moved: Vec<(i64,)> = tx
        .query(
            "UPDATE checkpoints SET site_id = $2, changed_at = $3 WHERE site_id = $1 RETURNING id",
        )
        .bind(root.id)
        .bind(root.site_id)
        .bind(root.changed_at)
        .all()
        .await?;
    for (gate,) in moved {
        tx.notify(CHANGED, gate).await?;
    }
    Ok(())
}

fn apply(checkpoint: &mut Checkpoint, patch: &PatchDraft, at: Timestamp) {
    if let Some(name) = &patch.name {
        checkpoint.name = name.as_str().into();
    }
    if let Some(kind) = patch.kind {
        checkpoint.kind = kind;
    }
    patch.stay_minutes.apply(&mut checkpoint.stay_minutes);
    patch.capacity.apply(&mut checkpoint.capacity);
    patch.opening_hours.apply(&mut checkpoint.opening_hours);
    if let Some(listed) = patch.listed {
        checkpoint.listed = listed;
    }
    match patch.closed {
        // Closing twice keeps the first date.
        Some(true) => checkpoint.closed_at = checkpoint.closed_at.or(Some(at)),
        Some(false) => checkpoint.closed_at = None,
        None => {}
    }
}

async fn write(tx: &mut Tx, checkpoint: &Checkpoint) -> Result<(), Error> {
    tx.query(
        "UPDATE checkpoints
         SET site_id = $2, name = $3, kind = $4, stay_minutes = $5, capacity = $6,
             opening_hours = $7, listed = $8, poster_version = $9, poster_at = $10,
             closed_at = $11, changed_at = $12
         WHERE id = $1",
    )
    .bind(checkpoint.id)
    .bind(checkpoint.site_id)
    .bind(checkpoint.name.to_string())
    .bind(checkpoint.kind.as_str())
    .bind(checkpoint.stay_minutes.map(i64::from))
    .bind(checkpoint.capacity.map(i64::from))
    .bind(checkpoint.opening_hours.as_ref().map(OpeningHours::to_json))
    .bind(checkpoint.listed)
    .bind(i64::from(checkpoint.poster_version))
    .bind(checkpoint.poster_at)
    .bind(checkpoint.closed_at)
    .bind(checkpoint.changed_at)
    .execute()
    .await
    .map(drop)
}
