//! The token of a returning visitor: what a check-in needs to know of a declaration, signed.

use uuid::Uuid;

use super::Risk;
use crate::{
    base::{Timestamp, ids::time_of},
    identity::PersonId,
    privacy::{
        Key,
        jwt::{ISSUER, LEEWAY_S, ROOM, Stamp},
    },
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

/// Signs and reads declaration tokens.
#[derive(Debug)]
pub struct Tokens(Stamp);

/// The purpose of these tokens.
const PURPOSE: &str = "declaration";

impl Tokens {
    /// With the service's token key.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(Stamp::new(PURPOSE, key))
    }

    /// The token that says `claim`, always the same one for the same claim.
    #[must_use]
    pub fn sign(&self, claim: Claim) -> String {
        self.0.sign(&write(claim))
    }

    /// Until when the token of this declaration is good.
    #[must_use]
    pub fn valid_until(declaration: Uuid) -> Timestamp {
        let issued = issued_at(declaration).as_secs();
        Timestamp::from_ms((issued + GOOD_FOR_S) * 1000)
    }

    /// What `token` says, if it was good at the arrival `at`. It is then the one that [`Self::sign`]
    /// makes of the claim: nothing else makes any.
    #[must_use]
    pub fn read(&self, token: &str, at: Timestamp) -> Option<Claim> {
        let claim = read(self.0.read(token, &mut [0; ROOM])?)?;
        let issued = issued_at(claim.declaration).as_secs();
        let good = |at: Timestamp| {
            (issued - LEEWAY_S..issued + GOOD_FOR_S + LEEWAY_S).contains(&at.as_secs())
        };
        (good(at) || good(at.plus_ms(BEHIND_MS))).then_some(claim)
    }
}

/// The one text of a claim.
fn write(claim: Claim) -> String {
    let issued = issued_at(claim.declaration).as_secs();
    format!(
        "{{\"iss\":\"{ISSUER}\",\"aud\":\"{PURPOSE}\",\"iat\":{issued},\"exp\":{expires},\
         \"sub\":\"{person}\",\"did\":\"{declaration}\",\"risk\":\"{risk}\"}}",
        expires = issued + GOOD_FOR_S,
        person = Uuid::from_bytes(*claim.person.as_bytes()).simple(),
        declaration = claim.declaration,
        risk = claim.risk.as_str(),
    )
}

/// The claim in a text of [`write()`].
fn read(text: &str) -> Option<Claim> {
    // Every second piece stands in quotes: names and values in turn, but for the two numbers.
    let mut pieces = text.split('"').skip(15);
    let person: Uuid = pieces.next()?.parse().ok()?;
    let declaration = pieces.nth(3)?.parse().ok()?;
    Some(Claim {
        person: PersonId::from_bytes(person.into_bytes()),
        declaration,
        risk: Risk::parse(pieces.nth(3)?)?,
    })
}

fn issued_at(declaration: Uuid) -> Timestamp {
    Timestamp::from_ms(time_of(declaration).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Random, ids},
        privacy::jwt::Signer,
    };

    /// Other programs may read the token as what it is, a JWT.
    #[test]
    fn a_token_is_a_jwt() {
        let key = Key::new(&Random::seeded(1));
        let made = Timestamp::from_ms(1_800_000_000_789);
        let claim = Claim {
            person: PersonId::from_bytes([7; 16]),
            declaration: ids::v7(made, &Random::seeded(2)),
            risk: Risk::Stop,
        };
        let token = Tokens::new(&key).sign(claim);
        let signer = Signer::new(PURPOSE, &key);
        let read = signer.read::<serde_json::Value>(&token, made).unwrap();
        let said = serde_json::json!({
            "sub": "07".repeat(16), "did": claim.declaration, "risk": "stop",
        });
        assert_eq!(read.body, said);
        assert_eq!(signer.sign(said, made, GOOD_FOR_S).len(), token.len());
    }

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
