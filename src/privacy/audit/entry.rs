//! One entry as it is stored, exported and hashed.
//!
//! # Canonical bytes
//!
//! The leaf of an entry is SHA-256 of a zero byte and then the entry as a JSON object in the canonical
//! form of RFC 8785: keys in the order of the alphabet, no blanks, UTF-8. Its keys are
//!
//! | key | value |
//! |---|---|
//! | `action` | text: what was done, like `lookup.created` |
//! | `actor` | the account's UUID in small letters; null for the service itself |
//! | `at` | when, UTC, with six digits of a second: `2026-11-18T01:30:00.000000Z` |
//! | `document` | text or null: number of the document that asked for it |
//! | `people` | whole number or null: how many people were seen |
//! | `reason` | text or null |
//! | `seq` | whole number: place in the log, from 1 |
//! | `subject` | text: to what, an id or a day, never a name |
//!
//! All numbers are below 2^53, so every JSON library can read them and write them again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::tree::{self, Hash};
use crate::base::Timestamp;

/// An entry of the log. The order of the fields is that of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// What was done.
    pub action: String,
    /// The account; `None` for the service itself.
    pub actor: Option<Uuid>,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// The document.
    pub document: Option<String>,
    /// How many people were seen.
    pub people: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Its place in the log, from 1.
    pub seq: i64,
    /// To what.
    pub subject: String,
}

impl Stored {
    /// The canonical bytes.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        // A struct of texts and numbers is always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The hash of its leaf.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        tree::leaf(&self.canonical())
    }
}

/// Times with six digits of a second.
mod micros {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::base::Timestamp;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "what is derived hands a reference"
    )]
    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        let ms = at.rfc3339();
        let ms = ms.trim_end_matches('Z');
        let micros = at.as_micros().rem_euclid(1000);
        to.serialize_str(&format!("{ms}{micros:03}Z"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Stored {
        Stored {
            action: "lookup.created".to_owned(),
            actor: Some(Uuid::from_u128(0xABCD)),
            at: Timestamp::from_micros(1_794_965_400_000_007),
            document: Some("12/CDC \"Tây Ninh\"\n".to_owned()),
            people: Some(3),
            reason: None,
            seq: 7,
            subject: "s".to_owned(),
        }
    }

    /// Another program must get these very bytes.
    #[test]
    fn canonical_bytes_are_these() {
        assert_eq!(
            String::from_utf8(sample().canonical()).unwrap(),
            "{\"action\":\"lookup.created\",\"actor\":\"00000000-0000-0000-0000-00000000abcd\",\
             \"at\":\"2026-11-18T01:30:00.000007Z\",\"document\":\"12/CDC \\\"Tây Ninh\\\"\\n\",\
             \"people\":3,\"reason\":null,\"seq\":7,\"subject\":\"s\"}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// So that no two entries have the same bytes.
        #[test]
        fn the_bytes_say_everything(
            micros in 0_i64..4_000_000_000_000_000, text in ".{0,12}", other in proptest::option::of(".{0,12}"),
            people in proptest::option::of(any::<i64>()), seq in any::<i64>(),
        ) {
            let entry = Stored {
                at: Timestamp::from_micros(micros),
                subject: text,
                document: other.clone(),
                reason: other,
                people,
                seq,
                ..sample()
            };
            let read: Stored = serde_json::from_slice(&entry.canonical()).unwrap();
            prop_assert_eq!(read, entry);
        }

        /// Keys in order and the escapes of RFC 8785, as any JSON library with sorted keys writes them.
        #[test]
        fn the_bytes_are_those_of_sorted_json(text in "[\\x00-\\x7fà-ỹ]{0,20}") {
            let entry = Stored { subject: text, ..sample() };
            let bytes = entry.canonical();
            let sorted: std::collections::BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(serde_json::to_vec(&sorted).unwrap(), bytes);
        }
    }
}
