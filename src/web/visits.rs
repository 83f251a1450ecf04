//! The visitor's phone remembers where it is checked in: one signed cookie.
//!
//! Scanning the same poster again on the way out then shows the button to leave, and the card can be
//! shown again without a read of the store. The cookie holds codes and ids, nothing personal, and is
//! signed so that a card cannot be made up by hand.

use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::frame::hex;
use crate::{
    base::{Code, Timestamp, day::DAY_MS, ids},
    declarations::Risk,
    privacy::Key,
};

/// Visits remembered at most; the oldest goes.
const VISITS_MAX: usize = 8;

/// A check-in of this phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The checkpoint's code.
    pub code: Code,
    /// The check-in's id.
    pub id: Uuid,
    /// What followed from the declaration.
    pub risk: Risk,
    /// People who came along, 0-50.
    pub companions: u32,
    /// When the visitor left; nothing while inside.
    pub left_at: Option<Timestamp>,
}

impl Visit {
    /// The time of arrival, which is in the id.
    #[must_use]
    pub fn entered_at(&self) -> Timestamp {
        Timestamp::from_ms(ids::time_of(self.id).unwrap_or_default())
    }

    fn write(&self) -> String {
        let left = self.left_at.map_or(0, Timestamp::as_ms);
        let risk = self.risk.as_str();
        format!("{}.{}.{risk}.{}.{left}", self.code, self.id.simple(), self.companions)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let visit = Self {
            code: parts.next()?.parse().ok()?,
            id: Uuid::try_parse(parts.next()?).ok()?,
            risk: Risk::parse(parts.next()?)?,
            companions: parts.next()?.parse().ok()?,
            left_at: match parts.next()?.parse().ok()? {
                0 => None,
                ms => Some(Timestamp::from_ms(ms)),
            },
        };
        parts.next().is_none().then_some(visit)
    }
}

/// The visits of one phone, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visits(Vec<Visit>);

fn sign(key: &Key, text: &str) -> String {
    let mac = key.mac(&[b"visits", text.as_bytes()]);
    hex(mac.get(..16).unwrap_or_default())
}

impl Visits {
    /// Reads the cookie: nothing of it if its signature is wrong, and no visit that began more than
    /// a day before `now`.
    #[must_use]
    pub fn read(key: &Key, cookie: &str, now: Timestamp) -> Self {
        let Some((text, signature)) = cookie.rsplit_once('~') else {
            return Self::default();
        };
        if !bool::from(sign(key, text).as_bytes().ct_eq(signature.as_bytes())) {
            return Self::default();
        }
        let recent = |visit: &Visit| now.as_ms() - visit.entered_at().as_ms() < DAY_MS;
        Self(text.split('~').filter_map(Visit::read).filter(recent).collect())
    }

    /// The cookie's value.
    #[must_use]
    pub fn write(&self, key: &Key) -> String {
        let all: Vec<String> = self.0.iter().map(Visit::write).collect();
        let text = all.join("~");
        format!("{text}~{}", sign(key, &text))
    }

    /// The latest visit to a checkpoint.
    #[must_use]
    pub fn at(&self, code: Code) -> Option<Visit> {
        self.0.iter().find(|visit| visit.code == code).copied()
    }

    /// Remembers a visit in place of an earlier one at the same checkpoint.
    pub fn put(&mut self, visit: Visit) {
        self.0.retain(|known| known.code != visit.code);
        self.0.insert(0, visit);
        self.0.truncate(VISITS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Random;

    fn visit(random: &Random, at: Timestamp) -> Visit {
        Visit {
            code: Code::new(random),
            id: ids::v7(at, random),
            risk: Risk::Clear,
            companions: 3,
            left_at: None,
        }
    }

    #[test]
    fn what_is_written_is_read_until_it_is_a_day_old() {
        let (random, key) = (Random::seeded(1), Key::from_bytes([7; 32]));
        let now = Timestamp::from_ms(1_800_000_000_000);
        let mut visits = Visits::default();
        let mut first = visit(&random, now);
        visits.put(first);
        visits.put(visit(&random, now));
        first.left_at = Some(now.plus_ms(60_000));
        visits.put(first);
        let cookie = visits.write(&key);
        assert_eq!(Visits::read(&key, &cookie, now), visits);
        assert_eq!(visits.at(first.code), Some(first));
        let later = now.plus_ms(DAY_MS);
        assert_eq!(Visits::read(&key, &cookie, later), Visits::default());
    }

    #[test]
    fn a_card_cannot_be_made_up() {
        let (random, key) = (Random::seeded(2), Key::from_bytes([7; 32]));
        let now = Timestamp::from_ms(1_800_000_000_000);
        let mut visits = Visits::default();
        let mut stopped = visit(&random, now);
        stopped.risk = Risk::Stop;
        visits.put(stopped);
        let cookie = visits.write(&key);
        let forged = cookie.replace("stop", "clear");
        for wrong in [forged.as_str(), "", "~", "x~y", cookie.trim_end_matches(|c| c != '~')] {
            assert_eq!(Visits::read(&key, wrong, now), Visits::default(), "{wrong}");
        }
        let other = Key::from_bytes([8; 32]);
        assert_eq!(Visits::read(&other, &cookie, now), Visits::default());
    }

    #[test]
    fn only_the_latest_are_kept() {
        let random = Random::seeded(3);
        let mut visits = Visits::default();
        for _ in 0..20 {
            visits.put(visit(&random, Timestamp::from_ms(1_800_000_000_000)));
        }
        assert_eq!(visits.0.len(), VISITS_MAX);
        let cookie = visits.write(&Key::from_bytes([1; 32]));
        assert!(cookie.len() < 1024, "{}", cookie.len());
    }
}
