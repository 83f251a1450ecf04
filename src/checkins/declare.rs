//! Declaring without checking in: at home, for the token and the personal code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Door, check_in::seal};
use crate::{
    base::{Code, Failure, Timestamp, failure::Result, ids},
    declarations::{
        Draft, Risk,
        store::{Pass, hash_code},
        token::{Claim, Tokens},
    },
};

/// A declaration as it is sent without a check-in.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeclaration {
    /// The declaration.
    pub declaration: Draft,
}

/// A declaration that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Declared {
    /// Its id.
    pub id: Uuid,
    /// What follows from it.
    pub risk: Risk,
    /// What a check-in takes instead of the declaration.
    pub declaration_token: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub valid_until: Timestamp,
    /// A code that lets a gatekeeper check this person in, and nothing else. Shown once.
    #[schema(example = "4C7XQ-2MZ8V-0R5TK-9W3NB-E6HYJ1")]
    pub personal_code: String,
}

/// Store a declaration and issue a personal code.
///
/// # Errors
///
/// [`crate::base::Kind::Invalid`] with every mistake; [`crate::base::Kind::Unavailable`] when the
/// journal is full.
pub async fn declare(door: &Door, new: NewDeclaration) -> Result<Declared> {
    let now = door.clock.now();
    let id = ids::v7(now, &door.random);
    let (risk, row) = seal(door, id, new.declaration, now)
        .await
        .map_err(|failure| Failure {
            fields: failure
                .fields
                .into_iter()
                .map(|field| field.under("declaration"))
                .collect(),
            ..failure
        })?;
    let code = Code::new(&door.random);
    let person = row.person;
    let pass = Pass {
        person,
        code_hash: hash_code(code),
    };
    door.journal.declare(row, pass).await?;
    Ok(Declared {
        id,
        risk,
        declaration_token: door.tokens.sign(Claim {
            person: person.id,
            declaration: id,
            risk,
        }),
        valid_until: Tokens::valid_until(id),
        personal_code: code.grouped(),
    })
}
