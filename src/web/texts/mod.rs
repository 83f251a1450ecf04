//! The words of the pages, in Vietnamese and in English.
//!
//! They live in message files (`assets/locales/{vi,en}.ftl`, Project Fluent) that a translator can
//! edit without touching a template, and are compiled in, so that a page never depends on a file
//! being there. Vietnamese is the first language: a text that English lacks is shown in Vietnamese.
//! A test holds both files to the same keys and the same arguments, and every key that a template
//! names to being there, so the last resort below (showing the key itself) is never seen.

use std::fmt::Display;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Vietnamese: what everybody gets who has not asked for something else.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// The BCP 47 code, as in the `lang` attribute and in `?lang=`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// Reads a code as it stands in a link or a cookie; nothing for a language the pages lack.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "vi" => Some(Self::Vi),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The other language, for the switch in the page's head.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Vi => Self::En,
            Self::En => Self::Vi,
        }
    }

    /// Chooses by an `Accept-Language` header (RFC 9110, 12.5.4): the known language of the highest
    /// weight, the earlier one on a tie. Vietnamese when the header names neither. A browser set to
    /// a third language gets English, if it lists English at all, else Vietnamese.
    #[must_use]
    pub fn from_accept(header: &str) -> Self {
        let mut best = (0_u32, Self::Vi);
        for part in header.split(',').take(32) {
            let mut fields = part.split(';');
            let tag = fields.next().unwrap_or_default().trim();
            let primary = tag.split('-').next().unwrap_or_default();
            let Some(lang) = Self::from_code(&primary.to_ascii_lowercase()) else {
                continue;
            };
            let weight = fields
                .find_map(|field| field.trim().strip_prefix("q="))
                .map_or(1000, per_mille);
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }
}

/// A weight `0`…`1.000` in thousandths; zero when it is malformed.
fn per_mille(weight: &str) -> u32 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("1", Ok(_)) => 1000,
        ("0", Ok(thousandths)) => thousandths,
        _ => 0,
    }
}

/// All texts in one language.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
    fallback: Option<&'static Texts>,
}

static VI: LazyLock<Texts> =
    LazyLock::new(|| Texts::read(Lang::Vi, include_str!("../../../assets/locales/vi.ftl"), None));
static EN: LazyLock<Texts> = LazyLock::new(|| {
    Texts::read(
        Lang::En,
        include_str!("../../../assets/locales/en.ftl"),
        Some(&VI),
    )
});

impl Texts {
    /// The texts in this language. They are read once, at first use.
    #[must_use]
    pub fn for_lang(lang: Lang) -> &'static Self {
        match lang {
            Lang::Vi => &VI,
            Lang::En => &EN,
        }
    }

    fn read(lang: Lang, source: &str, fallback: Option<&'static Self>) -> Self {
        let id: LanguageIdentifier = lang.code().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // The pages hold no right-to-left text, and isolation marks would land in titles and
        // downloads.
        bundle.set_use_isolating(false);
        // A message that does not parse is skipped here and found by the test of keys.
        let resource =
            FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
        Self { bundle, fallback }
    }

    /// The text with this key.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.t_args(key, &[])
    }

    /// The text with this key and its arguments filled in. The argument `n` is a count and takes
    /// part in plural rules.
    #[must_use]
    pub fn t_args(&self, key: &str, arguments: &[(&str, &dyn Display)]) -> String {
        self.find(key, arguments).unwrap_or_else(|| key.to_owned())
    }

    /// The text with this key, or nothing: for keys that are put together, such as the text of an
    /// error that has a wording of its own for one field.
    #[must_use]
    pub fn find(&self, key: &str, arguments: &[(&str, &dyn Display)]) -> Option<String> {
        let Some(pattern) = self.bundle.get_message(key).and_then(|m| m.value()) else {
            return self.fallback?.find(key, arguments);
        };
        let mut values = FluentArgs::new();
        for (name, value) in arguments {
            let value = value.to_string();
            // Only a count is a number: a login or a name of digits must come out as it went in.
            let value = if *name == "n" {
                FluentValue::try_number(&value).into_owned()
            } else {
                FluentValue::from(value)
            };
            values.set(*name, value);
        }
        let mut errors = Vec::new();
        let text = self
            .bundle
            .format_pattern(pattern, Some(&values), &mut errors);
        Some(text.into_owned())
    }
}

#[cfg(test)]
mod tests;
