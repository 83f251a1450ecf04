//! `/du-lieu-cua-toi/{declaration}`: correcting what a declaration says of somebody.

use actix_web::{HttpResponse, http::StatusCode, web};
use uuid::Uuid;

use super::{
    area,
    frame::{Frame, go},
    own_data::{PATH, Person},
    page::{Choice, Form, Page},
    sent::Sent,
    views::OwnCorrect,
};
use crate::{
    base::{Kind, failure::Result},
    rights::{self, Correction, Way, session},
};

/// Paths of the room and fields of the form, in the order of the page.
const NAMES: &[(&str, &str)] = &[
    ("full_name", "full_name"),
    ("birth_year", "birth_year"),
    ("sex", "sex"),
    ("address.province", "province"),
    ("address.ward", "ward"),
    ("address.street", "street"),
];

fn correct_page(
    frame: &Frame,
    id: Uuid,
    form: Form,
    wards: Vec<Choice>,
    status: StatusCode,
) -> Result<HttpResponse> {
    let page = frame.page();
    let made = crate::base::ids::time_of(id).unwrap_or_default();
    frame.show_with(
        status,
        &OwnCorrect {
            f: form,
            id: id.to_string(),
            made: page.moment(crate::base::Timestamp::from_ms(made)),
            provinces: area::provinces(&frame.app.regions),
            wards,
            p: page,
        },
    )
}

/// `GET /du-lieu-cua-toi/{declaration}`: what is kept, to be corrected.
pub async fn ask(frame: Frame, id: web::Path<Uuid>) -> Result<HttpResponse> {
    let Some(person) = Person::of(frame).await? else {
        return Ok(go(PATH).finish());
    };
    let Person { frame, session } = &person;
    let app = &frame.app;
    app.db
        .write(async |tx| session::note(tx, session, Way::Page).await)
        .await?;
    let contact = rights::correct::contact(&app.rights(), session.person, *id)
        .await?
        .ok_or(Kind::NotFound)?;
    let mut form = Form::default();
    if let Some(name) = &contact.full_name {
        form.set("full_name", name.as_str());
    }
    if let Some(year) = contact.birth_year {
        form.set("birth_year", year.to_string());
    }
    if let Some(sex) = contact.sex {
        form.set("sex", sex.as_str());
    }
    if let Some(address) = &contact.address {
        form.set("street", address.street.clone());
        if let Some(ward) = app.regions.ward(address.catalogue, &address.ward) {
            form.set("ward", ward.name);
        }
        form.set("province", address.province.clone());
    }
    correct_page(frame, *id, form, Vec::new(), StatusCode::OK)
}

/// `POST /du-lieu-cua-toi/{declaration}`.
pub async fn save(frame: Frame, id: web::Path<Uuid>, sent: Sent) -> Result<HttpResponse> {
    let Some(person) = Person::of(frame).await? else {
        return Ok(go(PATH).finish());
    };
    let Person { frame, session } = &person;
    let app = &frame.app;
    let mut form = sent.0;
    let page = frame.page();
    let (ward, wards) = area::ward(&app.regions, &page, &mut form);
    let correction = read_correction(&page, &mut form, ward);
    if form.errors.is_empty() {
        match rights::correct(&app.rights(), session, *id, &correction).await {
            Ok(()) => return Ok(go(&format!("{PATH}?done=corrected")).finish()),
            Err(failure) if failure.kind == Kind::Invalid => {
                form.blame(&page, &failure.fields, NAMES);
            }
            Err(failure) => return Err(failure),
        }
    }
    correct_page(frame, *id, form, wards, StatusCode::UNPROCESSABLE_ENTITY)
}

fn read_correction(page: &Page, form: &mut Form, ward: Option<String>) -> Correction {
    let birth_year = form.some("birth_year").map(str::to_owned);
    let year = birth_year.as_deref().and_then(|text| text.parse().ok());
    if birth_year.is_some() && year.is_none() {
        form.fail(page, "birth_year", "invalid");
    }
    let text = |name: &str| form.v(name).to_owned();
    Correction {
        full_name: text("full_name"),
        birth_year: year,
        sex: text("sex"),
        province: text("province"),
        ward,
        street: text("street"),
    }
}
