//! What an officer asks for, and how it becomes an [`Order`].
//!
//! No order without a reason and a document number, and none that names two things at once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    base::{Code, FieldError, Timestamp, text::nfc_clean},
    exposures::interval::Span,
    identity::{IdNumber, PersonId, Phone, Pseudonymizer, holds_number, number_in},
};

/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 500;

/// Longest document number, in characters.
const MAX_DOCUMENT_CHARS: usize = 100;

/// Most cases in one run.
const MAX_CASES: usize = 1_000;

/// Longest of all durations that are given in minutes: a day.
const MAX_MINUTES: i64 = 1_440;

/// A lookup as it is sent: exactly one of `case`, `cases`, `checkpoint` and `person`.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLookup)]
pub struct LookupDraft {
    /// One case.
    pub case: Option<Uuid>,
    /// Several cases, each with its own window, at most 1,000.
    pub cases: Option<Vec<Uuid>>,
    /// Everybody in a place between two times.
    pub checkpoint: Option<CheckpointDraft>,
    /// Somebody who is no case, treated as one.
    pub person: Option<PersonDraft>,
    /// Why, at most 500 characters.
    #[schema(required = true)]
    pub reason: Option<String>,
    /// Number of the document that asks for it, at most 100 characters.
    #[schema(required = true, example = "123/CDC")]
    pub document: Option<String>,
    /// 1 (the usual) or 2.
    #[schema(minimum = 1, maximum = 2)]
    pub rings: Option<i64>,
    /// Minutes with one case that put a person on the list, 0 to 1,440; absent: the lowest of the
    /// rule set; 0: any time longer than nothing.
    #[schema(minimum = 0, maximum = 1440)]
    pub min_minutes: Option<i64>,
    /// Longest residual air for all kinds of place, 0 to 1,440 minutes; absent: as the rule set says.
    #[schema(minimum = 0, maximum = 1440)]
    pub residual_air_minutes: Option<i64>,
    /// A window in place of the cases' own.
    pub infectious: Option<WindowDraft>,
    /// Terms of the second ring; absent: as the rule set says.
    pub ring2: Option<Ring2Draft>,
}

/// A checkpoint and a window as they are sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LookupCheckpoint)]
pub struct CheckpointDraft {
    /// The checkpoint's code.
    #[schema(required = true)]
    pub code: Option<String>,
    /// First instant.
    #[schema(required = true, value_type = String, format = DateTime)]
    pub from: Option<Timestamp>,
    /// First instant after it.
    #[schema(required = true, value_type = String, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// A person as they are sent: exactly one of the two.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LookupPerson)]
pub struct PersonDraft {
    /// Vietnamese number as people write it, or a foreign one in E.164.
    pub phone: Option<String>,
    /// Identity card, insurance card or passport.
    pub id_number: Option<String>,
}

/// A window as it is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LookupWindow)]
pub struct WindowDraft {
    /// First instant.
    #[schema(required = true, value_type = String, format = DateTime)]
    pub from: Option<Timestamp>,
    /// First instant after it; absent: up to the moment of the search.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// Terms of the second ring as they are sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LookupRing2)]
pub struct Ring2Draft {
    /// Minutes needed on both hops, 0 to 1,440.
    #[schema(minimum = 0, maximum = 1440)]
    pub min_minutes: Option<i64>,
    /// Hours from infection to being infectious, 0 to 240.
    #[schema(minimum = 0, maximum = 240)]
    pub latent_hours: Option<i64>,
    /// Days a contact counts as infectious, 1 to 28.
    #[schema(minimum = 1, maximum = 28)]
    pub infectious_days: Option<i64>,
}

/// A checkpoint and a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointWindow {
    /// The checkpoint's code.
    pub code: String,
    /// First instant.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

/// A window in place of the cases' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Infectious {
    /// First instant.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// First instant after it; `null`: up to the moment of the search.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// Terms of the second ring, as far as they were given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring2Terms {
    /// Minutes needed on both hops.
    pub min_minutes: Option<u32>,
    /// Hours from infection to being infectious.
    pub latent_hours: Option<u32>,
    /// Days a contact counts as infectious.
    pub infectious_days: Option<u32>,
}

/// What was asked for, as it is stored with the run. Holds nobody's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The cases, empty for the other kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Uuid>,
    /// The checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointWindow>,
    /// Rings to search.
    pub rings: i64,
    /// Minutes that put a person on the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_minutes: Option<u32>,
    /// Longest residual air, minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_air_minutes: Option<u32>,
    /// A window in place of the cases' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infectious: Option<Infectious>,
    /// Terms of the second ring.
    #[serde(default)]
    pub ring2: Ring2Terms,
}

/// A lookup that can be run.
#[derive(Clone, Debug)]
pub struct Order {
    /// What to look for.
    pub parameters: Parameters,
    /// The person looked up, with the pseudonyms known by the number given; empty otherwise.
    pub persons: Vec<PersonId>,
    /// Why.
    pub reason: String,
    /// Number of the document.
    pub document: String,
}

impl Order {
    /// `case`, `cases`, `checkpoint` or `person`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (&self.parameters.checkpoint, self.parameters.cases.len()) {
            (Some(_), _) => "checkpoint",
            (None, 0) => "person",
            (None, 1) => "case",
            (None, _) => "cases",
        }
    }
}

impl CheckpointWindow {
    /// The window as a span of ms UTC.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        Span::new(self.from.as_ms(), self.until.as_ms())
    }
}

impl LookupDraft {
    /// Read the draft.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with paths as in the body.
    pub fn parse(self, pseudonymizer: &Pseudonymizer) -> Result<Order, Vec<FieldError>> {
        let mut errors = Vec::new();
        let reason = text(&mut errors, "reason", self.reason, MAX_REASON_CHARS);
        let document = text(&mut errors, "document", self.document, MAX_DOCUMENT_CHARS);
        let targets = [
            self.case.is_some(),
            self.cases.is_some(),
            self.checkpoint.is_some(),
            self.person.is_some(),
        ];
        if targets.iter().filter(|given| **given).count() != 1 {
            errors.push(FieldError::new(
                "case",
                "exactly_one",
                "Chọn đúng một: ca bệnh, các ca bệnh, điểm kiểm dịch hoặc một người.",
                "Give exactly one of case, cases, checkpoint and person.",
            ));
        }
        let rings = self.rings.unwrap_or(1);
        number(&mut errors, "rings", Some(rings), 1, 2);
        let minutes = |errors: &mut _, field, n| number(errors, field, n, 0, MAX_MINUTES);
        let min_minutes = minutes(&mut errors, "min_minutes", self.min_minutes);
        let residual_air_minutes = minutes(
            &mut errors,
            "residual_air_minutes",
            self.residual_air_minutes,
        );
        let mut cases = self.cases.unwrap_or_default();
        if targets.get(1) == Some(&true) && !(1..=MAX_CASES).contains(&cases.len()) {
            errors.push(FieldError::new(
                "cases",
                "out_of_range",
                "Cần từ 1 đến 1.000 ca bệnh.",
                "Give 1 to 1,000 cases.",
            ));
        }
        cases.extend(self.case);
        let mut seen = std::collections::BTreeSet::new();
        cases.retain(|case| seen.insert(*case));
        let given = self.checkpoint.is_some() && self.infectious.is_some();
        if given {
            errors.push(FieldError::new(
                "infectious",
                "not_for_checkpoint",
                "Điểm kiểm dịch đã có khoảng thời gian của nó.",
                "A checkpoint has a window of its own.",
            ));
        }
        let checkpoint = self
            .checkpoint
            .and_then(|draft| checkpoint(&mut errors, &draft));
        let traced = self
            .person
            .map(|draft| person(&mut errors, &draft, pseudonymizer));
        let infectious = self.infectious.and_then(|draft| window(&mut errors, draft));
        let second = ring2(&mut errors, self.ring2.unwrap_or_default());
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Order {
            parameters: Parameters {
                cases,
                checkpoint,
                rings,
                min_minutes,
                residual_air_minutes,
                infectious,
                ring2: second,
            },
            persons: traced.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            document: document.unwrap_or_default(),
        })
    }
}

fn text(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    value: Option<String>,
    max_chars: usize,
) -> Option<String> {
    let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
        errors.push(FieldError::required(field));
        return None;
    };
    let clean = nfc_clean(&value, max_chars).map_err(|_| FieldError::invalid(field));
    clean
        .and_then(|text| {
            if holds_number(&text) {
                Err(number_in(field))
            } else {
                Ok(text)
            }
        })
        .map_err(|error| errors.push(error))
        .ok()
}

fn number(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    value: Option<i64>,
    least: i64,
    most: i64,
) -> Option<u32> {
    let value = value?;
    if !(least..=most).contains(&value) {
        errors.push(FieldError::new(
            field,
            "out_of_range",
            "Số này ngoài phạm vi cho phép.",
            "This number is out of range.",
        ));
        return None;
    }
    u32::try_from(value).ok()
}

fn backwards(field: &'static str) -> FieldError {
    FieldError::new(
        field,
        "not_after_from",
        "Thời điểm kết thúc phải sau thời điểm bắt đầu.",
        "The end must lie after the beginning.",
    )
}

fn checkpoint(errors: &mut Vec<FieldError>, draft: &CheckpointDraft) -> Option<CheckpointWindow> {
    let code = match draft.code.as_deref().map(str::parse::<Code>) {
        Some(Ok(code)) => Some(code.to_string()),
        Some(Err(_)) => {
            errors.push(FieldError::invalid("checkpoint.code"));
            None
        }
        None => {
            errors.push(FieldError::required("checkpoint.code"));
            None
        }
    };
    for (field, missing) in [
        ("checkpoint.from", draft.from.is_none()),
        ("checkpoint.until", draft.until.is_none()),
    ] {
        if missing {
            errors.push(FieldError::required(field));
        }
    }
    let found = CheckpointWindow {
        code: code?,
        from: draft.from?,
        until: draft.until?,
    };
    if found.span().is_none() {
        errors.push(backwards("checkpoint.until"));
        return None;
    }
    Some(found)
}

fn person(
    errors: &mut Vec<FieldError>,
    draft: &PersonDraft,
    pseudonymizer: &Pseudonymizer,
) -> Vec<PersonId> {
    let read = match (&draft.phone, &draft.id_number) {
        (Some(phone), None) => Phone::parse(phone)
            .map(|phone| pseudonymizer.of_phone(&phone))
            .map_err(|error| error.in_field("person.phone")),
        (None, Some(id)) => IdNumber::parse(id)
            .map(|id| pseudonymizer.of_id(&id))
            .map_err(|error| error.in_field("person.id_number")),
        _ => Err(FieldError::new(
            "person",
            "exactly_one",
            "Cho đúng một: số điện thoại hoặc số giấy tờ.",
            "Give exactly one of phone and id_number.",
        )),
    };
    read.map_err(|error| errors.push(error))
        .into_iter()
        .collect()
}

fn window(errors: &mut Vec<FieldError>, draft: WindowDraft) -> Option<Infectious> {
    let Some(from) = draft.from else {
        errors.push(FieldError::required("infectious.from"));
        return None;
    };
    if draft.until.is_some_and(|until| until <= from) {
        errors.push(backwards("infectious.until"));
        return None;
    }
    Some(Infectious {
        from,
        until: draft.until,
    })
}

fn ring2(errors: &mut Vec<FieldError>, draft: Ring2Draft) -> Ring2Terms {
    let mut read = |field, n, least, most| number(errors, field, n, least, most);
    Ring2Terms {
        min_minutes: read("ring2.min_minutes", draft.min_minutes, 0, MAX_MINUTES),
        latent_hours: read("ring2.latent_hours", draft.latent_hours, 0, 240),
        infectious_days: read("ring2.infectious_days", draft.infectious_days, 1, 28),
    }
}

impl std::fmt::Debug for LookupDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for PersonDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Order, Vec<(String, &'static str)>> {
        let draft: LookupDraft = serde_json::from_str(json).unwrap();
        draft
            .parse(&Pseudonymizer::new(&[7; 32], 1))
            .map_err(|errors| {
                errors
                    .into_iter()
                    .map(|error| (error.field.into_owned(), error.code))
                    .collect()
            })
    }

    #[test]
    fn a_reason_and_a_document_or_nothing() {
        let errors = parse(r#"{"person":{"phone":"0901234567"},"reason":"  "}"#).unwrap_err();
        assert_eq!(
            errors,
            [
                ("reason".to_owned(), "required"),
                ("document".to_owned(), "required")
            ]
        );
    }

    #[test]
    fn nobodys_number_goes_into_the_log() {
        let target = r#""person":{"phone":"0901234567"}"#;
        let errors = parse(&format!(
            r#"{{{target},"reason":"hỏi 0901 234 567","document":"001090000001"}}"#
        ));
        assert_eq!(
            errors.unwrap_err(),
            [
                ("reason".to_owned(), "holds_number"),
                ("document".to_owned(), "holds_number")
            ]
        );
    }

    #[test]
    fn exactly_one_thing_to_look_for() {
        let order = |target: &str| {
            let comma = if target.is_empty() { "" } else { "," };
            parse(&format!(
                r#"{{"reason":"F0 mới","document":"12/CDC"{comma}{target}}}"#
            ))
        };
        assert_eq!(order("").unwrap_err()[0].1, "exactly_one");
        let id = "00000000-0000-4000-8000-000000000001";
        let case = format!(r#""case":"{id}""#);
        assert_eq!(order(&case).unwrap().kind(), "case");
        let cases = format!(r#""cases":["{id}","{id}"]"#);
        assert_eq!(order(&cases).unwrap().parameters.cases.len(), 1);
        assert_eq!(
            order(&format!("{case},{cases}")).unwrap_err()[0].1,
            "exactly_one"
        );
        let person = order(r#""person":{"phone":"0901234567"}"#).unwrap();
        assert_eq!((person.kind(), person.persons.len()), ("person", 1));
        let both = r#""person":{"phone":"0901234567","id_number":"001090000000"}"#;
        assert_eq!(order(both).unwrap_err()[0].1, "exactly_one");
        assert_eq!(order(r#""cases":[]"#).unwrap_err()[0].1, "out_of_range");
    }

    #[test]
    fn windows_and_numbers_are_checked() {
        let order = |rest: &str| {
            parse(&format!(
                r#"{{"reason":"a","document":"b","person":{{"phone":"0901234567"}},{rest}}}"#
            ))
        };
        let fault = |rest: &str| order(rest).unwrap_err()[0].clone();
        let at = |field: &str, code| (field.to_owned(), code);
        assert_eq!(fault(r#""rings":3"#), at("rings", "out_of_range"));
        assert_eq!(
            fault(r#""min_minutes":-1"#),
            at("min_minutes", "out_of_range")
        );
        assert_eq!(
            fault(r#""infectious":{"from":"2026-11-01T00:00:00Z","until":"2026-11-01T00:00:00Z"}"#),
            at("infectious.until", "not_after_from")
        );
        assert_eq!(
            fault(r#""ring2":{"infectious_days":0}"#),
            at("ring2.infectious_days", "out_of_range")
        );
        let good =
            order(r#""residual_air_minutes":0,"infectious":{"from":"2026-11-01T00:00:00Z"}"#);
        assert_eq!(good.unwrap().parameters.residual_air_minutes, Some(0));
    }

    #[test]
    fn what_is_stored_holds_no_number() {
        let order =
            parse(r#"{"reason":"a","document":"b","person":{"phone":"0901234567"}}"#).unwrap();
        let stored = serde_json::to_string(&order.parameters).unwrap();
        assert!(!stored.contains("901234567"), "{stored}");
        assert_eq!(
            serde_json::from_str::<Parameters>(&stored).unwrap(),
            order.parameters
        );
    }
}
