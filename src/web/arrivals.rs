//! Today's arrivals for the owner: by hour, and the latest ones, masked.

use super::{
    charts,
    page::{Page, clock},
    views::{Arrival, Arrivals, Hour},
};
use crate::{
    base::failure::Result,
    checkins::{self, Hour as HourOfDay, MaskedArrival},
    http::App,
    venues::Checkpoint,
};

/// Arrivals listed at most.
const LATEST_MAX: i64 = 50;

/// Today's arrivals at these checkpoints.
///
/// # Errors
///
/// Those of the store.
pub async fn today(app: &App, page: &Page, checkpoints: &[Checkpoint]) -> Result<Arrivals> {
    let ids: Vec<i64> = checkpoints.iter().map(|one| one.id).collect();
    let now = app.clock.now();
    app.door.journal.settle().await?;
    let (hours, latest) = app
        .db
        .read(async |tx| {
            let hours = checkins::hours(tx, &ids, now).await?;
            let latest = checkins::arrivals(tx, &app.keys, &ids, now, None, LATEST_MAX).await?;
            Ok::<_, crate::store::Error>((hours, latest))
        })
        .await?;
    let name_of = |id: i64| {
        let found = checkpoints.iter().find(|one| one.id == id);
        found.map(|one| one.name.to_string()).unwrap_or_default()
    };
    let latest = latest
        .into_iter()
        .map(|arrival| masked(name_of(arrival.checkpoint_id), arrival))
        .collect();
    Ok(Arrivals {
        day: now.local_date(),
        latest,
        ..counted(page, &hours)
    })
}

fn masked(checkpoint: String, arrival: MaskedArrival) -> Arrival {
    Arrival {
        entered: clock(arrival.entered_at),
        left: arrival.left_at.map(clock).unwrap_or_default(),
        name: arrival.name.unwrap_or_default(),
        phone: arrival.phone.unwrap_or_default(),
        checkpoint,
    }
}

/// Counts and their picture.
fn counted(page: &Page, hours: &[HourOfDay]) -> Arrivals {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let total: i64 = hours.iter().map(|hour| hour.check_ins).sum();
    let left: i64 = hours.iter().map(|hour| hour.left).sum();
    let share = left.saturating_mul(100).checked_div(total).unwrap_or(0);
    let bars: Vec<(String, u64)> = (0..)
        .zip(hours)
        .map(|(hour, found): (u32, _)| (format!("{hour:02}"), count(found.check_ins)))
        .collect();
    Arrivals {
        day: String::new(),
        total: count(total),
        inside: count(total - left),
        out_share: format!("{share} %"),
        chart: charts::hours(&page.t("arrivals-by-hour"), &bars),
        hours: bars
            .into_iter()
            .map(|(hour, n)| Hour {
                label: format!("{hour}:00"),
                n,
            })
            .collect(),
        latest: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::texts::Lang;

    #[test]
    fn counts_add_up_and_nobody_is_no_division() {
        let page = Page::new(Lang::Vi);
        let mut hours = [HourOfDay::default(); 24];
        let empty = counted(&page, &hours);
        assert_eq!(
            (empty.total, empty.inside, empty.out_share.as_str()),
            (0, 0, "0 %")
        );
        for (hour, check_ins, left) in [(7, 10, 9), (23, 2, 0)] {
            hours[hour] = HourOfDay {
                check_ins,
                people: check_ins,
                left,
            };
        }
        let day = counted(&page, &hours);
        assert_eq!(
            (day.total, day.inside, day.out_share.as_str()),
            (12, 3, "75 %")
        );
        assert_eq!(day.hours[23].label, "23:00");
        assert_eq!(day.hours.iter().map(|hour| hour.n).sum::<u64>(), 12);
    }
}
