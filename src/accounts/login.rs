//! What people type to say who they are.

use crate::{base::FieldError, identity::Phone, privacy::Key};

/// A login: a phone number, or a name of 2 to 64 of `a-z 0-9 . _ -`.
#[derive(Clone, PartialEq, Eq)]
pub struct Login(String);

impl Login {
    /// Read a login. A phone number in any usual writing is one and the same login.
    ///
    /// # Errors
    ///
    /// A field error for `login` when it is neither a phone number nor a name.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if let Ok(phone) = Phone::parse(text) {
            return Ok(Self::of_phone(&phone));
        }
        let name = text.to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if (2..=64).contains(&name.len())
            && name.chars().all(allowed)
            && name.chars().any(|c| c.is_ascii_lowercase())
        {
            return Ok(Self(name));
        }
        Err(FieldError::new(
            "login",
            "login_invalid",
            "Tên đăng nhập là số điện thoại, hoặc 2–64 chữ thường không dấu, số, dấu chấm, gạch.",
            "A login is a phone number, or 2-64 of a-z, 0-9, dot, underscore and hyphen.",
        ))
    }

    /// The login of a venue's owner.
    #[must_use]
    pub fn of_phone(phone: &Phone) -> Self {
        Self(phone.e164().to_owned())
    }

    /// As stored, sealed, and shown to its owner.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What finds its row.
    #[must_use]
    pub fn hash(&self, key: &Key) -> Vec<u8> {
        key.mac(&[b"login", self.0.as_bytes()]).to_vec()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_one_login() {
        let login = |text| Login::parse(text).map(|login| login.text().to_owned());
        assert_eq!(login("0901 234 567").unwrap(), "+84901234567");
        assert_eq!(login("+84901234567").unwrap(), "+84901234567");
        assert_eq!(login(" CDC.TayNinh ").unwrap(), "cdc.tayninh");
        for wrong in ["", "a", "12345", "tên", "a b"] {
            assert!(login(wrong).is_err(), "{wrong}");
        }
    }
}
