//! Lists: `?limit=` and `?cursor=` in, `items` and `next` out.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::base::{Failure, FieldError};

/// Rows on a page when the caller does not say.
const USUAL: i64 = 50;

/// Rows on a page at most.
const MOST: i64 = 500;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows on the page, 1 to 500; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page that was asked for: how many rows, and the key after which they start.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Rows on the page.
    pub limit: i64,
    /// The key of the last row of the page before.
    pub after: Option<String>,
}

impl PageQuery {
    /// The page that a query of more than these two names.
    #[must_use]
    pub const fn new(limit: Option<i64>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// Check the limit.
    ///
    /// # Errors
    ///
    /// A field error for `limit` or `cursor`.
    pub fn read(self) -> Result<Cursor, Failure> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(FieldError::new(
                "limit",
                "out_of_range",
                "limit từ 1 đến 500.",
                "limit is 1 to 500.",
            )
            .into());
        }
        Ok(Cursor {
            limit,
            after: self.cursor,
        })
    }
}

impl Cursor {
    /// The key after which the page starts, as a number; the first page starts after `first`.
    ///
    /// # Errors
    ///
    /// A field error for `cursor` when it is not one of ours.
    pub fn after_or<T: std::str::FromStr>(&self, first: T) -> Result<T, Failure> {
        match &self.after {
            None => Ok(first),
            Some(text) => text.parse().map_err(|_| {
                FieldError::new(
                    "cursor",
                    "cursor_invalid",
                    "cursor không phải của danh sách này.",
                    "The cursor is not one of this list.",
                )
                .into()
            }),
        }
    }

    /// The page of `rows`, which were read with one more than the limit, each with the key by which
    /// the list is ordered.
    pub fn list<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> List<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        List { items: rows, next }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to give as `cursor` for the next page; null on the last.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> List<U> {
        List {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
        }
    }
}
