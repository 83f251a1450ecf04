//! The token of a returning visitor: what a check-in needs to know of a declaration, signed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Risk;
use crate::{
    base::{Timestamp, ids::time_of},
    identity::PersonId,
    privacy::{Key, jwt::Signer},
};

/// How long a token is good, in seconds: 24 h after the declaration, judged at the arrival.
pub const GOOD_FOR_S: i64 = 24 * 60 * 60;

/// A phone's clock may be this far behind ours, in milliseconds, and still use a token that was just
/// made: as far as it may be ahead.
const BEHIND_MS: i64 = 2 * 60 * 1000;

/// What a token says. No personal data: the pseudonym opens nothing without its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose declaration it is.
    pub person: PersonId,
    /// The declaration; the time inside is when the token begins to be good.
    pub declaration: Uuid,
    /// Its risk.
    pub risk: Risk,
}

#[derive(Clone, Serialize, Deserialize)]
struct Body {
    sub: String,
    did: Uuid,
    risk: Risk,
}

/// Signs and reads declaration tokens.
#[derive(Debug)]
pub struct Tokens(Signer);

impl Tokens {
    /// With the service's token key.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(Signer::new("declaration", key))
    }

    /// The token that says `claim`, always the same one for the same claim.
    #[must_use]
    pub fn sign(&self, claim: Claim) -> String {
        let body = Body {
            sub: hex(claim.person),
            did: claim.declaration,
            risk: claim.risk,
        };
        self.0.sign(body, issued_at(claim.declaration), GOOD_FOR_S)
    }

    /// Until when the token of this declaration is good.
    #[must_use]
    pub fn valid_until(declaration: Uuid) -> Timestamp {
        let issued = issued_at(declaration).as_secs();
        Timestamp::from_ms((issued + GOOD_FOR_S) * 1000)
    }

    /// What `token` says, if it was good at the arrival `at`.
    #[must_use]
    pub fn read(&self, token: &str, at: Timestamp) -> Option<Claim> {
        let body = [at, at.plus_ms(BEHIND_MS)]
            .into_iter()
            .find_map(|at| self.0.read::<Body>(token, at))?
            .body;
        Some(Claim {
            person: unhex(&body.sub)?,
            declaration: body.did,
            risk: body.risk,
        })
    }
}

fn issued_at(declaration: Uuid) -> Timestamp {
    Timestamp::from_ms(time_of(declaration).unwrap_or(0))
}

fn hex(person: PersonId) -> String {
    format!("{:032x}", u128::from_be_bytes(*person.as_bytes()))
}

fn unhex(text: &str) -> Option<PersonId> {
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let bits = digits.then(|| u128::from_str_radix(text, 16).ok())??;
    Some(PersonId::from_bytes(bits.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Random, ids};

    #[test]
    fn a_token_is_good_for_a_day_after_its_declaration() {
        let random = Random::seeded(1);
        let tokens = Tokens::new(&Key::new(&random));
        let made = Timestamp::from_ms(1_800_000_000_789);
        let claim = Claim {
            person: PersonId::from_bytes(
                [0; 15]
                    .iter()
                    .chain(&[7])
                    .copied()
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap(),
            ),
            declaration: ids::v7(made, &random),
            risk: Risk::Caution,
        };
        let token = tokens.sign(claim);
        assert_eq!(token, tokens.sign(claim));
        let read = |ms| tokens.read(&token, made.plus_ms(ms));
        assert!(read(0) == Some(claim));
        assert!(
            read(-60_000) == Some(claim),
            "a clock that is a minute behind"
        );
        assert!(read(-180_000).is_none());
        assert!(
            read(GOOD_FOR_S * 1000) == Some(claim),
            "within the leeway of 5 s"
        );
        assert!(read(GOOD_FOR_S * 1000 + 5000).is_none());
        assert_eq!(
            Tokens::valid_until(claim.declaration),
            Timestamp::from_ms(1_800_086_400_000)
        );
        assert!(Tokens::new(&Key::new(&random)).read(&token, made).is_none());
    }
}
