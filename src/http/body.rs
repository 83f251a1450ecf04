//! What comes in: JSON bodies, queries and paths, read into types or answered with a problem.
//!
//! The parser's own words may repeat what was sent, so they are never passed on: an error names the
//! field and says what kind of mistake it is.

use std::{future::Future, ops::Deref, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::base::{Failure, FieldError, Kind};

/// How long a body may take to arrive. Slow ones would otherwise hold a connection for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// The usual limit of a body: 64 KiB.
pub const USUAL: usize = 64 * 1024;

/// The limit of a batch of check-ins: 1 MiB.
pub const BATCH: usize = 1024 * 1024;

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub struct Json<T, const LIMIT: usize = USUAL>(pub T);

impl<T: DeserializeOwned + 'static, const LIMIT: usize> FromRequest for Json<T, LIMIT> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let payload = payload.take();
        Box::pin(async move {
            if !is_json {
                return Err(Kind::WrongType.into());
            }
            let body = collect(payload, LIMIT).await?;
            read_json(&body).map(Self)
        })
    }
}

/// Read a body of at most `limit` bytes.
///
/// # Errors
///
/// [`Kind::TooLarge`], and [`Kind::Malformed`] when it breaks off or takes too long.
pub async fn collect(payload: Payload, limit: usize) -> Result<Vec<u8>, Failure> {
    let gather = async {
        let mut payload = payload;
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Failure::new(Kind::Malformed))?;
            if body.len() + chunk.len() > limit {
                return Err(Kind::TooLarge.into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    actix_web::rt::time::timeout(PATIENCE, gather)
        .await
        .unwrap_or_else(|_| Err(Kind::Malformed.into()))
}

/// Read JSON into a type.
///
/// # Errors
///
/// [`Kind::Malformed`] when it is not JSON; [`Kind::Invalid`] with the field's path when it is, but
/// does not fit.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            misfit(path, &inner)
        } else {
            Kind::Malformed.into()
        }
    })?;
    reader.end().map_err(|_| Failure::new(Kind::Malformed))?;
    Ok(value)
}

/// Say what kind of misfit it is. The parser's text starts with a fixed phrase; only that is used.
fn misfit(path: String, error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    let path = if path == "." { String::new() } else { path };
    if text.starts_with("unknown field") {
        FieldError::new(
            path,
            "unknown_field",
            "Không có trường này; hãy bỏ đi.",
            "There is no such field; leave it out.",
        )
        .into()
    } else if text.starts_with("missing field") {
        // The name of a missing field is ours, not the caller's.
        let name = text.split('`').nth(1).unwrap_or_default();
        let field = match (path.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => path,
            (false, false) => format!("{path}.{name}"),
        };
        FieldError::required(field).into()
    } else {
        FieldError::new(
            path,
            "wrong_type",
            "Giá trị không đúng kiểu.",
            "The value is not of the right type.",
        )
        .into()
    }
}

/// The query of the URL.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            web::Query::<T>::from_query(request.query_string())
                .map(|query| Self(query.into_inner()))
                .map_err(|_| FieldError::invalid("query").into()),
        )
    }
}

/// What stands in the path. What cannot be there does not exist.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = request.match_info().load::<T>();
        std::future::ready(read.map(Self).map_err(|_| Kind::NotFound.into()))
    }
}

impl<T, const LIMIT: usize> Deref for Json<T, LIMIT> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only how it is read is of interest")]
    struct Body {
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only how it is read is of interest")]
    struct Inner {
        year: u16,
    }

    fn mistake(body: &str) -> (u16, String, &'static str) {
        let failure = read_json::<Body>(body.as_bytes()).unwrap_err();
        let field = failure.fields.first();
        (
            failure.kind.status(),
            field.map_or(String::new(), |f| f.field.clone().into_owned()),
            field.map_or("", |f| f.code),
        )
    }

    #[test]
    fn names_the_field_and_never_its_content() {
        assert_eq!(mistake("{"), (400, String::new(), ""));
        assert_eq!(mistake("{\"name\":\"a\"} x"), (400, String::new(), ""));
        let (status, field, code) = mistake("{\"name\":\"a\",\"nam\":1}");
        assert_eq!(
            (status, field.as_str(), code),
            (422, "nam", "unknown_field")
        );
        let (_, field, code) = mistake("{\"name\":\"a\",\"inner\":{}}");
        assert_eq!((field.as_str(), code), ("inner.year", "required"));
        let (_, field, code) = mistake("{\"name\":\"a\",\"inner\":{\"year\":\"0901234567\"}}");
        assert_eq!((field.as_str(), code), ("inner.year", "wrong_type"));
    }
}
