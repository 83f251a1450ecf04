//! How what is sent becomes a [`Declaration`]: all mistakes at once, so that nobody has to send a
//! form five times to learn of five mistakes.

use super::{
    Address, AddressDraft, Answers, AnswersDraft, CONSENT_VERSIONS, ConsentDraft, Contact,
    Declaration, Draft, MAX_TEXT_CHARS, Risk, Symptom, SymptomsDraft, YesNo, countries::is_country,
};
use crate::{
    base::{
        FieldError, Timestamp,
        failure::Errors,
        text::{TextError, nfc_clean},
        time::VIETNAM,
    },
    identity::{FullName, IdNumber, Phone, Sex},
    regions::{Catalogue, Regions, Ward},
};

/// Longest e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets).
const MAX_EMAIL_CHARS: usize = 254;

/// Longest list of symptoms that is read.
const MAX_SYMPTOMS: usize = 32;

/// The earliest year of birth.
const FIRST_BIRTH_YEAR: i64 = 1900;

impl Draft {
    /// Read the draft as of `now`.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with paths as in the body: `phone`, `address.ward`,
    /// `answers.contact_case`.
    pub fn parse(self, regions: &Regions, now: Timestamp) -> Result<Declaration, Vec<FieldError>> {
        let mut errors = Errors(Vec::new());
        let this_year = i64::from(now.at(VIETNAM).year());
        let full_name = errors.required("full_name", self.full_name, |text| {
            FullName::parse(&text).map_err(|error| error.in_field("full_name"))
        });
        let birth_year = errors.required("birth_year", self.birth_year, |year| {
            let year = (FIRST_BIRTH_YEAR..=this_year)
                .contains(&year)
                .then_some(year);
            year.and_then(|year| u16::try_from(year).ok())
                .ok_or(FieldError::new(
                    "birth_year",
                    "out_of_range",
                    "Năm sinh phải từ 1900 đến năm nay.",
                    "The year of birth must be from 1900 to this year.",
                ))
        });
        let sex = errors.required("sex", self.sex, |word| {
            Sex::parse(&word).ok_or(FieldError::invalid("sex"))
        });
        let nationality = errors.required("nationality", self.nationality, |code| {
            let known = is_country(&code);
            known.then_some(code).ok_or(FieldError::new(
                "nationality",
                "unknown_country",
                "Mã quốc tịch gồm hai chữ in hoa theo ISO 3166, ví dụ VN.",
                "The nationality is two capital letters of ISO 3166, for example VN.",
            ))
        });
        let id_number = errors.optional(self.id_number, |text| {
            IdNumber::parse(&text).map_err(|error| error.in_field("id_number"))
        });
        let no_id = id_number.as_ref().is_none_or(Option::is_none);
        let phone = errors.optional(self.phone, |text| {
            Phone::parse(&text).map_err(|error| error.in_field("phone"))
        });
        if no_id && matches!(phone, Some(None)) {
            errors.0.push(FieldError::required("phone"));
        }
        let email = errors.optional(self.email, |text| parse_email(&text));
        let address = errors.required("address", self.address, Ok);
        let address = address.and_then(|address| errors.address(address, regions));
        let answers = errors.required("answers", self.answers, Ok);
        let answers = answers.and_then(|answers| errors.answers(answers));
        let consent = errors.required("consent", self.consent, Ok);
        let consent_version = consent.and_then(|consent| errors.consent(&consent));
        let whole = || {
            let (address, answers) = (address?, answers?);
            Some(Declaration {
                province: todays_province(&address, regions),
                contact: Contact {
                    full_name: Some(full_name?),
                    birth_year: Some(birth_year?),
                    sex: Some(sex?),
                    nationality: Some(nationality?),
                    id_number: id_number?,
                    phone: phone?,
                    email: email?,
                    address: Some(address),
                },
                risk: Risk::of(&answers),
                answers,
                consent_version: consent_version?,
            })
        };
        match whole() {
            Some(declaration) if errors.0.is_empty() => Ok(declaration),
            _ => Err(errors.0),
        }
    }
}

/// The ward of today that the old ward `code` went into whole, if it lies in that province. Only for
/// a code that names no ward of today, so that no code has two meanings.
fn merged<'a>(regions: &'a Regions, province: &str, code: &str) -> Option<&'a Ward> {
    let today = Catalogue::default();
    match regions.map_old_ward(code) {
        [only] if regions.ward(today, code).is_none() => regions.ward_in(today, province, only.new),
        _ => None,
    }
}

/// The province of residence by today's code, whichever catalogue the address is of.
fn todays_province(address: &Address, regions: &Regions) -> Option<String> {
    match address.catalogue {
        Catalogue::July2025 => Some(address.province.clone()),
        Catalogue::March2025 => regions
            .map_old_province(&address.province)
            .map(|province| province.code.to_owned()),
    }
}

/// One `@` with something on both sides and no white space: whether mail arrives only mail tells.
fn parse_email(text: &str) -> Result<String, FieldError> {
    let clean = nfc_clean(text, MAX_EMAIL_CHARS).unwrap_or_default();
    let sound = clean
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'));
    if sound && !clean.contains(char::is_whitespace) {
        Ok(clean)
    } else {
        Err(FieldError::new(
            "email",
            "email_invalid",
            "Địa chỉ email chưa đúng. Ví dụ: ten@example.vn.",
            "The e-mail address is not right. Example: name@example.vn.",
        ))
    }
}

impl Errors {
    #[expect(clippy::option_option, reason = "nothing and a mistake are different")]
    fn text(&mut self, field: &'static str, value: Option<String>) -> Option<Option<String>> {
        self.optional(value, |text| clean_text(field, &text))
    }

    fn address(&mut self, draft: AddressDraft, regions: &Regions) -> Option<Address> {
        let stated = draft.catalogue.is_some();
        let catalogue = match draft.catalogue {
            None => Some(Catalogue::default()),
            Some(id) => self.keep(Catalogue::parse(&id).ok_or(FieldError::new(
                "address.catalogue",
                "unknown_catalogue",
                "Không có danh mục hành chính này.",
                "There is no such catalogue of places.",
            ))),
        };
        let province = self.required("address.province", draft.province, Ok);
        let ward = self.required("address.ward", draft.ward, Ok);
        let street = self.required("address.street", draft.street, |text| {
            clean_text("address.street", &text)
        });
        let (catalogue, province) = (catalogue?, province?);
        if regions.province(catalogue, &province).is_none() {
            self.0.push(FieldError::new(
                "address.province",
                "unknown_province",
                "Không có tỉnh, thành phố này trong danh mục.",
                "There is no such province in the catalogue.",
            ));
            return None;
        }
        let ward = ward?;
        let known = regions.ward_in(catalogue, &province, &ward);
        let known = known.or_else(|| (!stated).then(|| merged(regions, &province, &ward))?);
        let Some(ward) = known else {
            self.0.push(FieldError::new(
                "address.ward",
                "unknown_ward",
                "Không có phường, xã này trong tỉnh, thành phố đã chọn.",
                "There is no such ward in the chosen province.",
            ));
            return None;
        };
        Some(Address {
            catalogue,
            province,
            ward: ward.code.to_owned(),
            street: street?,
        })
    }

    fn answers(&mut self, draft: AnswersDraft) -> Option<Answers> {
        let travel = self.required("answers.travel", draft.travel, Ok);
        let travel = travel.and_then(|travel| {
            let yes = self.required("answers.travel.yes", travel.yes, Ok);
            let detail = self.text("answers.travel.detail", travel.detail);
            Some(YesNo {
                yes: yes?,
                detail: detail?,
            })
        });
        let symptoms = self.required("answers.symptoms", draft.symptoms, Ok);
        let symptoms = symptoms.and_then(|symptoms| self.symptoms(symptoms));
        let contact_case = self.required("answers.contact_case", draft.contact_case, Ok);
        let contact_affected_area = self.required(
            "answers.contact_affected_area",
            draft.contact_affected_area,
            Ok,
        );
        let contact_symptomatic =
            self.required("answers.contact_symptomatic", draft.contact_symptomatic, Ok);
        let (symptoms, which) = symptoms?;
        Some(Answers {
            travel: travel?,
            symptoms,
            which,
            contact_case: contact_case?,
            contact_affected_area: contact_affected_area?,
            contact_symptomatic: contact_symptomatic?,
        })
    }

    /// Signs without a "yes", or a "yes" without a word on what, would be answers to two different
    /// questions.
    fn symptoms(&mut self, draft: SymptomsDraft) -> Option<(YesNo, Vec<Symptom>)> {
        const WHICH: &str = "answers.symptoms.which";
        let yes = self.required("answers.symptoms.yes", draft.yes, Ok);
        let detail = self.text("answers.symptoms.detail", draft.detail);
        let words = draft.which.unwrap_or_default();
        let read: Option<Vec<Symptom>> = (words.len() <= MAX_SYMPTOMS)
            .then(|| words.iter().map(|word| Symptom::parse(word)).collect())
            .flatten();
        let mut which = self.keep(read.ok_or(FieldError::invalid(WHICH)))?;
        let (yes, detail) = (yes?, detail?);
        which.sort_unstable();
        which.dedup();
        if yes && which.is_empty() {
            if detail.is_none() {
                self.0.push(FieldError::required(WHICH));
                return None;
            }
            which.push(Symptom::Other);
        }
        if !yes && !which.is_empty() {
            self.0.push(FieldError::new(
                WHICH,
                "contradiction",
                "Đã chọn triệu chứng nhưng câu trả lời là không.",
                "Symptoms are named, but the answer is no.",
            ));
            return None;
        }
        Some((YesNo { yes, detail }, which))
    }

    fn consent(&mut self, draft: &ConsentDraft) -> Option<&'static str> {
        if draft.given != Some(true) {
            self.0.push(FieldError::new(
                "consent.given",
                "consent_needed",
                "Cần sự đồng ý của bạn để gửi tờ khai.",
                "Your consent is needed to send the declaration.",
            ));
        }
        self.required("consent.version", draft.version.as_deref(), |version| {
            CONSENT_VERSIONS
                .into_iter()
                .find(|known| *known == version)
                .ok_or(FieldError::new(
                    "consent.version",
                    "unknown_version",
                    "Bản nội dung đồng ý này không còn dùng; hãy tải lại trang.",
                    "This version of the consent text is not in use; load the page again.",
                ))
        })
    }
}

/// A text of a field, cleaned: at most [`MAX_TEXT_CHARS`] characters, without control characters.
///
/// # Errors
///
/// What is wrong with it, under the name of the field.
pub fn clean_text(field: &'static str, text: &str) -> Result<String, FieldError> {
    nfc_clean(text, MAX_TEXT_CHARS).map_err(|error| match error {
        TextError::Empty => FieldError::required(field),
        TextError::TooLong => FieldError::new(
            field,
            "too_long",
            "Nội dung dài quá 500 ký tự.",
            "The text is longer than 500 characters.",
        ),
        TextError::ControlCharacter => FieldError::new(
            field,
            "control_character",
            "Nội dung có ký tự điều khiển hoặc xuống dòng; hãy gõ lại.",
            "The text contains a control character or a line break; type it again.",
        ),
    })
}
