//! `/docs`: the API reference.

use actix_web::HttpResponse;

use super::{frame::Frame, reference};
use crate::{
    api,
    base::{Failure, failure::Result},
};

/// The page, made of the same description that machines read.
pub async fn show(frame: Frame) -> Result<HttpResponse> {
    let document = serde_json::to_value(api::document()).map_err(Failure::internal)?;
    frame.show(&reference::read(frame.page(), &document))
}
