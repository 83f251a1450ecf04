//! What every page has: language, texts, who is logged in, the form token, and the values and
//! errors of a form that is shown again.
//!
//! Every form posts to the address of the page that shows it. So the language switch, a link to
//! the same address, always leads to a page that exists.

use std::fmt::Display;

use actix_web::web::Query;

use super::texts::{Lang, Texts};
use crate::{
    base::{FieldError as Mistake, Kind, Timestamp},
    venues::PlaceKind,
};

/// Fields of one form at most.
const FIELDS_MAX: usize = 200;

/// Who is logged in, as the page's head shows it.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The login, shown beside the way out. It is the account's own phone number or name.
    pub login: String,
    /// Whether the links of a venue owner are shown.
    pub venues: bool,
    /// Whether the links of a health officer are shown.
    pub cases: bool,
    /// Whether the link to what people asked about their data is shown.
    pub requests: bool,
}

/// The part of every page's context that the base template draws.
pub struct Page {
    /// The language of this answer.
    pub lang: Lang,
    texts: &'static Texts,
    /// Nobody, or who is logged in.
    pub bar: Option<Bar>,
    /// The hidden token of the page's forms; empty on a page without a form.
    pub token: String,
    /// Fingerprint of the stylesheet and the script: their addresses change with their content,
    /// so that a browser may keep them for a year.
    pub assets: &'static str,
    /// Days that personal data is kept, for the promise in the page's foot.
    pub retention_days: u32,
}

impl Page {
    /// A page in this language for nobody in particular.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        Self {
            lang,
            texts: Texts::for_lang(lang),
            bar: None,
            token: String::new(),
            assets: super::assets::fingerprint(),
            retention_days: 21,
        }
    }

    /// The text with this key.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.texts.t(key)
    }

    /// The text with this key and one argument.
    #[must_use]
    pub fn t1(&self, key: &str, name: &str, value: impl Display) -> String {
        self.texts.t_args(key, &[(name, &value)])
    }

    /// The text with this key and two arguments.
    #[must_use]
    pub fn t2(
        &self,
        key: &str,
        name: &str,
        value: impl Display,
        other_name: &str,
        other: impl Display,
    ) -> String {
        self.texts
            .t_args(key, &[(name, &value), (other_name, &other)])
    }

    /// The text with this key for `n` of something.
    #[must_use]
    pub fn tn(&self, key: &str, n: impl Display) -> String {
        self.texts.t_args(key, &[("n", &n)])
    }

    /// The text of a family, such as a kind of place: `kind-market`. Underscores become hyphens,
    /// as message files write keys.
    #[must_use]
    pub fn tx(&self, family: &str, value: impl Display) -> String {
        let value = value.to_string().replace('_', "-");
        self.texts.t(&format!("{family}-{value}"))
    }

    /// The text that somebody agrees to, in this version. Old versions stay, so that everybody can read
    /// what they agreed to.
    #[must_use]
    pub fn consent(&self, version: &str) -> String {
        self.tn(&format!("consent-{version}"), self.retention_days)
    }

    /// The name of a kind of place.
    #[must_use]
    pub fn kind(&self, kind: PlaceKind) -> &'static str {
        match self.lang {
            Lang::Vi => kind.vi(),
            Lang::En => kind.en(),
        }
    }

    /// The text for an error: the field's own wording if there is one, else the code's, else the
    /// general one.
    #[must_use]
    pub fn error(&self, field: &str, code: &str) -> String {
        let code = code.replace('_', "-");
        self.special_error(field, &code)
            .or_else(|| self.texts.find(&format!("error-{code}"), &[]))
            .unwrap_or_else(|| self.t("error-invalid"))
    }

    fn special_error(&self, field: &str, code: &str) -> Option<String> {
        let field = field.replace(['_', '.'], "-");
        let code = code.replace('_', "-");
        self.texts.find(&format!("error-{field}-{code}"), &[])
    }

    /// The text for a mistake that a room found: the page's wording for that field if there is one,
    /// else the room's own.
    fn mistake(&self, field: &str, mistake: &Mistake) -> String {
        self.special_error(field, mistake.code)
            .unwrap_or_else(|| match self.lang {
                Lang::Vi => mistake.vi.to_owned(),
                Lang::En => mistake.en.to_owned(),
            })
    }

    /// A moment as people read it, in Vietnamese time: `14:05, 23/11/2026`.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        format!("{}, {}", clock(at), at.local_date())
    }

    /// A whole number with the language's thousands mark: 3.321 or 3,321.
    #[must_use]
    pub fn num(&self, number: impl Display) -> String {
        let mark = match self.lang {
            Lang::Vi => '.',
            Lang::En => ',',
        };
        let digits = number.to_string();
        let count = digits.chars().count();
        let mut out = String::with_capacity(count + count / 3);
        for (index, digit) in digits.chars().enumerate() {
            let left = count - index;
            if index > 0 && left.is_multiple_of(3) && out.ends_with(|c: char| c.is_ascii_digit()) {
                out.push(mark);
            }
            out.push(digit);
        }
        out
    }
}

/// The time of day in Vietnam, to the minute: `14:05`.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    at.local_time().chars().take(5).collect()
}

/// An error of one field, ready to be shown.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// The `name` of the field, which is also its `id` in the page.
    pub field: String,
    /// The sentence to show, in the page's language.
    pub message: String,
}

/// The values that were sent and what was wrong with them. An empty form shows nothing.
#[derive(Clone, Debug, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    /// What was wrong, in the order of the fields.
    pub errors: Vec<FieldError>,
}

impl Form {
    /// A form that shows these values.
    #[must_use]
    pub fn of(values: Vec<(String, String)>) -> Self {
        Self {
            values,
            errors: Vec::new(),
        }
    }

    /// Read the body of a form, as browsers send it.
    ///
    /// # Errors
    ///
    /// [`Kind::Malformed`] when it is none, [`Kind::TooLarge`] when it has more than 200 fields.
    pub fn read(body: &[u8]) -> Result<Self, Kind> {
        let text = std::str::from_utf8(body).map_err(|_| Kind::Malformed)?;
        let fields = Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| Kind::Malformed)?
            .into_inner();
        if fields.len() > FIELDS_MAX {
            return Err(Kind::TooLarge);
        }
        Ok(Self::of(fields))
    }

    /// The first value sent under this name, without outer blanks; empty if there was none.
    #[must_use]
    pub fn v(&self, name: &str) -> &str {
        self.values
            .iter()
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value.trim())
    }

    /// The first value sent under this name, exactly as it was sent: for passwords.
    #[must_use]
    pub fn raw(&self, name: &str) -> String {
        let found = self.values.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The value, or nothing when it is empty: how an optional field is read.
    #[must_use]
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.v(name)).filter(|value| !value.is_empty())
    }

    /// Whether this value was sent under this name: radio buttons, boxes, lists.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values
            .iter()
            .any(|(found, sent)| found == name && sent == value)
    }

    /// Every field that was sent, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every value sent under this name: the boxes ticked.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets a value that the page itself proposes.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.retain(|(found, _)| found != name);
        self.values.push((name.to_owned(), value.into()));
    }

    /// The error of this field, if it has one.
    #[must_use]
    pub fn e(&self, name: &str) -> Option<&str> {
        self.errors
            .iter()
            .find(|error| error.field == name)
            .map(|error| error.message.as_str())
    }

    /// Notes the mistakes that a room found. `names` pairs the room's paths with this form's fields
    /// in the order of the page; a path that is not there is taken as it is. The errors end up in
    /// the order of the page.
    pub fn blame(&mut self, page: &Page, mistakes: &[Mistake], names: &[(&str, &str)]) {
        for mistake in mistakes {
            let path = mistake.field.as_ref();
            let known = names.iter().find(|(from, _)| *from == path);
            let field = known.map_or(path, |(_, to)| *to);
            if self.e(field).is_none() {
                self.errors.push(FieldError {
                    field: field.to_owned(),
                    message: page.mistake(field, mistake),
                });
            }
        }
        let place = |error: &FieldError| names.iter().position(|(_, to)| *to == error.field);
        self.errors
            .sort_by_key(|error| place(error).unwrap_or(usize::MAX));
    }

    /// Notes an error by its code; a field keeps its first.
    pub fn fail(&mut self, page: &Page, field: &str, code: &str) {
        if self.e(field).is_none() {
            self.errors.push(FieldError {
                field: field.to_owned(),
                message: page.error(field, code),
            });
        }
    }
}

/// One choice of a list.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
}

impl Choice {
    /// A choice.
    #[must_use]
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_language_does() {
        let vi = Page::new(Lang::Vi);
        assert_eq!(vi.num(0), "0");
        assert_eq!(vi.num(999), "999");
        assert_eq!(vi.num(3321), "3.321");
        assert_eq!(vi.num(-1000), "-1.000");
        assert_eq!(vi.num(-100), "-100");
        assert_eq!(Page::new(Lang::En).num(1_234_567), "1,234,567");
    }

    #[test]
    fn an_error_takes_the_most_special_wording() {
        let page = Page::new(Lang::Vi);
        assert_eq!(
            page.error("full_name", "required"),
            page.t("error-full-name-required")
        );
        assert_eq!(page.error("nowhere", "required"), page.t("error-required"));
        assert_eq!(page.error("nowhere", "strange"), page.t("error-invalid"));
    }

    #[test]
    fn mistakes_of_rooms_get_the_pages_words_and_order() {
        let page = Page::new(Lang::Vi);
        let names = [("full_name", "full_name"), ("address.street", "street")];
        let mut form = Form::default();
        let street = Mistake::required("street").under("address");
        let odd = Mistake::new("odd", "strange", "lạ", "strange");
        form.blame(
            &page,
            &[odd, street, Mistake::required("full_name")],
            &names,
        );
        let shown: Vec<_> = form.errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(shown, ["full_name", "street", "odd"]);
        assert_eq!(
            form.e("street"),
            Some(page.t("error-street-required").as_str())
        );
        assert_eq!(form.e("odd"), Some("lạ"));
    }

    #[test]
    fn a_form_keeps_values_and_first_errors() {
        let page = Page::new(Lang::En);
        let mut form = Form::of(vec![
            ("symptom".into(), "fever".into()),
            ("symptom".into(), "cough".into()),
            ("name".into(), "  Đỗ Thị Ổi ".into()),
        ]);
        assert_eq!(form.v("name"), "Đỗ Thị Ổi");
        assert!(form.is("symptom", "cough") && !form.is("symptom", "other"));
        assert_eq!(form.all("symptom").count(), 2);
        assert_eq!(form.some("absent"), None);
        form.fail(&page, "name", "required");
        form.fail(&page, "name", "too_long");
        assert_eq!(form.errors.len(), 1);
    }
}
