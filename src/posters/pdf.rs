//! The scene as PDF: text as text, with the font embedded, and the code as one vector path.
//!
//! The page asks viewers to print it at its own size (`PrintScaling`), since a code shrunk "to fit"
//! falls below the 15 cm that are promised.

use lopdf::{Object, dictionary};
use printpdf::{
    FontId, LinePoint, Mm, OffsetDateTime, Op, PaintMode, ParsedFont, PdfDocument, PdfFont,
    PdfFontHandle, PdfPage, PdfSaveOptions, Point, Polygon, PolygonRing, Rgb, TextItem,
    WindingOrder, to_lopdf_doc,
};
use time::Date;

use super::{
    Lang, PosterError,
    font::{self, Run, Weight},
    scene::{self, Color, Item, Path, Scene, Step},
    texts,
};

const REGULAR: &str = "BeVietnamPro-Regular";
const BOLD: &str = "BeVietnamPro-Bold";

/// All scenes as the pages of one document, which carries the fonts once.
///
/// # Errors
/// [`PosterError::Font`], [`PosterError::Write`].
pub fn write(scenes: &[Scene], lang: Lang, issued_on: Date) -> Result<Vec<u8>, PosterError> {
    let (title, tag) = match lang {
        Lang::Vi | Lang::Both => (texts::DOCUMENT.vi, "vi-VN"),
        Lang::En => (texts::DOCUMENT.en, "en"),
    };
    let mut document = PdfDocument::new(title);
    let midnight = issued_on.midnight().assume_utc().unix_timestamp();
    let at = OffsetDateTime::from_unix_timestamp(midnight).map_err(|_| PosterError::Write)?;
    let info = &mut document.metadata.info;
    info.creation_date = at;
    info.modification_date = at;
    info.metadata_date = at;
    info.creator = String::from(env!("CARGO_PKG_NAME"));
    // `add_font` would draw the name from a counter of the process, and the second file would
    // differ from the first.
    for (name, bytes) in [(REGULAR, font::REGULAR), (BOLD, font::BOLD)] {
        let parsed = ParsedFont::from_bytes(bytes, 0, &mut Vec::new()).ok_or(PosterError::Font)?;
        document
            .resources
            .fonts
            .map
            .insert(FontId(String::from(name)), PdfFont::new(parsed));
    }
    document.with_pages(scenes.iter().map(page).collect());
    let mut file = to_lopdf_doc(&document, &PdfSaveOptions::default(), &mut Vec::new());
    // The library's file ID comes from the same counter; an ID is optional.
    file.trailer.remove(b"ID");
    // Written whatever the conformance is; this file does not claim to be PDF/X.
    if let Ok(Object::Reference(info)) = file.trailer.get(b"Info").cloned()
        && let Ok(info) = file.get_dictionary_mut(info)
    {
        info.remove(b"GTS_PDFXVersion");
    }
    let catalog = file.catalog_mut().map_err(|_| PosterError::Write)?;
    catalog.set("Lang", Object::string_literal(tag));
    catalog.set(
        "ViewerPreferences",
        dictionary! { "PrintScaling" => "None", "DisplayDocTitle" => true },
    );
    file.version = String::from("1.7");
    file.compress();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).map_err(|_| PosterError::Write)?;
    Ok(bytes)
}

fn page(scene: &Scene) -> PdfPage {
    let height = scene.height;
    let mut ops = Vec::new();
    for item in &scene.items {
        match item {
            Item::Shape { path, color } => {
                ops.push(fill(*color));
                ops.push(polygon(rings(path, height)));
            }
            Item::Qr { matrix, at, module } => {
                ops.push(fill(Color([0, 0, 0])));
                let path = Path::modules(matrix, *at, *module);
                ops.push(polygon(rings(&path, height)));
            }
            Item::Text {
                run,
                at,
                size,
                color,
            } => {
                ops.push(fill(*color));
                ops.extend(text(run, point(*at, height), *size));
            }
        }
    }
    PdfPage::new(mm(scene.width), mm(scene.height), ops)
}

fn text(run: &Run, pos: Point, size: f64) -> [Op; 5] {
    let name = match run.weight {
        Weight::Regular => REGULAR,
        Weight::Bold => BOLD,
    };
    let mut items = Vec::new();
    let mut open = String::new();
    for glyph in &run.glyphs {
        if glyph.kern != 0.0 && !open.is_empty() {
            items.push(TextItem::Text(std::mem::take(&mut open)));
            // A number of TJ moves to the left, in thousandths of an em.
            items.push(TextItem::Offset(single(-glyph.kern * 1000.0)));
        }
        open.push(glyph.ch);
    }
    items.push(TextItem::Text(open));
    [
        Op::StartTextSection,
        Op::SetTextCursor { pos },
        Op::SetFont {
            font: PdfFontHandle::External(FontId(String::from(name))),
            size: mm(size).into(),
        },
        Op::ShowText { items },
        Op::EndTextSection,
    ]
}

fn fill(Color(rgb): Color) -> Op {
    let [r, g, b] = rgb.map(|part| f32::from(part) / 255.0);
    Op::SetFillColor {
        col: printpdf::Color::Rgb(Rgb::new(r, g, b, None)),
    }
}

const fn polygon(rings: Vec<PolygonRing>) -> Op {
    Op::DrawPolygon {
        polygon: Polygon {
            rings,
            mode: PaintMode::Fill,
            winding_order: WindingOrder::NonZero,
        },
    }
}

/// A path's rings; quadratic curves become the cubic ones that PDF knows.
fn rings(path: &Path, height: f64) -> Vec<PolygonRing> {
    let mut rings: Vec<PolygonRing> = Vec::new();
    let mut last = (0.0, 0.0);
    for step in &path.0 {
        match *step {
            Step::Move(to) => {
                rings.push(PolygonRing::default());
                push(&mut rings, on(to, height));
                last = to;
            }
            Step::Line(to) => {
                push(&mut rings, on(to, height));
                last = to;
            }
            Step::Quad(control, to) => {
                let toward = |end: scene::Point| {
                    (
                        end.0 + (control.0 - end.0) * 2.0 / 3.0,
                        end.1 + (control.1 - end.1) * 2.0 / 3.0,
                    )
                };
                for handle in [toward(last), toward(to)] {
                    push(
                        &mut rings,
                        LinePoint {
                            bezier: true,
                            ..on(handle, height)
                        },
                    );
                }
                push(&mut rings, on(to, height));
                last = to;
            }
            Step::Close => {}
        }
    }
    rings
}

fn push(rings: &mut [PolygonRing], point: LinePoint) {
    if let Some(ring) = rings.last_mut() {
        ring.points.push(point);
    }
}

fn on(at: scene::Point, height: f64) -> LinePoint {
    LinePoint {
        p: point(at, height),
        bezier: false,
    }
}

/// PDF's origin is the lower left corner.
fn point((x, y): scene::Point, height: f64) -> Point {
    Point::new(mm(x), mm(height - y))
}

fn mm(length: f64) -> Mm {
    Mm(single(length))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "PDF numbers are single precision; a sheet is far below 2^24 of any unit used"
)]
const fn single(value: f64) -> f32 {
    value as f32
}
