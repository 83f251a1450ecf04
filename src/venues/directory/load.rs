//! What the directory reads from the store.

use super::{Held, shelf::Shelf};
use crate::{
    base::Timestamp,
    store::{Error, Sql, Tx},
    venues::{
        Checkpoint, Venue,
        rows::{CheckpointRow, VenueRow},
    },
};

/// Rows that one statement reads at the start: it must end before the server's time limit for
/// statements, however many there are.
const PAGE: i64 = 100_000;

const VENUES: &str =
    "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
        v.street, v.created_at
 FROM venues v WHERE v.id > $1 ORDER BY v.id LIMIT $2";

const CHECKPOINTS: &str = "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
        c.stay_minutes, c.capacity, c.opening_hours, c.listed,
        c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
        c.poster_at, c.created_at, c.changed_at, c.closed_at
 FROM checkpoints c WHERE c.id > $1 ORDER BY c.id LIMIT $2";

/// Everything.
pub(super) async fn everything(tx: &mut Tx) -> Result<Held, Error> {
    let (checkpoints, venues): (i64, i64) = tx
        .query("SELECT (SELECT COUNT(*) FROM checkpoints), (SELECT COUNT(*) FROM venues)")
        .one()
        .await?;
    let room = |rows: i64| usize::try_from(rows).unwrap_or_default();
    let mut held = Held {
        shelf: Shelf::with_room(room(checkpoints), room(venues)),
        seen: None,
    };
    let now = tx.now();
    let mut after = Some(0);
    while let Some(from) = after.take() {
        tx.query(VENUES)
            .bind(from)
            .bind(PAGE)
            .for_each(|row: VenueRow| {
                let venue = Venue::from(row);
                after = Some(venue.id);
                held.shelf.put_venue(&venue);
                Ok::<_, Error>(())
            })
            .await?;
    }
    let mut after = Some(0);
    while let Some(from) = after.take() {
        tx.query(CHECKPOINTS)
            .bind(from)
            .bind(PAGE)
            .for_each(|row: CheckpointRow| {
                let checkpoint = Checkpoint::from(row);
                after = Some(checkpoint.id);
                held.put(&checkpoint, now);
                Ok::<_, Error>(())
            })
            .await?;
    }
    Ok(held)
}

/// Some checkpoints, with their venues.
pub(super) struct Changed {
    /// When they were read, by this process's clock.
    pub(super) at: Timestamp,
    pub(super) venues: Vec<Venue>,
    pub(super) checkpoints: Vec<Checkpoint>,
}

impl Changed {
    fn new(at: Timestamp, venues: Vec<VenueRow>, checkpoints: Vec<CheckpointRow>) -> Self {
        Self {
            at,
            venues: venues.into_iter().map(Venue::from).collect(),
            checkpoints: checkpoints.into_iter().map(Checkpoint::from).collect(),
        }
    }
}

/// What changed at `since` or later.
pub(super) async fn changed(tx: &mut Tx, since: Timestamp) -> Result<Changed, Error> {
    let rows: Vec<CheckpointRow> = tx
        .query(
            "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
                    c.stay_minutes, c.capacity, c.opening_hours, c.listed,
                    c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
                    c.poster_at, c.created_at, c.changed_at, c.closed_at
             FROM checkpoints c WHERE c.changed_at >= $1",
        )
        .bind(since)
        .all()
        .await?;
    if rows.is_empty() {
        return Ok(Changed::new(tx.now(), Vec::new(), rows));
    }
    let venues: Vec<VenueRow> = tx
        .query(
            "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
                    v.street, v.created_at
             FROM venues v
             WHERE v.id IN (SELECT c.venue_id FROM checkpoints c WHERE c.changed_at >= $1)",
        )
        .bind(since)
        .all()
        .await?;
    Ok(Changed::new(tx.now(), venues, rows))
}

const THESE: Sql = Sql::split(
    "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
            c.stay_minutes, c.capacity, c.opening_hours, c.listed,
            c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
            c.poster_at, c.created_at, c.changed_at, c.closed_at
     FROM checkpoints c WHERE c.id = ANY($1::bigint[])",
    "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
            c.stay_minutes, c.capacity, c.opening_hours, c.listed,
            c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
            c.poster_at, c.created_at, c.changed_at, c.closed_at
     FROM checkpoints c WHERE c.id IN (SELECT value FROM json_each($1))",
);

const VENUES_OF_THESE: Sql = Sql::split(
    "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
            v.street, v.created_at
     FROM venues v
     WHERE v.id IN (SELECT c.venue_id FROM checkpoints c WHERE c.id = ANY($1::bigint[]))",
    "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
            v.street, v.created_at
     FROM venues v
     WHERE v.id IN (SELECT c.venue_id FROM checkpoints c
                    WHERE c.id IN (SELECT value FROM json_each($1)))",
);

/// The checkpoints of these numbers.
pub(super) async fn these(tx: &mut Tx, ids: &[i64]) -> Result<Changed, Error> {
    let json = serde_json::to_string(ids).unwrap_or_default();
    let rows: Vec<CheckpointRow> = tx
        .query(THESE)
        .bind_postgres(ids.to_vec())
        .bind_sqlite(json.clone())
        .all()
        .await?;
    let venues: Vec<VenueRow> = tx
        .query(VENUES_OF_THESE)
        .bind_postgres(ids.to_vec())
        .bind_sqlite(json)
        .all()
        .await?;
    Ok(Changed::new(tx.now(), venues, rows))
}
