//! A person's own data as a file to take along: for reading, or for another program.

use actix_web::{HttpResponse, http::header, web};
use askama::Template as _;
use serde_json::{Value, json};

use super::{
    frame::{Frame, go},
    own_data::{self, Person},
    own_rows,
    views::OwnCopy,
};
use crate::{
    base::{Failure, Kind, Timestamp, failure::Result},
    declarations::{Answers, Contact, YesNo},
    http::App,
    privacy::opened::KEPT_DAYS,
    rights::{Declared, Kept, Opens, Stay, Way, seen},
};

/// `GET /du-lieu-cua-toi/ban-sao.{format}`: `html` or `json`.
pub async fn copy(frame: Frame, format: web::Path<String>) -> Result<HttpResponse> {
    let Some(person) = Person::of(frame).await? else {
        return Ok(go(own_data::PATH).finish());
    };
    let (kind, body) = match format.as_str() {
        "html" => {
            let kept = person.kept(Way::File).await?;
            ("text/html; charset=utf-8", readable(&person, &kept)?)
        }
        "json" => {
            let kept = person.kept(Way::File).await?;
            ("application/json", machine(&person, &kept)?)
        }
        _ => return Err(Kind::NotFound.into()),
    };
    let name = format!("attachment; filename=\"du-lieu-cua-toi.{format}\"");
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body))
}

fn readable(person: &Person, kept: &Kept) -> Result<String> {
    let app = &person.frame.app;
    let page = person.frame.page();
    OwnCopy {
        phone: person.session.phone.national(),
        made: page.moment(app.clock.now()),
        declarations: own_rows::declared(app, &page, kept),
        stays: own_rows::stays(app, &page, kept),
        opened: own_rows::opened(app, &page, kept),
        opened_days: KEPT_DAYS,
        p: page,
    }
    .render()
    .map_err(Failure::internal)
}

fn machine(person: &Person, kept: &Kept) -> Result<String> {
    let app = &person.frame.app;
    let days = app.settings.retention_days;
    let declarations = kept.declarations.iter().map(|one| declared(one, days));
    let stays = kept.stays.iter().map(|one| stay(app, one, days));
    let all = json!({
        "phone": person.session.phone.e164(),
        "exported_at": app.clock.now(),
        "retention_days": days,
        "declarations": declarations.collect::<Vec<_>>(),
        "stays": stays.collect::<Vec<_>>(),
        "opened": kept.opened.iter().map(opens).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&all).map_err(Failure::internal)
}

/// An office of the whole country has no province.
fn opens(opens: &Opens) -> Value {
    json!({
        "month": format!("{}-{:02}", opens.year, opens.month),
        "purpose": opens.purpose,
        "province": Some(&opens.office).filter(|office| !office.is_empty()),
        "times": opens.times,
    })
}

fn declared(declared: &Declared, days: u16) -> Value {
    json!({
        "id": declared.id,
        "made_at": declared.at(),
        "contact": declared.contact.as_ref().map(contact),
        "corrected_at": declared.corrected_at,
        "answers": declared.answers.as_ref().map(answers),
        "risk": declared.risk,
        "questionnaire": declared.questionnaire,
        "consent_version": declared.consent_version,
        "kept_until": seen::declaration_ends(declared.at(), days),
    })
}

/// In the shape in which a declaration is sent.
fn contact(contact: &Contact) -> Value {
    json!({
        "full_name": contact.full_name.as_ref().map(crate::identity::FullName::as_str),
        "birth_year": contact.birth_year,
        "sex": contact.sex.map(crate::identity::Sex::as_str),
        "nationality": contact.nationality,
        "id_number": contact.id_number.as_ref().map(crate::identity::IdNumber::as_str),
        "phone": contact.phone.as_ref().map(crate::identity::Phone::e164),
        "email": contact.email,
        "address": contact.address.as_ref().map(|address| json!({
            "catalogue": address.catalogue.id(),
            "province": address.province,
            "ward": address.ward,
            "street": address.street,
        })),
    })
}

fn answers(answers: &Answers) -> Value {
    let detailed = |answer: &YesNo| json!({"yes": answer.yes, "detail": answer.detail});
    let which: Vec<&str> = answers
        .which
        .iter()
        .map(|symptom| symptom.as_str())
        .collect();
    let mut symptoms = detailed(&answers.symptoms);
    if let Some(symptoms) = symptoms.as_object_mut() {
        symptoms.insert("which".to_owned(), json!(which));
    }
    json!({
        "travel": detailed(&answers.travel),
        "symptoms": symptoms,
        "contact_case": answers.contact_case,
        "contact_affected_area": answers.contact_affected_area,
        "contact_symptomatic": answers.contact_symptomatic,
    })
}

fn stay(app: &App, stay: &Stay, days: u16) -> Value {
    let entry = app.directory.by_id(stay.checkpoint_id);
    json!({
        "id": stay.id,
        "checkpoint": entry.as_ref().map(|entry| entry.checkpoint.name.to_string()),
        "venue": entry.as_ref().map(|entry| entry.venue.name.to_string()),
        "address": own_rows::address(app, stay.checkpoint_id),
        "entered_at": stay.entered_at(),
        "left_at": stay.left_at.map(Timestamp::from_ms),
        "people": stay.headcount,
        "seat": stay.seat,
        "declaration": stay.declaration_id,
        "kept_until": seen::stay_ends(stay.entered_at(), days),
    })
}
