//! Opening hours as a form: one line a day.

use super::{WEEK, page::Form};
use crate::venues::Week;

/// The first and last span of each day: the form has one line a day. A schedule with a break is
/// made by the API and kept unless a line is changed.
pub fn put_week(form: &mut Form, week: &Week) {
    for (day, spans) in days_of(week) {
        if let (Some([opens, _]), Some([_, closes])) = (spans.first(), spans.last()) {
            form.set(&format!("open_{day}"), opens.clone());
            // A browser's field for times knows no 24:00.
            let closes = if closes == "24:00" { "00:00" } else { closes };
            form.set(&format!("close_{day}"), closes);
        }
    }
}

fn days_of(week: &Week) -> [(&'static str, &Vec<[String; 2]>); 7] {
    let [mon, tue, wed, thu, fri, sat, sun] = WEEK;
    [
        (mon, &week.mon),
        (tue, &week.tue),
        (wed, &week.wed),
        (thu, &week.thu),
        (fri, &week.fri),
        (sat, &week.sat),
        (sun, &week.sun),
    ]
}

/// The week that the form says; nothing when every line is empty. A line with only one time is
/// passed on as it is, and the room refuses it.
pub fn week(form: &Form) -> Option<Week> {
    let mut any = false;
    let mut spans = |day: &str| {
        let opens = form.v(&format!("open_{day}")).to_owned();
        let closes = form.v(&format!("close_{day}")).to_owned();
        if opens.is_empty() && closes.is_empty() {
            return Vec::new();
        }
        any = true;
        vec![[opens, closes]]
    };
    let [mon, tue, wed, thu, fri, sat, sun] = WEEK.map(&mut spans);
    let week = Week {
        mon,
        tue,
        wed,
        thu,
        fri,
        sat,
        sun,
    };
    any.then_some(week)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_goes_through_the_form() {
        let mut form = Form::default();
        assert_eq!(week(&form), None);
        let original = Week {
            mon: vec![
                ["07:00".into(), "11:30".into()],
                ["13:00".into(), "18:30".into()],
            ],
            sun: vec![["08:00".into(), "24:00".into()]],
            ..Week::default()
        };
        put_week(&mut form, &original);
        let back = week(&form).unwrap();
        assert_eq!(back.mon, [["07:00".to_owned(), "18:30".to_owned()]]);
        assert_eq!(back.sun, [["08:00".to_owned(), "00:00".to_owned()]]);
        assert!(back.tue.is_empty());
    }

    #[test]
    fn half_a_line_is_passed_on_to_be_refused() {
        let form = Form::of(vec![("open_tue".into(), "07:00".into())]);
        assert_eq!(
            week(&form).unwrap().tue,
            [["07:00".to_owned(), String::new()]]
        );
    }
}
