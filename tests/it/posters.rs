//! Posters as a phone sees them: printed to dots and read by two decoders that know nothing of us.
//!
//! Needs `pdftoppm`, `pdffonts`, `pdftotext` (poppler-utils), `zbarimg` (zbar-tools), `qpdf` and
//! `rsvg-convert` (librsvg2-bin).

use std::{path::Path, process::Command};

use diem_kiem_dich::{
    base::codes::Code,
    posters::{self, Lang, Poster, Size},
};
use rxing::{
    BarcodeFormat, BinaryBitmap, DecodeHints, Luma8LuminanceSource, Reader,
    common::HybridBinarizer, qrcode::QRCodeReader,
};
use tempfile::TempDir;
use time::{Date, Month};

const CONTENT: &str = "HTTPS://DKD.EXAMPLE.VN/C/1G64S36D1N6RVKGEB1C9HP8SB6";

fn poster(size: Size, lang: Lang) -> Poster {
    Poster {
        url_base: "https://dkd.example.vn".to_owned(),
        code: Code::from_bytes(*b"0123456789abcdef"),
        checkpoint: "Cổng chính".to_owned(),
        venue: "Chợ Bến Mẫu".to_owned(),
        kind: "Chợ".to_owned(),
        place: vec!["12 Đường Mẫu".to_owned(), "Phường Bến Mẫu".to_owned()],
        issued_on: Date::from_calendar_date(2026, Month::November, 21).unwrap(),
        version: 3,
        retention_days: 21,
        lang,
        size,
        hotline: "1022".to_owned(),
        authority: Some("Sở Y tế tỉnh Mẫu".to_owned()),
    }
}

/// What a tool prints; it has to succeed.
fn run(tool: &str, args: &[&str], path: &Path, more: &[&str]) -> String {
    let output = Command::new(tool)
        .args(args)
        .arg(path)
        .args(more)
        .output()
        .unwrap_or_else(|error| panic!("{tool} is needed for this test: {error}"));
    assert!(output.status.success(), "{tool}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Both decoders read the address from the picture.
fn assert_read(png: &Path) {
    let zbar = run("zbarimg", &["-q", "--raw", "--nodbus"], png, &[]);
    assert_eq!(zbar.trim(), CONTENT, "zbar, {}", png.display());
    let picture = image::load_from_memory(&std::fs::read(png).unwrap())
        .unwrap()
        .into_luma8();
    let (width, height) = picture.dimensions();
    let source = Luma8LuminanceSource::new(picture.into_raw(), width, height).unwrap();
    let hints = DecodeHints {
        PossibleFormats: Some([BarcodeFormat::QR_CODE].into()),
        ..DecodeHints::default()
    };
    let read = QRCodeReader::new()
        .decode_with_hints(&mut BinaryBitmap::new(HybridBinarizer::new(source)), &hints)
        .unwrap();
    assert_eq!(read.getText(), CONTENT, "rxing, {}", png.display());
}

fn written(dir: &TempDir, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn every_sheet_is_read_from_the_printed_pdf() {
    let dir = TempDir::new().unwrap();
    let sheets: Vec<Poster> = Size::ALL
        .into_iter()
        .flat_map(|size| [Lang::Vi, Lang::Both].map(|lang| poster(size, lang)))
        .collect();
    let pdf = written(&dir, "all.pdf", &posters::pdf(&sheets).unwrap());
    run("qpdf", &["--check"], &pdf, &[]);
    let pages = dir.path().join("page");
    let pages = pages.to_str().unwrap();
    run("pdftoppm", &["-r", "150", "-gray", "-png"], &pdf, &[pages]);
    for page in 1..=sheets.len() {
        assert_read(Path::new(&format!("{pages}-{page:02}.png")));
    }
}

#[test]
fn every_sheet_is_read_from_png_and_svg() {
    let dir = TempDir::new().unwrap();
    for size in Size::ALL {
        let poster = poster(size, Lang::Both);
        assert_read(&written(&dir, "sheet.png", &posters::png(&poster).unwrap()));
        let svg = written(&dir, "sheet.svg", posters::svg(&poster).unwrap().as_bytes());
        let drawn = dir.path().join("drawn.png");
        let dots = ["-d", "150", "-p", "150", "-o", drawn.to_str().unwrap()];
        run("rsvg-convert", &dots, &svg, &[]);
        assert_read(&drawn);
    }
}

/// A sticker on the lower right of the code, a fifth of its width: error correction H bears it.
#[test]
fn a_damaged_poster_is_read() {
    let dir = TempDir::new().unwrap();
    let png = posters::png(&poster(Size::A5, Lang::Vi)).unwrap();
    let mut picture = image::load_from_memory(&png).unwrap().into_luma8();
    let (width, height) = picture.dimensions();
    for x in width * 55 / 100..width * 70 / 100 {
        for y in height * 50 / 100..height * 60 / 100 {
            picture.put_pixel(x, y, image::Luma([255]));
        }
    }
    let path = dir.path().join("damaged.png");
    picture.save(&path).unwrap();
    assert_read(&path);
}

#[test]
fn the_pdf_embeds_its_fonts_and_gives_the_text_back() {
    let dir = TempDir::new().unwrap();
    let sheet = Poster {
        venue: "Chợ Đỗ Thị Ổi – Halle (Saale), O'Brien".to_owned(),
        ..poster(Size::A4, Lang::Both)
    };
    let pdf = written(&dir, "a4.pdf", &posters::pdf(&[sheet]).unwrap());
    let fonts = run("pdffonts", &[], &pdf, &[]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert_eq!(rows.len(), 2, "{fonts}");
    for row in rows {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let embedded = columns.iter().rev().nth(4);
        let unicode = columns.iter().rev().nth(2);
        assert_eq!((embedded, unicode), (Some(&"yes"), Some(&"yes")), "{row}");
    }
    let text = run("pdftotext", &["-layout"], &pdf, &["-"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "ĐIỂM KIỂM DỊCH",
        "QUÉT MÃ ĐỂ KHAI BÁO Y TẾ",
        "Chợ Đỗ Thị Ổi – Halle (Saale), O'Brien",
        "Cổng chính",
        "Không có điện thoại? Đưa CCCD hoặc thẻ BHYT cho người kiểm soát.",
        "1G64S-36D1N-6RVKG-EB1C9-HP8SB6",
        "dkd.example.vn",
        "Phát hành 21/11/2026 · Bản 3",
        "21 ngày",
        "1022",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let info = run("pdfinfo", &["-isodates"], &pdf, &[]);
    assert!(info.contains("Áp phích điểm kiểm dịch"), "{info}");
    assert!(info.contains("2026-11-21T00:00:00Z"), "{info}");
    assert!(!info.contains("PDF/X"), "{info}");
}
