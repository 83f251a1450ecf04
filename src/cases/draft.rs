//! What an officer sends to report a case, and how it becomes a [`NewCase`].
//!
//! Every field may be missing, so that all mistakes are told at once, each by its path.

use serde::Deserialize;
use time::Date;
use utoipa::ToSchema;

use crate::{
    base::{FieldError, Timestamp, failure::Errors, text::nfc_clean, time::VIETNAM},
    cases::{
        file::{Patient, PatientAddress},
        rules::{self, RuleSet},
        window::{Course, Field, Isolated, Window, WindowError, infectious, parse_day},
    },
    identity::{FullName, IdNumber, PersonId, Phone, Pseudonymizer, holds_number, number_in},
    regions::{Catalogue, Regions},
};

/// Longest name of a disease, in characters.
const MAX_DISEASE_CHARS: usize = 64;

/// Longest street, in characters.
const MAX_STREET_CHARS: usize = 500;

/// A case as it is sent. Dates are local days of Viet Nam.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCase)]
pub struct CaseDraft {
    /// The disease.
    #[schema(required = true, example = "covid-19")]
    pub disease: Option<String>,
    /// Id of the rule set; `vn-11042` when absent.
    #[schema(example = "vn-11042")]
    pub rule: Option<String>,
    /// Who; phone or ID number is needed to find the visits.
    #[schema(required = true)]
    pub patient: Option<PatientDraft>,
    /// First day with symptoms.
    #[schema(example = "2026-11-15")]
    pub onset_on: Option<String>,
    /// Day of the positive sample.
    pub sampled_on: Option<String>,
    /// Day of confirmation; the anchor of the window without onset and sample.
    #[schema(required = true, example = "2026-11-18")]
    pub confirmed_on: Option<String>,
    /// When the patient was isolated: an RFC 3339 time, or a day, which counts to its end.
    pub isolated_at: Option<String>,
    /// Day of a test that ends the window; it counts through that day's end.
    pub negative_on: Option<String>,
}

/// The patient as it is sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPatient)]
pub struct PatientDraft {
    /// Full name, 1 to 100 characters.
    #[schema(required = true, example = "Nguyễn Văn Mẫu")]
    pub full_name: Option<String>,
    /// Vietnamese number as people write it, or a foreign one in E.164.
    #[schema(example = "0901234567")]
    pub phone: Option<String>,
    /// Identity card, insurance card or passport.
    pub id_number: Option<String>,
    /// Year of birth, 1900 to this year.
    #[schema(example = 1990)]
    pub birth_year: Option<i64>,
    /// Where the patient lives.
    pub address: Option<PatientAddressDraft>,
}

/// The patient's address as it is sent; all of it may be unknown.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PatientAddress)]
pub struct PatientAddressDraft {
    /// The catalogue of the codes; absent: today's.
    pub catalogue: Option<String>,
    /// Code of the province.
    #[schema(example = "80")]
    pub province: Option<String>,
    /// Code of the ward.
    #[schema(example = "25456")]
    pub ward: Option<String>,
    /// House, street, hamlet.
    pub street: Option<String>,
}

/// A case that can be stored: nothing in it can be wrong.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// The disease.
    pub disease: String,
    /// The rule set.
    pub rule: &'static RuleSet,
    /// What is known of the course.
    pub course: Course,
    /// Day of confirmation.
    pub confirmed_on: Date,
    /// The window that follows.
    pub window: Window,
    /// Who, to be sealed.
    pub patient: Patient,
    /// The patient's pseudonyms; none when only the name is known, and then no visits are found.
    pub persons: Vec<PersonId>,
}

impl CaseDraft {
    /// Read the draft as of `now`.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with paths as in the body.
    pub fn parse(
        self,
        regions: &Regions,
        pseudonymizer: &Pseudonymizer,
        now: Timestamp,
    ) -> Result<NewCase, Vec<FieldError>> {
        let mut errors = Errors(Vec::new());
        let disease = errors.required("disease", self.disease, |text| {
            let name = nfc_clean(&text, MAX_DISEASE_CHARS);
            let name = name.map_err(|_| FieldError::invalid("disease"))?;
            if holds_number(&name) {
                return Err(number_in("disease"));
            }
            Ok(name)
        });
        let rule = errors.keep(rule(self.rule.as_deref()));
        let days = [
            errors.day("onset_on", self.onset_on),
            errors.day("sampled_on", self.sampled_on),
            errors.day("negative_on", self.negative_on),
        ];
        let confirmed_on = errors.required("confirmed_on", self.confirmed_on, |text| {
            day("confirmed_on", &text)
        });
        let isolated_at = errors.optional(self.isolated_at, |text| isolated(&text));
        let patient = errors.required("patient", self.patient, Ok);
        let patient = patient.and_then(|patient| errors.patient(patient, regions, now));
        let whole = || {
            let [onset_on, sampled_on, negative_on] = days;
            let course = Course {
                onset_on: onset_on?,
                sampled_on: sampled_on?,
                confirmed_on: Some(confirmed_on?),
                isolated_at: isolated_at?,
                negative_on: negative_on?,
            };
            let (patient, phone, id_number) = patient?;
            let by_phone = phone.as_ref().map(|phone| pseudonymizer.of_phone(phone));
            let by_id = id_number.as_ref().map(|id| pseudonymizer.of_id(id));
            Some((
                course,
                rule?,
                patient,
                by_phone.into_iter().chain(by_id).collect(),
            ))
        };
        let (Some((course, rule, patient, persons)), Some(disease), Some(confirmed_on)) =
            (whole(), disease, confirmed_on)
        else {
            return Err(errors.0);
        };
        if !errors.0.is_empty() {
            return Err(errors.0);
        }
        let window = infectious(&course, rule, now.as_ms()).map_err(|error| vec![told(error)])?;
        Ok(NewCase {
            disease,
            rule,
            course,
            confirmed_on,
            window,
            patient,
            persons,
        })
    }
}

fn rule(id: Option<&str>) -> Result<&'static RuleSet, FieldError> {
    rules::find(id.unwrap_or(rules::DEFAULT)).ok_or(FieldError::new(
        "rule",
        "unknown_rule",
        "Không có bộ quy tắc này.",
        "There is no such rule set.",
    ))
}

fn day(field: &'static str, text: &str) -> Result<Date, FieldError> {
    parse_day(text).ok_or_else(|| {
        FieldError::new(
            field,
            "not_a_day",
            "Ngày viết theo dạng NĂM-THÁNG-NGÀY, ví dụ 2026-11-15.",
            "Write the day as YEAR-MONTH-DAY, for example 2026-11-15.",
        )
    })
}

fn isolated(text: &str) -> Result<Isolated, FieldError> {
    if let Some(at) = Timestamp::parse(text.trim()) {
        return Ok(Isolated::At(at.as_ms()));
    }
    day("isolated_at", text).map(Isolated::On)
}

fn told(error: WindowError) -> FieldError {
    match error {
        WindowError::NoAnchor => FieldError::required(Field::Confirmed.name()),
        WindowError::Future(field) => FieldError::new(
            field.name(),
            "in_the_future",
            "Ngày này chưa đến.",
            "This date lies in the future.",
        ),
        WindowError::OutOfRange(field) => FieldError::new(
            field.name(),
            "out_of_range",
            "Ngày này quá xa.",
            "This date is too far away.",
        ),
        WindowError::Empty(field) => FieldError::new(
            field.name(),
            "window_empty",
            "Thời kỳ lây nhiễm kết thúc trước khi bắt đầu; hãy kiểm tra các ngày.",
            "The infectious period would end before it begins; check the dates.",
        ),
    }
}

impl Errors {
    #[expect(clippy::option_option, reason = "nothing and a mistake are different")]
    fn day(&mut self, field: &'static str, value: Option<String>) -> Option<Option<Date>> {
        self.optional(value, |text| day(field, &text))
    }

    fn patient(
        &mut self,
        draft: PatientDraft,
        regions: &Regions,
        now: Timestamp,
    ) -> Option<(Patient, Option<Phone>, Option<IdNumber>)> {
        let full_name = self.required("patient.full_name", draft.full_name, |text| {
            FullName::parse(&text).map_err(|error| error.in_field("patient.full_name"))
        });
        let phone = self.optional(draft.phone, |text| {
            Phone::parse(&text).map_err(|error| error.in_field("patient.phone"))
        });
        let id_number = self.optional(draft.id_number, |text| {
            IdNumber::parse(&text).map_err(|error| error.in_field("patient.id_number"))
        });
        let this_year = i64::from(now.at(VIETNAM).year());
        let birth_year = match draft.birth_year {
            None => Some(None),
            Some(year) => self.keep(
                u16::try_from(year)
                    .ok()
                    .filter(|_| (1900..=this_year).contains(&year))
                    .map(Some)
                    .ok_or(FieldError::new(
                        "patient.birth_year",
                        "out_of_range",
                        "Năm sinh phải từ 1900 đến năm nay.",
                        "The year of birth must be from 1900 to this year.",
                    )),
            ),
        };
        let address = match draft.address {
            None => Some(None),
            Some(draft) => self.keep(address(draft, regions)).map(Some),
        };
        let (phone, id_number) = (phone?, id_number?);
        let patient = Patient {
            full_name: full_name?.as_str().to_owned(),
            phone: phone.as_ref().map(|phone| phone.e164().to_owned()),
            id_number: id_number.as_ref().map(|id| id.as_str().to_owned()),
            birth_year: birth_year?,
            address: address?,
        };
        Some((patient, phone, id_number))
    }
}

fn address(draft: PatientAddressDraft, regions: &Regions) -> Result<PatientAddress, FieldError> {
    let catalogue = match &draft.catalogue {
        None => Catalogue::default(),
        Some(id) => {
            Catalogue::parse(id).ok_or_else(|| FieldError::invalid("patient.address.catalogue"))?
        }
    };
    if let Some(code) = &draft.province
        && regions.province(catalogue, code).is_none()
    {
        return Err(FieldError::invalid("patient.address.province"));
    }
    // Old papers name old wards; a case is not refused for that.
    let merged = |code: &str| draft.catalogue.is_none() && !regions.map_old_ward(code).is_empty();
    if let Some(code) = &draft.ward
        && regions.ward(catalogue, code).is_none()
        && !merged(code)
    {
        return Err(FieldError::invalid("patient.address.ward"));
    }
    let street = draft
        .street
        .filter(|street| !street.trim().is_empty())
        .map(|street| nfc_clean(&street, MAX_STREET_CHARS))
        .transpose()
        .map_err(|_| FieldError::invalid("patient.address.street"))?;
    Ok(PatientAddress {
        catalogue: catalogue.id().to_owned(),
        province: draft.province,
        ward: draft.ward,
        street,
    })
}

impl std::fmt::Debug for CaseDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for PatientDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for PatientAddressDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<NewCase, Vec<(String, &'static str)>> {
        let draft: CaseDraft = serde_json::from_str(json).unwrap();
        let now = Timestamp::parse("2026-11-21T08:00:00Z").unwrap();
        draft
            .parse(
                &Regions::load().unwrap(),
                &Pseudonymizer::new(&[7; 32], 1),
                now,
            )
            .map_err(|errors| {
                errors
                    .into_iter()
                    .map(|error| (error.field.into_owned(), error.code))
                    .collect()
            })
    }

    #[test]
    fn a_case_as_in_the_contract() {
        let case = parse(
            r#"{"disease":"covid-19","patient":{"full_name":"Nguyễn Văn Mẫu","phone":"0901 234 567",
                "id_number":"001090000000","birth_year":1990,
                "address":{"province":"80","ward":"25456","street":"12 Lê Lợi"}},
                "onset_on":"2026-11-15","confirmed_on":"2026-11-18",
                "isolated_at":"2026-11-18T10:00:00+07:00"}"#,
        )
        .unwrap();
        assert_eq!(case.rule.id, "vn-11042");
        assert_eq!(case.persons.len(), 2);
        let at = |text: &str| Timestamp::parse(text).unwrap().as_ms();
        assert_eq!(case.window.from, at("2026-11-13T00:00:00+07:00"));
        assert_eq!(case.window.until, Some(at("2026-11-18T10:00:00+07:00")));
        assert_eq!(case.patient.phone.as_deref(), Some("+84901234567"));
        assert_eq!(format!("{:?}", case.patient), "***");
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let errors = parse(
            r#"{"rule":"vn-0","patient":{"phone":"12","birth_year":1800,"address":{"province":"99"}},
                "onset_on":"15/11/2026","isolated_at":"soon"}"#,
        )
        .unwrap_err();
        let fields: Vec<_> = errors.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "disease",
                "rule",
                "onset_on",
                "confirmed_on",
                "isolated_at",
                "patient.full_name",
                "patient.phone",
                "patient.birth_year",
                "patient.address.province",
            ]
        );
    }

    #[test]
    fn somebody_who_cannot_be_found_and_dates_that_cannot_be() {
        let case = |patient: &str, rest: &str| {
            parse(&format!(
                r#"{{"disease":"covid-19","patient":{{"full_name":"A"{patient}}},"confirmed_on":"2026-11-18"{rest}}}"#
            ))
        };
        let one = |field: &str, code| vec![(field.to_owned(), code)];
        assert_eq!(case("", "").unwrap().persons, [], "known by name alone");
        let phone = r#","phone":"0901234567""#;
        assert!(case(phone, "").is_ok());
        assert_eq!(
            case(phone, r#","onset_on":"2026-11-22""#).unwrap_err(),
            one("onset_on", "in_the_future")
        );
        assert_eq!(
            case(phone, r#","isolated_at":"2026-11-01""#).unwrap_err(),
            one("isolated_at", "window_empty")
        );
    }
}
