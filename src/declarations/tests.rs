use serde_json::json;

use super::*;
use crate::{
    base::{Random, Timestamp, ids},
    privacy::Key,
    regions::Regions,
};

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T10:00:00Z").unwrap()
}

fn sample() -> serde_json::Value {
    json!({
        "full_name": "Nguyễn Văn Mẫu", "birth_year": 1990, "sex": "male", "nationality": "VN",
        "id_number": null, "phone": "0901234567", "email": null,
        "address": {"province": "80", "ward": "25456", "street": "Số 1"},
        "answers": {
            "travel": {"yes": false, "detail": null},
            "symptoms": {"yes": true, "which": ["fever", "cough"], "detail": null},
            "contact_case": false, "contact_affected_area": false, "contact_symptomatic": false
        },
        "consent": {"version": "2026-1", "given": true}
    })
}

fn parse(body: serde_json::Value) -> Result<Declaration, Vec<(String, &'static str)>> {
    let regions = Regions::load().unwrap();
    let draft: Draft = serde_json::from_value(body).unwrap();
    draft.parse(&regions, now()).map_err(|errors| {
        errors
            .into_iter()
            .map(|error| (error.field.into_owned(), error.code))
            .collect()
    })
}

/// What [`parse`] says of the sample with `value` at `path`.
fn with(path: &str, value: serde_json::Value) -> Vec<(String, &'static str)> {
    let mut body = sample();
    *body.pointer_mut(path).unwrap() = value;
    parse(body).err().unwrap_or_default()
}

#[test]
fn reads_the_sample_of_the_contract() {
    let declaration = parse(sample()).unwrap();
    assert_eq!(declaration.risk, Risk::Stop);
    assert_eq!(declaration.province.as_deref(), Some("80"));
    assert_eq!(declaration.answers.which, [Symptom::Fever, Symptom::Cough]);
    assert_eq!(declaration.contact.phone.unwrap().e164(), "+84901234567");
    // Phường 1 of the old catalogue went into Phường Tân Ninh whole.
    assert_eq!(declaration.contact.address.unwrap().ward, "25459");
}

#[test]
fn reports_every_mistake_at_once_and_presets_nothing() {
    let errors = parse(json!({})).unwrap_err();
    let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "full_name",
            "birth_year",
            "sex",
            "nationality",
            "phone",
            "address",
            "answers",
            "consent"
        ]
    );
    assert!(errors.iter().all(|(_, code)| *code == "required"));
    let errors = with("/answers", json!({}));
    let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "answers.travel",
            "answers.symptoms",
            "answers.contact_case",
            "answers.contact_affected_area",
            "answers.contact_symptomatic"
        ]
    );
    let mut body = sample();
    body["answers"]["contact_case"] = json!(null);
    body["phone"] = json!("12");
    body["address"]["ward"] = json!("00004");
    let errors = parse(body).unwrap_err();
    assert_eq!(
        errors,
        [
            ("phone".to_owned(), "phone_invalid"),
            ("address.ward".to_owned(), "unknown_ward"),
            ("answers.contact_case".to_owned(), "required"),
        ]
    );
}

#[test]
fn each_field_has_its_limits() {
    for (path, value, field, code) in [
        ("/full_name", json!(" "), "full_name", "name_empty"),
        ("/birth_year", json!(1899), "birth_year", "out_of_range"),
        ("/birth_year", json!(2027), "birth_year", "out_of_range"),
        ("/sex", json!("Nam"), "sex", "invalid"),
        (
            "/nationality",
            json!("vn"),
            "nationality",
            "unknown_country",
        ),
        ("/id_number", json!("1"), "id_number", "id_number_invalid"),
        ("/phone", json!(null), "phone", "required"),
        ("/phone", json!(""), "phone", "required"),
        ("/email", json!("a b@c.vn"), "email", "email_invalid"),
        (
            "/address/province",
            json!("99"),
            "address.province",
            "unknown_province",
        ),
        (
            "/address/ward",
            json!("00001"),
            "address.ward",
            "unknown_ward",
        ),
        ("/address/street", json!(""), "address.street", "required"),
        (
            "/address/street",
            json!("a".repeat(501)),
            "address.street",
            "too_long",
        ),
        (
            "/address/street",
            json!("a\u{202e}b"),
            "address.street",
            "control_character",
        ),
        (
            "/answers/symptoms/which",
            json!(["pox"]),
            "answers.symptoms.which",
            "invalid",
        ),
        (
            "/answers/symptoms/which",
            json!([]),
            "answers.symptoms.which",
            "required",
        ),
        (
            "/answers/symptoms/yes",
            json!(false),
            "answers.symptoms.which",
            "contradiction",
        ),
        (
            "/answers/symptoms/yes",
            json!(null),
            "answers.symptoms.yes",
            "required",
        ),
        (
            "/consent/given",
            json!(false),
            "consent.given",
            "consent_needed",
        ),
        (
            "/consent/version",
            json!("1999-1"),
            "consent.version",
            "unknown_version",
        ),
    ] {
        assert_eq!(
            with(path, value.clone()),
            [(field.to_owned(), code)],
            "{path} {value}"
        );
    }
    for (path, value) in [
        ("/birth_year", json!(2026)),
        ("/birth_year", json!(1900)),
        ("/email", json!("mau@example.vn")),
        ("/address/street", json!("ễ".repeat(500))),
        ("/answers/symptoms/which", json!(["cough", "cough"])),
    ] {
        assert_eq!(with(path, value.clone()), [], "{path} {value}");
    }
}

#[test]
fn a_phone_is_not_needed_with_an_id_and_old_addresses_keep_their_catalogue() {
    let mut body = sample();
    body["phone"] = json!(null);
    body["id_number"] = json!("001090000000");
    body["address"] =
        json!({"catalogue": "2025-03", "province": "01", "ward": "00001", "street": "Ngõ 2"});
    let declaration = parse(body).unwrap();
    assert_eq!(declaration.province.as_deref(), Some("01"));
    let address = declaration.contact.address.as_ref().unwrap();
    assert_eq!(address.catalogue, Catalogue::March2025);
    let pseudonymizer = Pseudonymizer::new(&[7; 32], 1);
    let person = declaration.contact.person(&pseudonymizer).unwrap();
    assert!(person.alias.is_none());
}

#[test]
fn risk_follows_the_table() {
    let calm = |which: &[Symptom], case, area, symptomatic| {
        Risk::of(&Answers {
            travel: YesNo {
                yes: true,
                detail: None,
            },
            symptoms: YesNo {
                yes: !which.is_empty(),
                detail: None,
            },
            which: which.to_vec(),
            contact_case: case,
            contact_affected_area: area,
            contact_symptomatic: symptomatic,
        })
    };
    assert_eq!(calm(&[], false, false, false), Risk::Clear);
    assert_eq!(calm(&[], true, false, false), Risk::Stop);
    assert_eq!(calm(&[], false, true, false), Risk::Caution);
    assert_eq!(calm(&[], false, false, true), Risk::Caution);
    for symptom in Symptom::ALL {
        let expected =
            if ["fever", "dyspnoea", "pneumonia", "loss_of_taste"].contains(&symptom.as_str()) {
                Risk::Stop
            } else {
                Risk::Caution
            };
        assert_eq!(
            calm(&[symptom], false, false, false),
            expected,
            "{symptom:?}"
        );
        assert_eq!(Symptom::parse(symptom.as_str()), Some(symptom));
    }
    assert_eq!(Risk::parse(UNDECLARED), None);
    assert_eq!(Risk::parse("stop"), Some(Risk::Stop));
}

#[test]
fn what_is_sealed_opens_only_in_its_row() {
    let random = Random::seeded(1);
    let key = Key::new(&random);
    let mut body = sample();
    body["full_name"] = json!("Đỗ \"Thị\" \\ Ổi");
    body["id_number"] = json!("001090000000");
    let declaration = parse(body).unwrap();
    let person = declaration
        .contact
        .person(&Pseudonymizer::new(&[7; 32], 1))
        .unwrap();
    assert!(person.alias.is_some());
    let id = ids::v7(now(), &random);
    let sealed = Sealed::new(&declaration, person.id, id, &key, &random);
    let opened = unseal_contact(&key, person.id, id, &sealed.contact).unwrap();
    assert!(opened == declaration.contact);
    let elsewhere = ids::v7(now(), &random);
    assert!(unseal_contact(&key, person.id, elsewhere, &sealed.contact).is_none());
    assert!(unseal_contact(&key, person.alias.unwrap(), id, &sealed.contact).is_none());
    assert!(unseal_contact(&key, person.id, id, &sealed.answers).is_none());
    let hidden = format!(
        "{declaration:?} {:?} {:?}",
        declaration.contact, declaration.answers
    );
    assert_eq!(hidden, "*** *** ***");
}
