//! Ids: UUIDv7 whose time is the arrival, UUIDv4 for what must not be dated.

use uuid::{Builder, Uuid};

use crate::base::{Random, Timestamp};

/// A new UUIDv7 whose time is `at`, in milliseconds.
#[must_use]
pub fn v7(at: Timestamp, random: &Random) -> Uuid {
    let ms = u64::try_from(at.as_ms()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(ms, &random.bytes()).into_uuid()
}

/// A new UUIDv4: an id that tells nothing.
#[must_use]
pub fn v4(random: &Random) -> Uuid {
    Builder::from_random_bytes(random.bytes()).into_uuid()
}

/// The smallest 16 bytes of any UUIDv7 made at `ms` or later: the time, then zeros.
///
/// Ids are compared as bytes in both databases, so a range of time is a range of ids.
#[must_use]
pub fn uuid_floor(ms: i64) -> Uuid {
    let ms = u64::try_from(ms).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(u128::from(ms) << 80)
}

/// The milliseconds in a UUIDv7; `None` if `id` is of another version or variant.
#[must_use]
pub fn time_of(id: Uuid) -> Option<i64> {
    (id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122)
        .then(|| i64::try_from(id.as_u128() >> 80).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_in_and_comes_out() {
        let random = Random::seeded(1);
        let at = Timestamp::from_ms(1_700_000_000_123);
        let id = v7(at, &random);
        assert_eq!(time_of(id), Some(at.as_ms()));
        assert!(uuid_floor(at.as_ms()) <= id && id < uuid_floor(at.as_ms() + 1));
        assert_eq!(time_of(v4(&random)), None);
        assert_eq!(time_of(Uuid::nil()), None);
    }
}
