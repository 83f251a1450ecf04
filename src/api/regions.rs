//! Provinces and wards, for forms.

use actix_web::{HttpResponse, http::header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    base::{FieldError, Kind, failure::Result},
    http::{Path, Query, Shared, problem::Problem},
    regions::{Catalogue, Province, Ward},
};

/// How long a form may keep the lists: they change with a law.
const CACHING: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");

/// Places that a search gives at most.
const FOUND_MAX: usize = 50;

/// Which list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `2025-07` (today's, the default) or `2025-03` (63 provinces, with districts).
    #[serde(default)]
    catalogue: Option<String>,
    /// Places to give, 1 to 500; absent: all of them.
    #[serde(default)]
    limit: Option<usize>,
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Which wards.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichWards {
    /// `2025-07` (today's, the default) or `2025-03` (63 provinces, with districts).
    #[serde(default)]
    catalogue: Option<String>,
    /// Wards whose names begin with this, or contain it; accents may be left out. The best 50.
    #[serde(default)]
    q: Option<String>,
    /// Places to give, 1 to 500; absent: all of them.
    #[serde(default)]
    limit: Option<usize>,
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// A province or a ward.
#[derive(Debug, Serialize, ToSchema)]
pub struct Region {
    /// Its code; it means nothing without its catalogue.
    #[schema(example = "80")]
    code: &'static str,
    /// Its full name.
    #[schema(example = "Tỉnh Tây Ninh")]
    name: &'static str,
    /// `city` or `province`; `ward`, `commune`, `township` or `special_zone`.
    kind: &'static str,
}

/// Places.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegionList {
    items: Vec<Region>,
    /// What to give as `cursor` for the next page; null on the last.
    next: Option<&'static str>,
}

impl From<&Province> for Region {
    fn from(place: &Province) -> Self {
        Self {
            code: place.code,
            name: place.name,
            kind: place.kind.as_str(),
        }
    }
}

impl From<&Ward> for Region {
    fn from(place: &Ward) -> Self {
        Self {
            code: place.code,
            name: place.name,
            kind: place.kind.as_str(),
        }
    }
}

/// All provinces.
#[utoipa::path(get, path = "/api/v1/regions", tag = "Regions",
    responses((status = 200, body = RegionList), (status = 422, body = Problem)))]
pub async fn provinces(app: Shared, query: Query<Which>) -> Result<HttpResponse> {
    let Which {
        catalogue,
        limit,
        cursor,
    } = query.0;
    let all = app.regions.provinces(read(catalogue.as_deref())?);
    page(all.iter().map(Region::from), limit, cursor.as_deref())
}

/// The wards of a province, in Vietnamese order.
#[utoipa::path(get, path = "/api/v1/regions/{province}/wards", tag = "Regions",
    params(("province" = String, Path, description = "Code of the province")),
    responses((status = 200, body = RegionList), (status = 404, body = Problem)))]
pub async fn wards(
    app: Shared,
    province: Path<String>,
    query: Query<WhichWards>,
) -> Result<HttpResponse> {
    let catalogue = read(query.0.catalogue.as_deref())?;
    let province = app
        .regions
        .province(catalogue, &province.0)
        .ok_or(Kind::NotFound)?
        .code;
    let found = match &query.0.q {
        Some(text) => app
            .regions
            .search(catalogue, Some(province), text, FOUND_MAX),
        None => app.regions.wards(catalogue, province),
    };
    let found = found.into_iter().map(Region::from);
    page(found, query.0.limit, query.0.cursor.as_deref())
}

fn read(catalogue: Option<&str>) -> Result<Catalogue> {
    match catalogue {
        None => Ok(Catalogue::default()),
        Some(id) => Catalogue::parse(id).ok_or_else(|| FieldError::invalid("catalogue").into()),
    }
}

fn page(
    all: impl Iterator<Item = Region>,
    limit: Option<usize>,
    cursor: Option<&str>,
) -> Result<HttpResponse> {
    if limit.is_some_and(|limit| !(1..=500).contains(&limit)) {
        return Err(FieldError::invalid("limit").into());
    }
    let mut items: Vec<Region> = all.collect();
    if let Some(cursor) = cursor {
        let at = items.iter().position(|region| region.code == cursor);
        items.drain(..=at.ok_or_else(|| FieldError::invalid("cursor"))?);
    }
    let limit = limit.unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|region| region.code);
    Ok(HttpResponse::Ok()
        .insert_header(CACHING)
        .json(RegionList { items, next }))
}
