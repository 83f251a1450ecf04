//! Checking out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AHEAD_MS, At, Door, store::Out};
use crate::base::{FieldError, Kind, MAX_STAY_MS, Timestamp, failure::Result, ids::time_of};

/// How far ahead a time of leaving may be, in milliseconds: what clocks that are set by the network
/// differ by. Anything more is in the future.
const HASTE_MS: i64 = 5_000;

/// A check-out as it is sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckOut {
    /// The code of the checkpoint that the check-in is of.
    pub checkpoint: String,
    /// When the visitor left; absent: now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub left_at: Option<Timestamp>,
}

/// A check-out that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckedOut {
    /// Id of the check-in.
    pub id: Uuid,
    /// Where.
    pub checkpoint: At,
    /// When they came.
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: Timestamp,
    /// When they left.
    #[schema(value_type = String, format = DateTime)]
    pub left_at: Timestamp,
}

/// Check the visitor of check-in `id` out; a later call replaces an earlier one.
///
/// # Errors
///
/// [`Kind::NotFound`] when there is no such check-in at that checkpoint; [`Kind::Invalid`] when they
/// would have left before they came, more than 24 h after, or in the future;
/// [`Kind::Unavailable`] when the journal is full.
pub async fn check_out(door: &Door, id: Uuid, new: NewCheckOut) -> Result<CheckedOut> {
    let entry = door.checkpoint(&new.checkpoint).await?;
    let entered_at = Timestamp::from_ms(time_of(id).ok_or(Kind::NotFound)?);
    let left_at = judge(entered_at, new.left_at, door.clock.now())?;
    let out = Out {
        key: (entry.checkpoint.id, id),
        left_at: left_at.as_ms(),
    };
    if !door.journal.check_out(out).await? {
        return Err(Kind::NotFound.into());
    }
    Ok(CheckedOut {
        id,
        checkpoint: At::new(&entry.checkpoint),
        entered_at,
        left_at,
    })
}

/// When they left, to the millisecond. A phone whose clock is a little ahead may check out before
/// its arrival has come by our clock: that is a stay without length.
fn judge(
    entered_at: Timestamp,
    left_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, FieldError> {
    let (entered, now) = (entered_at.as_ms(), now.as_ms());
    let left = match left_at {
        Some(at) => at.as_ms(),
        None if now < entered && entered - now <= AHEAD_MS => entered,
        None => now,
    };
    let mistake = |code, vi, en| FieldError::new("left_at", code, vi, en);
    if left < entered {
        Err(mistake(
            "before_entry",
            "Giờ ra không được trước giờ vào.",
            "The time of leaving is before the arrival.",
        ))
    } else if left - entered > MAX_STAY_MS {
        Err(mistake(
            "stay_too_long",
            "Giờ ra không được sau giờ vào quá 24 giờ.",
            "The time of leaving is more than 24 hours after the arrival.",
        ))
    } else if left > entered.max(now + HASTE_MS) {
        Err(mistake(
            "in_the_future",
            "Giờ ra không được ở tương lai.",
            "The time of leaving is in the future.",
        ))
    } else {
        Ok(Timestamp::from_ms(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_leaves_before_coming_or_stays_for_ever() {
        let entered = Timestamp::from_ms(1_800_000_000_000);
        let code = |left: Option<i64>, now: i64| {
            judge(
                entered,
                left.map(|ms| entered.plus_ms(ms)),
                entered.plus_ms(now),
            )
            .map(|at| at.as_ms() - entered.as_ms())
            .map_err(|error| error.code)
        };
        assert_eq!(code(None, 60_000), Ok(60_000));
        assert_eq!(code(None, -60_000), Ok(0), "the phone was ahead");
        assert_eq!(code(None, MAX_STAY_MS + 1), Err("stay_too_long"));
        assert_eq!(code(Some(0), 60_000), Ok(0));
        assert_eq!(code(Some(-1), 60_000), Err("before_entry"));
        assert_eq!(code(Some(MAX_STAY_MS), MAX_STAY_MS), Ok(MAX_STAY_MS));
        assert_eq!(
            code(Some(MAX_STAY_MS + 1), 2 * MAX_STAY_MS),
            Err("stay_too_long")
        );
        assert_eq!(code(Some(60_000 + HASTE_MS), 60_000), Ok(60_000 + HASTE_MS));
        assert_eq!(code(Some(60_001 + HASTE_MS), 60_000), Err("in_the_future"));
        assert_eq!(code(Some(0), -60_000), Ok(0), "the phone was ahead");
    }
}
