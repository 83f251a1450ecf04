//! [`Timestamp`]: one instant.

use ::time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Vietnam's offset from UTC: seven hours, without summer time (the zone `Asia/Ho_Chi_Minh`).
pub const VIETNAM: UtcOffset = match UtcOffset::from_hms(7, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// A UTC instant with microsecond precision, the finest that both databases keep.
///
/// `store::time` stores it as `TIMESTAMPTZ` in PostgreSQL and as `INTEGER` microseconds in SQLite.
/// Both orders agree, so `<`, `MAX` and `ORDER BY` are portable; arithmetic is done here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant `ms` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by `ms` milliseconds, forward or back.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// Read an RFC 3339 time with any offset; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1000))
            .ok()
            .map(Self)
    }

    /// This instant as a date and time at `offset`; the epoch if it is out of the calendar's range.
    #[must_use]
    pub fn at(self, offset: UtcOffset) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(offset)
    }

    /// As the outside contract writes times: RFC 3339, UTC, `Z`, milliseconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let t = OffsetDateTime::from_unix_timestamp(self.as_secs())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let ms = u32::try_from(self.as_ms().rem_euclid(1000)).unwrap_or(0);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |end: usize, mut value: u32| {
            let digits = text.iter_mut().take(end).rev();
            for to in digits.take_while(|to| to.is_ascii_digit()) {
                *to = b'0' + u8::try_from(value % 10).unwrap_or(0);
                value /= 10;
            }
        };
        put(4, t.year().unsigned_abs());
        put(7, u8::from(t.month()).into());
        put(10, t.day().into());
        put(13, t.hour().into());
        put(16, t.minute().into());
        put(19, t.second().into());
        put(23, ms);
        String::from_utf8(text.to_vec()).unwrap_or_default()
    }

    /// The time of day in Vietnam with seconds, `08:05:09`.
    #[must_use]
    pub fn local_time(self) -> String {
        let t = self.at(VIETNAM);
        format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
    }

    /// The date in Vietnam, `dd/MM/yyyy`.
    #[must_use]
    pub fn local_date(self) -> String {
        let t = self.at(VIETNAM);
        format!("{:02}/{:02}/{:04}", t.day(), u8::from(t.month()), t.year())
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_the_contract_form() {
        let at = Timestamp::from_ms(1_700_000_000_123);
        assert_eq!(at.rfc3339(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Timestamp::parse("2023-11-15T05:13:20.123+07:00"), Some(at));
        assert_eq!(Timestamp::parse("2023-11-15 05:13"), None);
        assert_eq!(at.local_time(), "05:13:20");
        assert_eq!(at.local_date(), "15/11/2023");
    }

    #[test]
    fn rounds_down_before_the_epoch() {
        assert_eq!(Timestamp::from_micros(-1).as_ms(), -1);
        assert_eq!(Timestamp::from_micros(-1).as_secs(), -1);
    }
}
