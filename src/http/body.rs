//! What comes in: JSON bodies, queries and paths, read into types or answered with a problem.
//!
//! The parser's own words may repeat what was sent, so they are never passed on: an error names the
//! field and says what kind of mistake it is.

use std::{
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    rt::time::{Sleep, sleep},
    web::{self, Bytes, BytesMut},
};
use futures_util::Stream as _;
use serde::de::DeserializeOwned;

use crate::base::{Failure, FieldError, Kind};

/// How long a body of the usual size may take to arrive. Slow ones would otherwise hold a connection
/// for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a sender of more must bring in a second, in bytes: less than a phone manages at the edge of a
/// cell.
const PACE: usize = 64 * 1024;

/// Longest path of a field that an error names.
const PATH_MAX: usize = 100;

/// The usual limit of a body: 64 KiB.
pub const USUAL: usize = 64 * 1024;

/// The limit of a batch of check-ins: 1 MiB.
pub const BATCH: usize = 1024 * 1024;

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub struct Json<T, const LIMIT: usize = USUAL>(pub T);

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest for Json<T, LIMIT> {
    type Error = Failure;
    type Future = Reading<T, LIMIT>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        Reading {
            is_json,
            body: collect(payload.take(), LIMIT),
            of: PhantomData,
        }
    }
}

/// A JSON body that is on its way.
pub struct Reading<T, const LIMIT: usize> {
    is_json: bool,
    body: Collect,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned, const LIMIT: usize> Future for Reading<T, LIMIT> {
    type Output = Result<Json<T, LIMIT>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.is_json {
            return Poll::Ready(Err(Kind::WrongType.into()));
        }
        let body = ready!(Pin::new(&mut self.body).poll(cx))?;
        Poll::Ready(read_json(&body).map(Json))
    }
}

/// How long a body of at most `limit` bytes may take: 5 s, and a second more for each 64 KiB that the
/// usual size has not.
#[must_use]
pub fn patience(limit: usize) -> Duration {
    let more = limit.saturating_sub(USUAL) / PACE;
    PATIENCE + Duration::from_secs(u64::try_from(more).unwrap_or(0))
}

/// Read a body of at most `limit` bytes. Fails with [`Kind::TooLarge`], with [`Kind::Malformed`] when
/// it breaks off, and with [`Kind::Slow`] when it takes longer than [`patience`].
#[must_use]
pub fn collect(payload: Payload, limit: usize) -> Collect {
    Collect {
        payload,
        limit,
        first: Bytes::new(),
        more: BytesMut::new(),
        patience: None,
    }
}

/// A body that is on its way.
pub struct Collect {
    payload: Payload,
    limit: usize,
    /// All of a small body, as it lies in the connection's buffer.
    first: Bytes,
    more: BytesMut,
    patience: Option<Pin<Box<Sleep>>>,
}

impl Collect {
    fn add(&mut self, chunk: Bytes) -> Result<(), Failure> {
        if self.first.len() + self.more.len() + chunk.len() > self.limit {
            return Err(Kind::TooLarge.into());
        }
        if self.first.is_empty() {
            self.first = chunk;
        } else {
            self.more.extend_from_slice(&chunk);
        }
        Ok(())
    }

    fn take(&mut self) -> Bytes {
        if self.more.is_empty() {
            return std::mem::take(&mut self.first);
        }
        let mut whole = BytesMut::from(&*self.first);
        whole.unsplit(std::mem::take(&mut self.more));
        whole.freeze()
    }
}

impl Future for Collect {
    type Output = Result<Bytes, Failure>;

    /// In HTTP/1 the task that polls this one reads the connection too and polls again whatever has
    /// come, so the body need not wake it: each wake would run the whole connection once for nothing.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut quiet = Context::from_waker(Waker::noop());
        loop {
            let is_h1 = matches!(self.payload, Payload::H1 { .. });
            let by = if is_h1 { &mut quiet } else { &mut *cx };
            match Pin::new(&mut self.payload).poll_next(by) {
                Poll::Ready(Some(Ok(chunk))) => self.add(chunk)?,
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(Kind::Malformed.into())),
                Poll::Ready(None) => return Poll::Ready(Ok(self.take())),
                Poll::Pending => break,
            }
        }
        let limit = self.limit;
        let waiting = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep(patience(limit))));
        waiting.as_mut().poll(cx).map(|()| Err(Kind::Slow.into()))
    }
}

/// Read JSON into a type.
///
/// # Errors
///
/// [`Kind::Malformed`] when it is not JSON; [`Kind::Invalid`] with the field's path when it is, but
/// does not fit.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    // Where in the body a mistake is, is asked only when there is one: to keep track costs as much as
    // reading.
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // The reader calls a list that is too long for its pair a mistake of syntax.
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if inner.is_data() || is_json() {
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
    // A name that is none of ours is the caller's own text, and may hold anything.
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.[]".contains(c);
    let is_plain = path.len() <= PATH_MAX
        && path.chars().all(is_name)
        && path.chars().filter(char::is_ascii_digit).count() < 6;
    let path = if path == "." || !is_plain {
        String::new()
    } else {
        path
    };
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
    fn a_list_too_long_for_its_pair_is_json() {
        let read = |body: &str| read_json::<(String, String)>(body.as_bytes());
        assert_eq!(read(r#"["a","b","c"]"#).unwrap_err().kind.status(), 422);
        assert_eq!(read(r#"["a","b","c""#).unwrap_err().kind.status(), 400);
    }

    #[test]
    fn a_large_body_has_more_time_and_never_much() {
        assert_eq!(patience(USUAL), Duration::from_secs(5));
        assert_eq!(patience(10), Duration::from_secs(5));
        assert_eq!(patience(BATCH), Duration::from_secs(20));
        assert_eq!(patience(4 * BATCH), Duration::from_secs(68));
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
        for own in ["Nguyễn Văn Mẫu", "0901234567", "Mẫu"] {
            let (status, field, code) = mistake(&format!("{{\"name\":\"a\",\"{own}\":1}}"));
            assert_eq!((status, field.as_str(), code), (422, "", "unknown_field"));
        }
        let (_, field, code) = mistake("{\"name\":\"a\",\"inner\":{}}");
        assert_eq!((field.as_str(), code), ("inner.year", "required"));
        let (_, field, code) = mistake("{\"name\":\"a\",\"inner\":{\"year\":\"0901234567\"}}");
        assert_eq!((field.as_str(), code), ("inner.year", "wrong_type"));
    }
}
