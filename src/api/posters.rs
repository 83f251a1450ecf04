//! Posters: what is printed, as PDF, PNG and SVG.

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    accounts::Account,
    base::{Code, Failure, FieldError, Kind, failure::Result, time::VIETNAM},
    http::{App, Caller, Owners, Path, Query, Shared, problem::Problem},
    posters::{self, Lang, Poster, PosterError, Size},
    venues::{self, Checkpoint, Venue},
};

/// Number of the provinces' hotline, as printed.
const HOTLINE: &str = "1022";

/// Posters in one PDF at most.
const PAGES_MAX: i64 = 2_000;

/// Which poster.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Sheet {
    /// `a3`, `a4` (the default), `a5`, `a6` or `sticker`.
    #[serde(default)]
    size: Option<String>,
    /// `vi` (the default), `en`, or `vi,en` for both.
    #[serde(default)]
    lang: Option<String>,
}

impl Sheet {
    /// The sheet of these words.
    #[must_use]
    pub fn new(size: Option<String>, lang: Option<String>) -> Self {
        Self { size, lang }
    }

    /// Size and language, or which of the two is none.
    ///
    /// # Errors
    ///
    /// [`Kind::Invalid`] with the field.
    pub fn read(&self) -> Result<(Size, Lang)> {
        let size = match self.size.as_deref().unwrap_or("a4") {
            "a3" => Some(Size::A3),
            "a4" => Some(Size::A4),
            "a5" => Some(Size::A5),
            "a6" => Some(Size::A6),
            "sticker" => Some(Size::Sticker),
            _ => None,
        };
        let lang = match self.lang.as_deref().unwrap_or("vi") {
            "vi" => Some(Lang::Vi),
            "en" => Some(Lang::En),
            "vi,en" => Some(Lang::Both),
            _ => None,
        };
        match (size, lang) {
            (Some(size), Some(lang)) => Ok((size, lang)),
            (size, lang) => {
                let wrong = [
                    size.is_none().then(|| FieldError::invalid("size")),
                    lang.is_none().then(|| FieldError::invalid("lang")),
                ];
                Err(Failure::invalid(wrong.into_iter().flatten().collect()))
            }
        }
    }
}

/// The formats of a poster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Vector, for print.
    Pdf,
    /// 150 dpi.
    Png,
    /// Vector, for the screen.
    Svg,
}

impl Format {
    /// The end of the file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
        }
    }

    /// Draw the posters; only a PDF has more than one page.
    ///
    /// # Errors
    ///
    /// Why they cannot be printed.
    pub fn draw(self, posters: &[Poster]) -> Result<Vec<u8>, PosterError> {
        let first = posters.first().ok_or(PosterError::Nothing)?;
        match self {
            Self::Pdf => posters::pdf(posters),
            Self::Png => posters::png(first),
            Self::Svg => posters::svg(first).map(String::into_bytes),
        }
    }
}

/// What the poster of a checkpoint says.
#[must_use]
pub fn poster_of(
    app: &App,
    venue: &Venue,
    checkpoint: &Checkpoint,
    size: Size,
    lang: Lang,
) -> Poster {
    let is_whole_venue = checkpoint.name == venue.name;
    let address = &venue.address;
    let place = [
        &*address.street,
        address.ward_name(&app.regions),
        address.province_name(&app.regions),
    ];
    Poster {
        url_base: app.public_url(),
        code: checkpoint.code,
        checkpoint: Some(&checkpoint.name)
            .filter(|_| !is_whole_venue)
            .map_or_else(String::new, ToString::to_string),
        venue: venue.name.to_string(),
        kind: match lang {
            Lang::En => checkpoint.kind.en(),
            Lang::Vi | Lang::Both => checkpoint.kind.vi(),
        }
        .to_owned(),
        place: place
            .into_iter()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        issued_on: checkpoint.poster_at.at(VIETNAM).date(),
        version: checkpoint.poster_version,
        retention_days: u32::from(app.settings.retention_days),
        lang,
        size,
        hotline: HOTLINE.to_owned(),
        authority: None,
    }
}

/// Draw `posters` and answer them, or `304` when the caller has them. For either edge.
///
/// # Errors
///
/// [`Kind::Invalid`] when a name cannot be printed, [`Kind::Unavailable`] when too many are drawn.
pub async fn answer(
    app: &App,
    request: &HttpRequest,
    posters: Vec<Poster>,
    format: Format,
    file: &str,
) -> Result<HttpResponse> {
    let tag = tag(&posters, format);
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag));
    let caching = (header::CACHE_CONTROL, "private, no-cache");
    if known {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, tag))
            .insert_header(caching)
            .finish());
    }
    let drawn = app.posters.run(move || format.draw(&posters)).await?;
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((header::ETAG, tag))
        .insert_header(caching)
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{file}.{}\"", format.extension()),
        ))
        .body(drawn.map_err(not_printable)?))
}

/// A poster is a function of what it says and of the program, so a tag of both needs no drawing.
fn tag(posters: &[Poster], format: Format) -> String {
    let mut sha = Sha256::new();
    sha.update(env!("CARGO_PKG_VERSION"));
    sha.update(format.extension());
    for poster in posters {
        sha.update(format!("{poster:?}"));
    }
    let digest = sha.finalize();
    let short = digest.iter().take(16);
    let hex = short.fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("\"{hex}\"")
}

fn not_printable(error: PosterError) -> Failure {
    let wrong = |field: String, code, vi, en| Failure::from(FieldError::new(field, code, vi, en));
    match error {
        PosterError::MissingGlyph { ch } | PosterError::Control { ch } => wrong(
            format!("U+{:04X}", u32::from(ch)),
            "missing_glyph",
            "Phông chữ của áp phích không có ký tự này; hãy đổi tên không dùng nó.",
            "The poster's font has no such character; use a name without it.",
        ),
        PosterError::TooLong | PosterError::NoName => wrong(
            "name".to_owned(),
            "not_printable",
            "Tên hoặc địa chỉ không in vừa áp phích.",
            "The name or the address does not fit on the poster.",
        ),
        PosterError::Nothing => Kind::NotFound.into(),
        PosterError::Address | PosterError::Font | PosterError::Write => Failure::internal(error),
    }
}

/// The caller's checkpoint of this id or code.
async fn own(app: &App, account: &Account, id: &str) -> Result<(Venue, Checkpoint)> {
    if let Ok(id) = Uuid::try_parse(id) {
        return app
            .db
            .read(async |tx| venues::own_checkpoint(tx, account.id, id).await)
            .await;
    }
    let code: Code = id.parse().map_err(|_| Kind::NotFound)?;
    let entry = app.directory.find(&app.db, code).await?;
    if entry.venue.owner != account.id {
        return Err(Kind::NotFound.into());
    }
    Ok((entry.venue.clone(), entry.checkpoint.clone()))
}

/// The poster of one of `account`'s checkpoints. For either edge.
///
/// # Errors
///
/// [`Kind::NotFound`], and those of [`answer`].
pub async fn one(
    app: &App,
    request: &HttpRequest,
    account: &Account,
    id: &str,
    sheet: &Sheet,
    format: Format,
) -> Result<HttpResponse> {
    let (venue, checkpoint) = own(app, account, id).await?;
    let (size, lang) = sheet.read()?;
    let poster = poster_of(app, &venue, &checkpoint, size, lang);
    let file = format!("poster-{}", checkpoint.code);
    answer(app, request, vec![poster], format, &file).await
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident $path:literal $media:literal $format:ident;)*) => { $(
        $(#[$doc])*
        #[utoipa::path(get, path = $path, tag = "Posters", security(("bearer" = [])),
            params(("id" = String, Path, description = "Id or code of the checkpoint")),
            responses((status = 200, content_type = $media), (status = 304),
                (status = 404, body = Problem), (status = 422, body = Problem)))]
        pub async fn $name(
            app: Shared,
            request: HttpRequest,
            caller: Caller<Owners>,
            id: Path<String>,
            sheet: Query<Sheet>,
        ) -> Result<HttpResponse> {
            one(&app, &request, &caller.account, &id.0, &sheet.0, Format::$format).await
        }
    )* };
}

formats! {
    /// The poster of a checkpoint for print: vector.
    pdf "/api/v1/checkpoints/{id}/poster.pdf" "application/pdf" Pdf;
    /// The poster of a checkpoint as a picture of 150 dpi.
    png "/api/v1/checkpoints/{id}/poster.png" "image/png" Png;
    /// The poster of a checkpoint for the screen: vector.
    svg "/api/v1/checkpoints/{id}/poster.svg" "image/svg+xml" Svg;
}

/// The posters of all open checkpoints of a venue, a page each, at most 500.
#[utoipa::path(get, path = "/api/v1/venues/{id}/posters.pdf", tag = "Posters",
    security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, content_type = "application/pdf"), (status = 304),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn all(
    app: Shared,
    request: HttpRequest,
    caller: Caller<Owners>,
    id: Path<Uuid>,
    sheet: Query<Sheet>,
) -> Result<HttpResponse> {
    of_venue(&app, &request, &caller.account, id.0, &sheet.0).await
}

/// The posters of all open checkpoints of a venue of `account`. For either edge.
///
/// # Errors
///
/// As [`one`].
pub async fn of_venue(
    app: &App,
    request: &HttpRequest,
    account: &Account,
    venue: Uuid,
    sheet: &Sheet,
) -> Result<HttpResponse> {
    let owner = account.id;
    let (venue, checkpoints) = app
        .db
        .read(async |tx| {
            let venue = venues::own_venue(tx, owner, venue).await?;
            let rows = venues::checkpoints_of(tx, &venue, None, PAGES_MAX + 1).await?;
            Ok::<_, Failure>((venue, rows))
        })
        .await?;
    if i64::try_from(checkpoints.len()).is_ok_and(|pages| pages > PAGES_MAX) {
        return Err(FieldError::new(
            "id",
            "too_many_posters",
            "Một tệp có tối đa 2.000 tờ; hãy in từng điểm.",
            "One file holds 2,000 posters at most; print the checkpoints one by one.",
        )
        .into());
    }
    let (size, lang) = sheet.read()?;
    let posters = checkpoints
        .iter()
        .filter(|checkpoint| !checkpoint.closed())
        .map(|checkpoint| poster_of(app, &venue, checkpoint, size, lang))
        .collect();
    answer(app, request, posters, Format::Pdf, "posters").await
}
