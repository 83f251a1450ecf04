use super::*;
use crate::{
    base::{Random, ids},
    regions::Catalogue,
    venues::{Address, Week},
};

const NOW: Timestamp = Timestamp::from_ms(1_794_965_400_000);

fn venue(id: i64) -> Venue {
    let random = Random::seeded(u64::try_from(id).unwrap());
    Venue {
        id,
        public_id: ids::v4(&random),
        owner: ids::v4(&random),
        name: format!("Chợ {id}").into(),
        kind: PlaceKind::Market,
        address: Address {
            catalogue: Catalogue::July2025,
            province: "80".into(),
            ward: format!("{:05}", id % 3).into(),
            street: "12 Lê Lợi".into(),
        },
        created_at: NOW.plus_ms(-5),
    }
}

/// A checkpoint with something in every field.
fn checkpoint(id: i64, venue: &Venue) -> Checkpoint {
    let random = Random::seeded(u64::try_from(id).unwrap() + 1_000);
    let week: Week = serde_json::from_str(r#"{"mon":[["07:00","11:30"]]}"#).unwrap();
    Checkpoint {
        id,
        public_id: ids::v4(&random),
        venue_id: venue.id,
        site_id: id,
        code: Code::new(&random),
        name: format!("Cổng {id}").into(),
        kind: PlaceKind::Office,
        stay_minutes: Some(15),
        capacity: Some(0),
        opening_hours: Some(OpeningHours::parse(&week).unwrap()),
        listed: true,
        is_vehicle: false,
        poster_version: 3,
        poster_at: NOW.plus_ms(-1),
        created_at: NOW.plus_ms(-2),
        changed_at: NOW,
        closed_at: None,
    }
}

#[test]
fn everything_comes_back_as_it_was_put() {
    let directory = Directory::default();
    let put: Vec<(Venue, Checkpoint)> = (1..=500)
        .map(|id| {
            let venue = venue(id / 3 + 1);
            let mut checkpoint = checkpoint(id, &venue);
            if id % 2 == 0 {
                checkpoint.stay_minutes = None;
                checkpoint.capacity = None;
                checkpoint.opening_hours = None;
                checkpoint.listed = false;
                checkpoint.is_vehicle = true;
                checkpoint.closed_at = Some(NOW);
                checkpoint.name = venue.name.clone();
            }
            (venue, checkpoint)
        })
        .collect();
    for (venue, checkpoint) in &put {
        directory.put(venue, checkpoint);
    }
    assert_eq!(directory.len(), 500);
    assert_eq!(directory.ids(), (1..=500).collect::<Vec<_>>());
    for (venue, checkpoint) in put {
        let entry = directory.by_code(checkpoint.code).unwrap();
        assert_eq!(directory.by_id(checkpoint.id).unwrap(), entry);
        let facts = directory.facts(checkpoint.id).unwrap();
        assert_eq!(facts.site_id, checkpoint.site_id);
        assert_eq!(facts.stay_minutes, checkpoint.stay_minutes);
        assert_eq!(facts.opening_hours, checkpoint.opening_hours);
        assert_eq!(*entry, Entry { checkpoint, venue });
    }
    assert!(directory.by_id(501).is_none());
    assert!(directory.facts(501).is_none());
    assert!(directory.by_code(Code::from_bytes([9; 16])).is_none());
}

#[test]
fn a_late_refresh_undoes_nothing() {
    let directory = Directory::default();
    let venue = venue(1);
    let mut open = checkpoint(1, &venue);
    directory.put(&venue, &open);
    let closed = Checkpoint {
        closed_at: Some(NOW),
        changed_at: NOW.plus_ms(1),
        name: "Cổng cũ".into(),
        ..open.clone()
    };
    directory.put(&venue, &closed);
    directory.put(&venue, &open);
    assert_eq!(directory.by_id(1).unwrap().checkpoint, closed);
    open.changed_at = NOW.plus_ms(2);
    directory.put(&venue, &open);
    assert_eq!(directory.by_id(1).unwrap().checkpoint, open);
    assert_eq!(directory.len(), 1);
}

#[test]
fn gates_follow_their_site() {
    let directory = Directory::default();
    let venue = venue(1);
    let put = |id: i64, site: i64, after_ms: i64| {
        let checkpoint = Checkpoint {
            site_id: site,
            changed_at: NOW.plus_ms(after_ms),
            ..checkpoint(id, &venue)
        };
        directory.put(&venue, &checkpoint);
    };
    for (id, site) in [(1, 1), (2, 1), (3, 1), (4, 4)] {
        put(id, site, 0);
    }
    assert_eq!(directory.of_site(1), [1, 2, 3]);
    assert!(directory.of_site(2).is_empty());
    assert_eq!(directory.by_id(2).unwrap().checkpoint.site_id, 1);
    put(3, 4, 1);
    put(2, 2, 1);
    assert_eq!(directory.of_site(1), [1]);
    assert_eq!(directory.of_site(2), [2]);
    assert_eq!(directory.of_site(4), [3, 4]);
    assert!(directory.of_site(99).is_empty());
}

#[test]
fn a_checkpoint_without_its_venue_is_not_held() {
    let shelf = &mut Shelf::default();
    shelf.put(&checkpoint(1, &venue(1)));
    assert_eq!(shelf.len(), 0);
}

/// A process whose clock is an hour ahead must not make the others pass over an hour of changes.
#[test]
fn what_was_seen_is_not_in_the_future() {
    let mut held = Held::default();
    held.shelf.put_venue(&venue(1));
    let ahead = Checkpoint {
        changed_at: NOW.plus_ms(3_600_000),
        ..checkpoint(1, &venue(1))
    };
    held.put(&ahead, NOW);
    assert_eq!(held.seen, Some(NOW));
    held.put(&checkpoint(2, &venue(1)), NOW.plus_ms(9));
    assert_eq!(held.seen, Some(NOW));
}
