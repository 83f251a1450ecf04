//! Posters for a browser that is logged in: the same sheets as on the JSON edge.

use actix_web::{HttpResponse, web};
use uuid::Uuid;

use super::frame::Own;
use crate::{
    api::posters::{self, Format, Sheet},
    base::{Kind, failure::Result},
    http::Owners,
};

/// `GET /venues/{venue}/checkpoints/{checkpoint}/poster.{format}`.
pub async fn one(
    own: Own<Owners>,
    path: web::Path<(Uuid, Uuid, String)>,
    sheet: web::Query<Sheet>,
) -> Result<HttpResponse> {
    let (_, checkpoint, format) = path.into_inner();
    let format = [Format::Pdf, Format::Png, Format::Svg]
        .into_iter()
        .find(|known| known.extension() == format)
        .ok_or(Kind::NotFound)?;
    let (app, request) = (&own.frame.app, &own.frame.request);
    let id = checkpoint.to_string();
    posters::one(app, request, &own.account, &id, &sheet, format).await
}

/// `GET /venues/{venue}/posters.pdf`.
pub async fn all(
    own: Own<Owners>,
    venue: web::Path<Uuid>,
    sheet: web::Query<Sheet>,
) -> Result<HttpResponse> {
    let (app, request) = (&own.frame.app, &own.frame.request);
    posters::of_venue(app, request, &own.account, *venue, &sheet).await
}
