//! Signed tokens (JWT, HS256): one key, one purpose, no personal data inside.
//!
//! `jsonwebtoken` checks signature, audience and issuer; the type in the header is compared here,
//! because the library does not, and the times too, by the clock that is given.
//!
//! A [`Stamp`] makes and reads the same tokens where all that may stand in them is one fixed text. It
//! is for the path of a check-in: one HMAC over the bytes as they came says whether a token is ours,
//! which costs a tenth of taking it apart first.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;

use crate::{base::Timestamp, privacy::Key};

/// Who signs.
pub const ISSUER: &str = "diem-kiem-dich";

/// Seconds of patience with a clock that is a little off.
pub const LEEWAY_S: i64 = 5;

/// Signs and reads tokens of one purpose.
pub struct Signer {
    purpose: &'static str,
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// The claims of every token, around those of its purpose.
#[derive(Serialize, serde::Deserialize)]
struct Claims<T> {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    body: T,
}

/// A token that was read.
#[derive(Clone, Copy, Debug)]
pub struct Token<T> {
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Until when it is good (that second no longer).
    pub expires_at: Timestamp,
    /// What it says.
    pub body: T,
}

impl Signer {
    /// A signer for `purpose`, with a key that serves no other purpose, derived from `key`.
    #[must_use]
    pub fn new(purpose: &'static str, key: &Key) -> Self {
        let secret = key.mac(&[b"jwt", purpose.as_bytes()]);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(format!("{purpose}+jwt"));
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[purpose]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        // The times are judged below, by the given clock.
        validation.validate_exp = false;
        Self {
            purpose,
            header,
            encoding: EncodingKey::from_secret(&secret),
            decoding: DecodingKey::from_secret(&secret),
            validation,
        }
    }

    /// Sign `body` at `now`, good for `seconds`. The same input gives the same token.
    #[must_use]
    pub fn sign<T: Serialize>(&self, body: T, now: Timestamp, seconds: i64) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: self.purpose.to_owned(),
            iat: now.as_secs(),
            exp: now.as_secs().saturating_add(seconds),
            body,
        };
        // Signing with HMAC fails only for claims that are not JSON, and these are.
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).unwrap_or_default()
    }

    /// Read `token` as of `at`; `None` if it is not ours, of another purpose, or not good then.
    #[must_use]
    pub fn read<T: DeserializeOwned + Clone>(
        &self,
        token: &str,
        at: Timestamp,
    ) -> Option<Token<T>> {
        let data =
            jsonwebtoken::decode::<Claims<T>>(token, &self.decoding, &self.validation).ok()?;
        if data.header.typ != self.header.typ {
            return None;
        }
        let (issued, expires) = (data.claims.iat, data.claims.exp);
        let now = at.as_secs();
        (issued - LEEWAY_S <= now && now < expires + LEEWAY_S).then(|| Token {
            issued_at: Timestamp::from_ms(issued.saturating_mul(1000)),
            expires_at: Timestamp::from_ms(expires.saturating_mul(1000)),
            body: data.claims.body,
        })
    }
}

/// Signs claims of one purpose whose text is given, as [`Signer`] would.
pub struct Stamp {
    purpose: &'static str,
    /// The header, encoded, with the dot after it.
    head: String,
    mac: Hmac<Sha256>,
}

impl Stamp {
    /// A stamp for `purpose`, with the key that [`Signer::new`] derives from `key`.
    ///
    /// # Panics
    ///
    /// Never: HMAC takes keys of any length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn new(purpose: &'static str, key: &Key) -> Self {
        let secret = key.mac(&[b"jwt", purpose.as_bytes()]);
        let header = format!("{{\"typ\":\"{purpose}+jwt\",\"alg\":\"HS256\"}}");
        Self {
            purpose,
            head: format!("{}.", URL_SAFE_NO_PAD.encode(header)),
            mac: Hmac::new_from_slice(&secret).expect("a key of any length"),
        }
    }

    /// The token that says `claims`, which are JSON.
    #[must_use]
    pub fn sign(&self, claims: &str) -> String {
        let mut token = String::with_capacity(self.head.len() + claims.len() * 4 / 3 + 48);
        token.push_str(&self.head);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let mac = self.mac.clone().chain_update(&token).finalize();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(mac.into_bytes(), &mut token);
        token
    }

    /// The claims in `token`, if this stamp made it; they are written to `room`.
    #[must_use]
    pub fn read<'r>(&self, token: &str, room: &'r mut [u8; ROOM]) -> Option<&'r str> {
        let (signed, mac) = token.split_at_checked(token.len().checked_sub(MAC + 1)?)?;
        let claims = signed.strip_prefix(&*self.head)?;
        let mut sent = [0; 32];
        let decoded = URL_SAFE_NO_PAD.decode_slice_unchecked(mac.strip_prefix('.')?, &mut sent);
        if decoded != Ok(sent.len()) {
            return None;
        }
        let own = self.mac.clone().chain_update(signed);
        // In constant time.
        own.verify_slice(&sent).ok()?;
        let length = URL_SAFE_NO_PAD.decode_slice(claims, room).ok()?;
        std::str::from_utf8(room.get(..length)?).ok()
    }
}

/// Characters of an HMAC-SHA-256 in a token.
const MAC: usize = 43;

/// Room for claims that [`Stamp::read`] reads, in bytes.
pub const ROOM: usize = 512;

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stamp({})", self.purpose)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Random;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    #[test]
    fn reads_its_own_and_nothing_else() {
        let key = Key::new(&Random::seeded(1));
        let signer = Signer::new("access", &key);
        let token = signer.sign(serde_json::json!({"sub": "a"}), at(1000), 600);
        let body = |signer: &Signer, token: &str, s| {
            signer
                .read::<serde_json::Value>(token, at(s))
                .map(|token| token.body["sub"].clone())
        };
        assert_eq!(body(&signer, &token, 1000), Some("a".into()));
        assert_eq!(body(&signer, &token, 1604), Some("a".into()));
        assert_eq!(body(&signer, &token, 1605), None);
        assert_eq!(body(&signer, &token, 994), None);
        assert_eq!(body(&Signer::new("other", &key), &token, 1000), None);
        assert_eq!(body(&signer, &format!("{token}x"), 1000), None);
        assert_eq!(body(&signer, "", 1000), None);
    }

    #[test]
    fn a_stamp_makes_the_tokens_of_the_signer() {
        let key = Key::new(&Random::seeded(1));
        let (signer, stamp) = (Signer::new("access", &key), Stamp::new("access", &key));
        let token = signer.sign(serde_json::json!({"sub": "a"}), at(1000), 600);
        let read = |stamp: &Stamp, text: &str| {
            let mut room = [0; ROOM];
            stamp.read(text, &mut room).map(str::to_owned)
        };
        let claims = read(&stamp, &token).unwrap();
        assert_eq!(stamp.sign(&claims), token);
        let json: serde_json::Value = serde_json::from_str(&claims).unwrap();
        assert_eq!(json["sub"], "a");
        assert_eq!(read(&Stamp::new("other", &key), &token), None);
        let other = Stamp::new("access", &Key::new(&Random::seeded(2)));
        assert_eq!(read(&other, &token), None);
        for at in 0..token.len() {
            let digit = if token.as_bytes()[at] == b'A' {
                "B"
            } else {
                "A"
            };
            let mut forged = token.clone();
            forged.replace_range(at..=at, digit);
            assert_eq!(read(&stamp, &forged), None, "byte {at}");
            assert_eq!(read(&stamp, &token[..at]), None, "{at} bytes");
        }
        assert_eq!(read(&stamp, &format!("{token}A")), None);
        let none = token.replace(&*stamp.head, "eyJhbGciOiJub25lIn0.");
        assert_eq!(read(&stamp, &none), None);
    }

    #[test]
    fn refuses_other_algorithms_and_types() {
        let key = Key::new(&Random::seeded(1));
        let signer = Signer::new("access", &key);
        let secret = EncodingKey::from_secret(&key.mac(&[b"jwt", b"access"]));
        let claims = serde_json::json!({"iss": ISSUER, "aud": "access", "iat": 0, "exp": 10});
        let forge = |algorithm, typ: &str| {
            let mut header = Header::new(algorithm);
            header.typ = Some(typ.to_owned());
            jsonwebtoken::encode(&header, &claims, &secret).unwrap()
        };
        let good = |token: &str| signer.read::<serde_json::Value>(token, at(5)).is_some();
        assert!(good(&forge(Algorithm::HS256, "access+jwt")));
        assert!(!good(&forge(Algorithm::HS512, "access+jwt")));
        assert!(!good(&forge(Algorithm::HS256, "JWT")));
        let none = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJkaWVtLWtpZW0tZGljaCJ9.";
        assert!(!good(none));
    }
}
