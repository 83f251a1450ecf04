//! What follows from the answers.

use serde::{Deserialize, Serialize};

use super::Answers;

/// How a declared person is received at the door.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing speaks against entering.
    Clear,
    /// Something to keep an eye on.
    Caution,
    /// Do not enter; call the health department.
    Stop,
}

/// What stands in the column `risk` of a row that nobody declared: an imported paper list. It is no
/// [`Risk`], so no answer of the API can show it.
pub const UNDECLARED: &str = "undeclared";

impl Risk {
    /// `clear`, `caution` or `stop`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Caution => "caution",
            Self::Stop => "stop",
        }
    }

    /// Reads the stored word; `None` for [`UNDECLARED`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Clear, Self::Caution, Self::Stop]
            .into_iter()
            .find(|risk| risk.as_str() == word)
    }

    /// The risk of these answers, the highest row that applies:
    ///
    /// | answer | risk |
    /// |---|---|
    /// | contact with a person who is or may be infected | stop |
    /// | fever, dyspnoea, pneumonia or loss of taste | stop |
    /// | any other symptom | caution |
    /// | contact with a person with symptoms, or from an affected area | caution |
    /// | travel alone, or nothing | clear |
    ///
    /// The table is ours: the national form names the questions and draws no conclusion.
    #[must_use]
    pub fn of(answers: &Answers) -> Self {
        if answers.contact_case || answers.which.iter().any(|symptom| symptom.stops()) {
            Self::Stop
        } else if answers.symptoms.yes
            || answers.contact_symptomatic
            || answers.contact_affected_area
        {
            Self::Caution
        } else {
            Self::Clear
        }
    }
}

/// A sign of illness that the form lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symptom {
    /// Sốt.
    Fever,
    /// Ho.
    Cough,
    /// Khó thở.
    Dyspnoea,
    /// Viêm phổi.
    Pneumonia,
    /// Đau họng.
    SoreThroat,
    /// Mệt mỏi.
    Fatigue,
    /// Thay đổi vị giác.
    LossOfTaste,
    /// Another one.
    Other,
}

impl Symptom {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 8] = [
        Self::Fever,
        Self::Cough,
        Self::Dyspnoea,
        Self::Pneumonia,
        Self::SoreThroat,
        Self::Fatigue,
        Self::LossOfTaste,
        Self::Other,
    ];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fever => "fever",
            Self::Cough => "cough",
            Self::Dyspnoea => "dyspnoea",
            Self::Pneumonia => "pneumonia",
            Self::SoreThroat => "sore_throat",
            Self::Fatigue => "fatigue",
            Self::LossOfTaste => "loss_of_taste",
            Self::Other => "other",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|symptom| symptom.as_str() == word)
    }

    /// Whether it alone means [`Risk::Stop`].
    #[must_use]
    pub const fn stops(self) -> bool {
        matches!(
            self,
            Self::Fever | Self::Dyspnoea | Self::Pneumonia | Self::LossOfTaste
        )
    }
}
