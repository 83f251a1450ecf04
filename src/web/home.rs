//! `/` and the field for typing a code.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;

use super::{
    frame::{Frame, go},
    views::Home,
};
use crate::base::{Code, failure::Result};

/// The first page.
pub async fn show(frame: Frame) -> Result<HttpResponse> {
    frame.show(&Home {
        p: frame.page(),
        unknown: String::new(),
    })
}

/// A code that was typed.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    code: String,
}

/// On to the page of the code that was typed, or back with a word on what is wrong.
pub async fn typed(frame: Frame, typed: web::Query<Typed>) -> Result<HttpResponse> {
    match typed.code.parse::<Code>() {
        Ok(code) => Ok(go(&format!("/c/{code}")).finish()),
        Err(_) => frame.show_with(
            StatusCode::NOT_FOUND,
            &Home {
                p: frame.page(),
                unknown: typed.code.chars().take(64).collect(),
            },
        ),
    }
}
