//! What is kept of a person, in words for that person.

use super::{
    page::Page,
    views::{DeclaredRow, Fact, OpenedRow, StayRow},
};
use crate::{
    base::Timestamp,
    declarations::{Answers, Contact, YesNo},
    http::App,
    regions::{Catalogue, Regions},
    rights::{Declared, Kept, Stay, seen},
};

/// Days that the declaration's questions look back.
const LOOK_BACK_DAYS: u32 = 14;

/// Declarations, the latest first.
pub fn declared(app: &App, page: &Page, kept: &Kept) -> Vec<DeclaredRow> {
    let days = app.settings.retention_days;
    kept.declarations
        .iter()
        .map(|declared| DeclaredRow {
            id: declared.id.to_string(),
            made: page.moment(declared.at()),
            place: first_place(app, kept, declared),
            contact: declared
                .contact
                .as_ref()
                .map(|contact| contact_facts(&app.regions, page, contact))
                .unwrap_or_default(),
            answers: declared
                .answers
                .as_ref()
                .map(|answers| answer_facts(page, answers))
                .unwrap_or_default(),
            risk: declared.risk.clone(),
            consent: declared.consent_version.clone(),
            corrected: declared
                .corrected_at
                .map(|at| page.moment(at))
                .unwrap_or_default(),
            until: page.moment(seen::declaration_ends(declared.at(), days)),
        })
        .collect()
}

/// Stays, the latest first.
pub fn stays(app: &App, page: &Page, kept: &Kept) -> Vec<StayRow> {
    let days = app.settings.retention_days;
    kept.stays
        .iter()
        .map(|stay| StayRow {
            place: place(app, stay.checkpoint_id),
            address: address(app, stay.checkpoint_id),
            entered: page.moment(stay.entered_at()),
            left: stay
                .left_at
                .map(|at| page.moment(Timestamp::from_ms(at)))
                .unwrap_or_default(),
            headcount: stay.headcount,
            until: page.moment(seen::stay_ends(stay.entered_at(), days)),
        })
        .collect()
}

/// How often the data was opened, the latest month first.
pub fn opened(app: &App, page: &Page, kept: &Kept) -> Vec<OpenedRow> {
    kept.opened
        .iter()
        .map(|opens| OpenedRow {
            month: format!("{:02}/{}", opens.month, opens.year),
            purpose: page.tx("own-opened-for", &opens.purpose),
            office: office(&app.regions, page, &opens.office),
            times: page.num(opens.times),
        })
        .collect()
}

/// The health office of a province, or of the whole country.
fn office(regions: &Regions, page: &Page, province: &str) -> String {
    if province.is_empty() {
        return page.t("own-opened-country");
    }
    let name = regions
        .province(Catalogue::default(), province)
        .map_or(province, |place| place.name);
    page.t1("own-opened-office", "place", name)
}

/// The checkpoint and its venue, by name.
pub fn place(app: &App, checkpoint: i64) -> String {
    app.directory
        .by_id(checkpoint)
        .map(|entry| format!("{}, {}", entry.checkpoint.name, entry.venue.name))
        .unwrap_or_default()
}

/// Where a checkpoint is.
pub fn address(app: &App, checkpoint: i64) -> String {
    app.directory
        .by_id(checkpoint)
        .map(|entry| entry.venue.address.line(&app.regions))
        .unwrap_or_default()
}

/// Where a declaration was shown first.
fn first_place(app: &App, kept: &Kept, declared: &Declared) -> String {
    let shown = |stay: &&Stay| stay.declaration_id == Some(declared.id);
    let first = kept.stays.iter().rev().find(shown);
    first.map_or_else(String::new, |stay| place(app, stay.checkpoint_id))
}

fn contact_facts(regions: &Regions, page: &Page, contact: &Contact) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push(Fact {
                name: page.t(key),
                value,
            });
        }
    };
    let name = contact.full_name.as_ref();
    add("full-name", name.map(|name| name.as_str().to_owned()));
    add(
        "birth-year",
        contact.birth_year.map(|year| year.to_string()),
    );
    add("sex", contact.sex.map(|sex| page.tx("sex", sex.as_str())));
    add("nationality", contact.nationality.clone());
    let id = contact.id_number.as_ref();
    add("id-number", id.map(|id| id.as_str().to_owned()));
    let phone = contact.phone.as_ref();
    add("phone", phone.map(crate::identity::Phone::national));
    add("own-email", contact.email.clone());
    add(
        "part-address",
        contact.address.as_ref().map(|address| {
            line(
                regions,
                address.catalogue,
                &address.province,
                &address.ward,
                &address.street,
            )
        }),
    );
    facts
}

/// An address in one line, from small to large.
pub fn line(
    regions: &Regions,
    catalogue: Catalogue,
    province: &str,
    ward: &str,
    street: &str,
) -> String {
    let ward = regions
        .ward(catalogue, ward)
        .map_or(ward, |place| place.name);
    let province = regions
        .province(catalogue, province)
        .map_or(province, |place| place.name);
    format!("{street}, {ward}, {province}")
}

fn answer_facts(page: &Page, answers: &Answers) -> Vec<Fact> {
    let word = |yes: bool| page.t(if yes { "yes" } else { "no" });
    let detailed = |answer: &YesNo| match &answer.detail {
        Some(detail) => format!("{}: {detail}", word(answer.yes)),
        None => word(answer.yes),
    };
    let which: Vec<String> = answers
        .which
        .iter()
        .map(|symptom| page.tx("symptom", symptom.as_str()))
        .collect();
    let mut symptoms = detailed(&answers.symptoms);
    if !which.is_empty() {
        symptoms = format!("{symptoms} ({})", which.join(", "));
    }
    let contact = |whom: String| format!("{} {whom}", page.tn("question-contact", LOOK_BACK_DAYS));
    let fact = |name: String, value: String| Fact { name, value };
    vec![
        fact(
            page.tn("question-travel", LOOK_BACK_DAYS),
            detailed(&answers.travel),
        ),
        fact(page.tn("question-symptoms", LOOK_BACK_DAYS), symptoms),
        fact(
            contact(page.t("question-contact-case")),
            word(answers.contact_case),
        ),
        fact(
            contact(page.t("question-contact-area")),
            word(answers.contact_affected_area),
        ),
        fact(
            contact(page.t("question-contact-symptomatic")),
            word(answers.contact_symptomatic),
        ),
    ]
}
