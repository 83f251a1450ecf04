//! Reads an OpenAPI document into the page at `/docs`.
//!
//! The page is rendered here, from the same document that machines read, so it needs no script of
//! others and no outside host. The document is walked as plain JSON: what it lacks is left out,
//! and nothing in it can make the walk fail.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::page::Page;
use super::views::{Answer, Body, Docs, DocsField, Group, Operation, Part, Schema};

/// Depth to which a type is written out in one line; deeper ones end in an ellipsis.
const DEPTH_MAX: u32 = 6;
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page for this document.
#[must_use]
pub fn read(page: Page, document: &Value) -> Docs {
    let info = document.get("info").unwrap_or(&Value::Null);
    Docs {
        p: page,
        title: text(info, "title"),
        version: text(info, "version"),
        about: text(info, "description"),
        groups: groups(document),
        schemas: schemas(document),
    }
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Letters and digits of a text, for an anchor.
fn anchor(prefix: &str, name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    format!("{prefix}-{}", kept.trim_matches('-'))
}

fn groups(document: &Value) -> Vec<Group> {
    let mut by_tag: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for (path, methods) in entries(document, "paths") {
        for method in METHODS {
            let Some(found) = methods.get(method) else {
                continue;
            };
            let tag = items(found, "tags")
                .find_map(Value::as_str)
                .unwrap_or("API")
                .to_owned();
            by_tag
                .entry(tag)
                .or_default()
                .push(operation(path, method, methods, found));
        }
    }
    // The document's own order of tags, then those it does not list.
    let mut groups = Vec::new();
    for tag in items(document, "tags") {
        let name = text(tag, "name");
        if let Some(operations) = by_tag.remove(&name) {
            groups.push(group(name, text(tag, "description"), operations));
        }
    }
    for (name, operations) in by_tag {
        groups.push(group(name, String::new(), operations));
    }
    groups
}

fn group(name: String, about: String, operations: Vec<Operation>) -> Group {
    Group {
        anchor: anchor("tag", &name),
        name,
        about,
        operations,
    }
}

fn operation(path: &str, method: &str, shared: &Value, found: &Value) -> Operation {
    let parameters = items(shared, "parameters")
        .chain(items(found, "parameters"))
        .map(|parameter| DocsField {
            name: text(parameter, "name"),
            place: text(parameter, "in"),
            required: parameter.get("required") == Some(&Value::Bool(true)),
            kind: kind(parameter.get("schema")),
            about: text(parameter, "description"),
        })
        .collect();
    let answers = entries(found, "responses")
        .map(|(status, answer)| Answer {
            status: status.clone(),
            about: text(answer, "description"),
            bodies: bodies(answer),
        })
        .collect();
    let security: Vec<&str> = items(found, "security")
        .filter_map(Value::as_object)
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    let summary = text(found, "summary");
    Operation {
        anchor: anchor("op", &format!("{method} {path}")),
        method: method.to_owned(),
        path: path.to_owned(),
        about: text(found, "description")
            .split("\n\n")
            .filter(|paragraph| !paragraph.is_empty() && *paragraph != summary)
            .map(str::to_owned)
            .collect(),
        summary,
        security: security.join(", "),
        parameters,
        bodies: found.get("requestBody").map(bodies).unwrap_or_default(),
        answers,
    }
}

fn bodies(value: &Value) -> Vec<Body> {
    entries(value, "content")
        .map(|(media, content)| Body {
            media: media.clone(),
            kind: kind(content.get("schema")),
        })
        .collect()
}

fn schemas(document: &Value) -> Vec<Schema> {
    let components = document.get("components").unwrap_or(&Value::Null);
    entries(components, "schemas")
        .map(|(name, schema)| {
            let required: Vec<&str> = items(schema, "required").filter_map(Value::as_str).collect();
            Schema {
                anchor: anchor("schema", name),
                name: name.clone(),
                about: text(schema, "description"),
                kind: kind(Some(schema)),
                fields: entries(schema, "properties")
                    .map(|(field, found)| DocsField {
                        name: field.clone(),
                        place: String::new(),
                        required: required.contains(&field.as_str()),
                        kind: kind(Some(found)),
                        about: text(found, "description"),
                    })
                    .collect(),
                values: items(schema, "enum").map(plain).collect(),
            }
        })
        .collect()
}

/// A value without the quotes of JSON.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A type in one line.
fn kind(schema: Option<&Value>) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(schema) = schema {
        describe(schema, 0, &mut parts);
    }
    parts
}

fn say(parts: &mut Vec<Part>, text: impl Into<String>) {
    parts.push(Part {
        text: text.into(),
        link: String::new(),
    });
}

fn describe(schema: &Value, depth: u32, parts: &mut Vec<Part>) {
    if depth > DEPTH_MAX {
        return say(parts, "…");
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or(target);
        return parts.push(Part {
            text: name.to_owned(),
            link: anchor("schema", name),
        });
    }
    for (key, join) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if schema.get(key).is_some() {
            for (index, choice) in items(schema, key).enumerate() {
                if index > 0 {
                    say(parts, join);
                }
                describe(choice, depth + 1, parts);
            }
            return;
        }
    }
    if schema.get("enum").is_some() {
        let values: Vec<String> = items(schema, "enum").map(plain).collect();
        return say(parts, values.join(" | "));
    }
    let named: Vec<String> = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().map(plain).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => vec!["object".to_owned()],
    };
    if named.iter().any(|name| name == "array") {
        say(parts, "[");
        if let Some(item) = schema.get("items") {
            describe(item, depth + 1, parts);
        }
        return say(parts, "]");
    }
    say(parts, named.join(" | "));
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        say(parts, format!(" ({format})"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::texts::Lang;

    fn line(schema: &Value) -> String {
        kind(Some(schema)).into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn types_are_written_in_one_line() {
        assert_eq!(line(&json!({"type": "string", "format": "uuid"})), "string (uuid)");
        assert_eq!(line(&json!({"type": ["string", "null"]})), "string | null");
        assert_eq!(line(&json!({"type": "string", "enum": ["a", "b"]})), "a | b");
        let list = json!({"type": "array", "items": {"$ref": "#/components/schemas/Venue"}});
        assert_eq!(line(&list), "[Venue]");
        assert_eq!(kind(Some(&list))[1].link, "schema-Venue");
        assert_eq!(line(&json!({"oneOf": [{"type": "null"}, {"$ref": "#/x/Y"}]})), "null | Y");
    }

    #[test]
    fn a_type_without_end_is_cut() {
        let mut schema = json!({"type": "string"});
        for _ in 0..40 {
            schema = json!({"type": "array", "items": schema});
        }
        assert!(line(&schema).contains('…'));
    }

    #[test]
    fn operations_are_grouped_in_the_order_of_the_tags() {
        let document = json!({
            "tags": [{"name": "venues"}, {"name": "cases", "description": "F0"}],
            "paths": {
                "/a": {"get": {"tags": ["cases"]}, "delete": {"tags": ["cases"]}},
                "/b": {"parameters": [{"name": "id", "in": "path", "required": true}],
                       "post": {"tags": ["venues"], "security": [{"bearer": []}],
                                "responses": {"201": {"description": "made"}}}},
                "/c": {"get": {}},
            },
        });
        let docs = read(Page::new(Lang::En), &document);
        let names: Vec<_> = docs.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["venues", "cases", "API"]);
        let post = &docs.groups[0].operations[0];
        assert_eq!(post.security, "bearer");
        assert!(post.parameters[0].required);
        assert_eq!(post.answers[0].status, "201");
        assert_eq!(docs.groups[1].operations.len(), 2);
    }
}
