//! The declaration as a form: field names, and how they become what the room reads.
//!
//! Nothing is judged here but what a form alone can get wrong (a year that is no number, a ward that
//! is typed); everything else is the room's business, so that page and API refuse the same things.

use uuid::Uuid;

use super::{
    area,
    page::{Choice, Form, Page},
};
use crate::{
    base::{Timestamp, ids},
    checkins::NewCheckIn,
    declarations::{AddressDraft, AnswersDraft, ConsentDraft, Draft, SymptomsDraft, TravelDraft},
    regions::Regions,
};

/// Paths of the room and fields of the form, in the order of the page.
pub const NAMES: &[(&str, &str)] = &[
    ("declaration.full_name", "full_name"),
    ("declaration.birth_year", "birth_year"),
    ("declaration.sex", "sex"),
    ("declaration.phone", "phone"),
    ("declaration.id_number", "id_number"),
    ("declaration.nationality", "nationality"),
    ("declaration.address", "province"),
    ("declaration.address.province", "province"),
    ("declaration.address.ward", "ward"),
    ("declaration.address.street", "street"),
    ("declaration.answers.travel", "travel"),
    ("declaration.answers.travel.yes", "travel"),
    ("declaration.answers.travel.detail", "travel_detail"),
    ("declaration.answers.symptoms", "symptoms"),
    ("declaration.answers.symptoms.yes", "symptoms"),
    ("declaration.answers.symptoms.which", "symptom"),
    ("declaration.answers.symptoms.detail", "symptoms_detail"),
    ("declaration.answers.contact_case", "contact_case"),
    (
        "declaration.answers.contact_affected_area",
        "contact_affected_area",
    ),
    (
        "declaration.answers.contact_symptomatic",
        "contact_symptomatic",
    ),
    ("companions", "companions"),
    ("declaration.consent", "consent"),
    ("declaration.consent.given", "consent"),
    ("declaration.consent.version", "consent"),
];

/// A page may be open this long before it is sent, in milliseconds, for its arrival to be the time
/// at which it was opened: half an hour. Later the arrival is the sending.
const OPEN_MS: i64 = 30 * 60 * 1000;

/// The id of a check-in that the page proposed, if it is still of now.
#[must_use]
pub fn id(form: &Form, now: Timestamp) -> Option<Uuid> {
    let id = Uuid::try_parse(form.v("id")).ok()?;
    let age = now.as_ms() - ids::time_of(id)?;
    (0..=OPEN_MS).contains(&age).then_some(id)
}

/// People who came along: none when the field is empty, and an impossible number when it is no
/// number, which the room refuses.
#[must_use]
pub fn companions(form: &Form) -> Option<i64> {
    form.some("companions")
        .map(|text| text.parse().unwrap_or(-1))
}

/// What the form says, and the wards to choose from when the typed one fits several. What a form
/// alone gets wrong is noted in it and left out of the draft, which the room then refuses.
pub fn read(
    regions: &Regions,
    page: &Page,
    form: &mut Form,
    now: Timestamp,
    checkpoint: &str,
) -> (NewCheckIn, Vec<Choice>) {
    let (ward, wards) = area::ward(regions, page, form);
    let birth_year = form.some("birth_year").map(str::to_owned);
    let year = birth_year.as_deref().and_then(|text| text.parse().ok());
    if birth_year.is_some() && year.is_none() {
        form.fail(page, "birth_year", "invalid");
    }
    let text = |name: &str| form.some(name).map(str::to_owned);
    let draft = Draft {
        full_name: text("full_name"),
        birth_year: year,
        sex: text("sex"),
        nationality: text("nationality"),
        id_number: text("id_number"),
        phone: text("phone"),
        email: None,
        address: Some(AddressDraft {
            catalogue: None,
            province: text("province"),
            ward,
            street: text("street"),
        }),
        answers: Some(answers(form)),
        consent: Some(ConsentDraft {
            version: text("consent").or_else(|| Some(super::consent_version().to_owned())),
            given: Some(text("consent").is_some()),
        }),
    };
    let new = NewCheckIn {
        id: id(form, now),
        checkpoint: checkpoint.to_owned(),
        declaration: Some(Box::new(draft)),
        companions: companions(form),
        ..NewCheckIn::default()
    };
    (new, wards)
}

fn yes_no(form: &Form, name: &str) -> Option<bool> {
    match form.v(name) {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn answers(form: &Form) -> AnswersDraft {
    let text = |name: &str| form.some(name).map(str::to_owned);
    AnswersDraft {
        travel: Some(TravelDraft {
            yes: yes_no(form, "travel"),
            detail: text("travel_detail"),
        }),
        symptoms: Some(SymptomsDraft {
            yes: yes_no(form, "symptoms"),
            which: Some(form.all("symptom").map(str::to_owned).collect()),
            detail: text("symptoms_detail"),
        }),
        contact_case: yes_no(form, "contact_case"),
        contact_affected_area: yes_no(form, "contact_affected_area"),
        contact_symptomatic: yes_no(form, "contact_symptomatic"),
    }
}
