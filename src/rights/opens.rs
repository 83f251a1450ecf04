//! How often a person's data was opened, by month, for that person to read.
//!
//! Asked for by the number that was proved and by nothing else, as an erasure goes. An erasure leaves
//! these counts: they say to whom the data was shown while it was there, and only the person gains by
//! that. They go by their own period.

use super::Desk;
use crate::{
    base::{Day, Timestamp, failure::Result, time::VIETNAM},
    identity::PersonId,
    privacy::opened::{self, Opened},
    store::Error,
};

/// Rows of days at most, the latest first: two years in which five offices look every day.
const MOST: i64 = 10_000;

/// How often somebody's data was opened in a month, for a purpose, by an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opens {
    /// The year.
    pub year: i32,
    /// The month of it, 1 to 12, of the counted UTC day.
    pub month: u8,
    /// `case`, `list` or `export`.
    pub purpose: String,
    /// Code of the office's province; empty for an office of the whole country.
    pub office: String,
    /// How often.
    pub times: i64,
}

/// How often the data of `person` was opened: the latest month first.
///
/// # Errors
///
/// Those of the store.
pub async fn by_month(desk: &Desk<'_>, person: PersonId) -> Result<Vec<Opens>> {
    let days: Vec<Opened> = desk
        .door
        .db
        .read(async |tx| opened::of(tx, &[*person.as_bytes()], MOST).await)
        .await
        .map_err(|error: Error| error)?;
    Ok(months(days))
}

fn months(days: Vec<Opened>) -> Vec<Opens> {
    let mut months: Vec<Opens> = Vec::new();
    for day in days {
        let number = i32::try_from(day.day).unwrap_or_default();
        let date = Timestamp::from_ms(Day::from_number(number).start_ms()).at(VIETNAM);
        let (year, month) = (date.year(), u8::from(date.month()));
        let same = months.iter_mut().find(|one| {
            (one.year, one.month) == (year, month)
                && one.purpose == day.purpose
                && one.office == day.office
        });
        match same {
            Some(one) => one.times = one.times.saturating_add(day.times),
            None => months.push(Opens {
                year,
                month,
                purpose: day.purpose,
                office: day.office,
                times: day.times,
            }),
        }
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_add_up_to_months() {
        let on = |date: &str, purpose: &str, office: &str, times| Opened {
            day: i64::from(Day::parse(date).unwrap().number()),
            purpose: purpose.to_owned(),
            office: office.to_owned(),
            times,
        };
        let days = vec![
            on("2026-12-01", "list", "80", 1),
            on("2026-11-30", "list", "80", 2),
            on("2026-11-30", "export", "80", 4),
            on("2026-11-01", "list", "80", 8),
            on("2026-11-01", "list", "", 16),
        ];
        let months = months(days);
        let told: Vec<_> = months
            .iter()
            .map(|one| (one.year, one.month, &*one.purpose, &*one.office, one.times))
            .collect();
        let expected = [
            (2026, 12, "list", "80", 1),
            (2026, 11, "list", "80", 10),
            (2026, 11, "export", "80", 4),
            (2026, 11, "list", "", 16),
        ];
        assert_eq!(told, expected);
    }
}
