//! What is sent. Every field may be missing, so that each mistake is reported by us, by its path.

use serde::Deserialize;
use utoipa::ToSchema;

/// A declaration as it is sent. All fields marked with a star in the national form are required;
/// `phone` may be null when `id_number` is given.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Declaration)]
pub struct Draft {
    /// Full name, 1 to 100 characters.
    #[schema(required = true, example = "Nguyễn Văn Mẫu")]
    pub full_name: Option<String>,
    /// Year of birth, 1900 to this year.
    #[schema(required = true, example = 1990)]
    pub birth_year: Option<i64>,
    /// `male`, `female` or `other`.
    #[schema(required = true, example = "male")]
    pub sex: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(required = true, example = "VN")]
    pub nationality: Option<String>,
    /// Identity card, insurance card or passport.
    pub id_number: Option<String>,
    /// Vietnamese number as people write it, or a foreign one in E.164.
    #[schema(example = "0901234567")]
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Where the person lives or stays in Viet Nam.
    #[schema(required = true)]
    pub address: Option<AddressDraft>,
    /// The five answers.
    #[schema(required = true)]
    pub answers: Option<AnswersDraft>,
    /// Consent to the processing of the above.
    #[schema(required = true)]
    pub consent: Option<ConsentDraft>,
}

/// An address as it is sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclarationAddress)]
pub struct AddressDraft {
    /// The catalogue of the codes; absent: today's, where the code of a ward that was merged whole
    /// into one of today's is read as that one.
    #[schema(example = "2025-07")]
    pub catalogue: Option<String>,
    /// Code of the province.
    #[schema(required = true, example = "80")]
    pub province: Option<String>,
    /// Code of a ward of that province.
    #[schema(required = true, example = "25456")]
    pub ward: Option<String>,
    /// House, street, hamlet; at most 500 characters.
    #[schema(required = true)]
    pub street: Option<String>,
}

/// The answers as they are sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclarationAnswers)]
pub struct AnswersDraft {
    /// Been in another province or country in the last 14 days?
    #[schema(required = true)]
    pub travel: Option<TravelDraft>,
    /// Any signs of illness in the last 14 days?
    #[schema(required = true)]
    pub symptoms: Option<SymptomsDraft>,
    /// Contact with a person who is or may be infected in the last 14 days?
    #[schema(required = true)]
    pub contact_case: Option<bool>,
    /// Contact with a person from an affected country or area?
    #[schema(required = true)]
    pub contact_affected_area: Option<bool>,
    /// Contact with a person with symptoms?
    #[schema(required = true)]
    pub contact_symptomatic: Option<bool>,
}

/// The answer on travel as it is sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclarationTravel)]
pub struct TravelDraft {
    /// Yes or no.
    #[schema(required = true)]
    pub yes: Option<bool>,
    /// Where; at most 500 characters.
    pub detail: Option<String>,
}

/// The answer on symptoms as it is sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclarationSymptoms)]
pub struct SymptomsDraft {
    /// Yes or no.
    #[schema(required = true)]
    pub yes: Option<bool>,
    /// `fever cough dyspnoea pneumonia sore_throat fatigue loss_of_taste other`.
    pub which: Option<Vec<String>>,
    /// In words; at most 500 characters.
    pub detail: Option<String>,
}

/// The consent as it is sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclarationConsent)]
pub struct ConsentDraft {
    /// The version of the text that was shown.
    #[schema(required = true, example = "2026-1")]
    pub version: Option<String>,
    /// Must be true, and was not ticked beforehand.
    #[schema(required = true)]
    pub given: Option<bool>,
}
