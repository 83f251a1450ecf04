//! The API reference.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::Page;

/// A piece of a type's description; with `link` it leads to a schema on the same page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is shown.
    pub text: String,
    /// Anchor of the schema, or empty.
    pub link: String,
}

/// A parameter, or a field of a schema.
#[derive(Clone, Debug)]
pub struct DocsField {
    /// Its name.
    pub name: String,
    /// `path`, `query`, `header`; empty for a field.
    pub place: String,
    /// Whether it must be there.
    pub required: bool,
    /// Its type.
    pub kind: Vec<Part>,
    /// What it means.
    pub about: String,
}

/// Content of one media type.
#[derive(Clone, Debug)]
pub struct Body {
    /// `application/json`.
    pub media: String,
    /// Its type.
    pub kind: Vec<Part>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `201`.
    pub status: String,
    /// When it is given.
    pub about: String,
    /// What it holds.
    pub bodies: Vec<Body>,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where links lead.
    pub anchor: String,
    /// `get`, `post`.
    pub method: String,
    /// The path, with its parameters in braces.
    pub path: String,
    /// One line.
    pub summary: String,
    /// Paragraphs.
    pub about: Vec<String>,
    /// What it needs to be called, such as a bearer token; empty if nothing.
    pub security: String,
    /// Parameters.
    pub parameters: Vec<DocsField>,
    /// Request bodies.
    pub bodies: Vec<Body>,
    /// Answers, in the order of their status.
    pub answers: Vec<Answer>,
}

/// The operations of one tag.
#[derive(Clone, Debug)]
pub struct Group {
    /// Where links lead.
    pub anchor: String,
    /// The tag.
    pub name: String,
    /// What the tag says.
    pub about: String,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// A named type.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Where links lead.
    pub anchor: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its type, if it is no object.
    pub kind: Vec<Part>,
    /// Fields of an object.
    pub fields: Vec<DocsField>,
    /// Values of an enumeration.
    pub values: Vec<String>,
}

/// `/docs`.
#[derive(Template, WebTemplate)]
#[template(path = "docs.html")]
pub struct Docs {
    /// The frame.
    pub p: Page,
    /// Title of the document.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Its description.
    pub about: String,
    /// Operations by tag.
    pub groups: Vec<Group>,
    /// Named types.
    pub schemas: Vec<Schema>,
}
