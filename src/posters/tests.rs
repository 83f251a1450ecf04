use proptest::prelude::*;
use time::{Date, Month};

use super::{
    Lang, Poster, PosterError, Size, TEXT_MAX,
    font::{Fonts, Weight},
    layout,
    qr::{Address, HOST_MAX, Matrix, QUIET_MODULES},
    scene::{Item, Scene},
    texts,
};
use crate::base::codes::Code;

const LANGS: [Lang; 3] = [Lang::Vi, Lang::En, Lang::Both];

fn poster(size: Size, lang: Lang) -> Poster {
    Poster {
        url_base: "https://dkd.example.vn".to_owned(),
        code: Code::from_bytes(*b"\x3fposter-of-tests"),
        checkpoint: "Cổng chính".to_owned(),
        venue: "Chợ Bến Mẫu".to_owned(),
        kind: "Chợ".to_owned(),
        place: vec!["12 Đường Mẫu".to_owned(), "Phường Bến Mẫu".to_owned()],
        issued_on: Date::from_calendar_date(2026, Month::November, 5).unwrap(),
        version: 3,
        retention_days: 21,
        lang,
        size,
        hotline: "1022".to_owned(),
        authority: Some("Sở Y tế tỉnh Mẫu".to_owned()),
    }
}

fn scene(poster: &Poster) -> Scene {
    super::drawn(&Fonts::load().unwrap(), poster).unwrap()
}

/// Left, top, right, bottom in mm.
type Bounds = [f64; 4];

fn apart(a: Bounds, b: Bounds) -> bool {
    a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
}

/// The code with its quiet zone, and the side of the code alone.
fn code(scene: &Scene) -> (Bounds, f64) {
    scene
        .items
        .iter()
        .find_map(|item| match item {
            Item::Qr { matrix, at, module } => {
                let side = f64::from(matrix.side()) * module;
                let quiet = f64::from(QUIET_MODULES) * module;
                let (x, y) = (at.0 - quiet, at.1 - quiet);
                let whole = side + 2.0 * quiet;
                Some(([x, y, x + whole, y + whole], side))
            }
            _ => None,
        })
        .unwrap()
}

/// Each line of text from its baseline to the height of a capital letter: what must never touch.
fn lines(scene: &Scene) -> Vec<Bounds> {
    let lines = scene.items.iter().filter_map(|item| match item {
        Item::Text { run, at, size, .. } => Some([
            at.0,
            at.1 - 0.74 * size,
            at.0 + run.width * size,
            at.1 + 0.01 * size,
        ]),
        _ => None,
    });
    lines.collect()
}

/// Nothing outside the sheet, nothing in the quiet zone, no line on another.
fn overlap(scene: &Scene) -> Option<String> {
    let ([left, top, right, bottom], _) = code(scene);
    if left < 0.0 || top < 0.0 || right > scene.width || bottom > scene.height {
        return Some("the code leaves the sheet".to_owned());
    }
    let all = lines(scene);
    for (at, line) in all.iter().enumerate() {
        if line[0] < 2.0 || line[2] > scene.width - 2.0 || line[3] > scene.height - 2.0 {
            return Some(format!("line {at} leaves the sheet: {line:?}"));
        }
        if !apart(*line, [left, top, right, bottom]) {
            return Some(format!("line {at} is in the quiet zone: {line:?}"));
        }
        if let Some(other) = all[..at].iter().position(|other| !apart(*line, *other)) {
            return Some(format!("lines {other} and {at} overlap"));
        }
    }
    None
}

#[test]
fn every_character_of_every_text_has_a_glyph() {
    let fonts = Fonts::load().unwrap();
    assert!(texts::all().len() > 20);
    for text in texts::all() {
        for weight in [Weight::Regular, Weight::Bold] {
            fonts.run(text, weight).unwrap();
        }
    }
}

#[test]
fn every_vietnamese_letter_and_many_latin_names_have_glyphs() {
    let fonts = Fonts::load().unwrap();
    let bases = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY";
    let tones = ["", "\u{300}", "\u{301}", "\u{303}", "\u{309}", "\u{323}"];
    for base in bases.chars() {
        for tone in tones {
            let letter = super::text(&format!("{base}{tone}")).unwrap();
            assert_eq!(letter.chars().count(), 1, "{letter} composes");
            fonts.run(&letter, Weight::Bold).unwrap();
        }
    }
    for name in [
        "Đỗ Thị Ổi đ ₫",
        "Halle (Saale)",
        "O'Brien & O’Brien",
        "Ćwikła Łódź Žižka Győr Şırnak Ærø Åse Straße Peña Çelik",
        "“Tân Á” – ‘Đại Thành’ — A/B, C; D: 50 % + 2 × 3 … №".trim_end_matches('№'),
    ] {
        fonts.run(name, Weight::Regular).unwrap();
    }
}

#[test]
fn a_missing_character_is_named() {
    for (name, ch) in [
        ("Quán № 7", '№'),
        ("中文", '中'),
        ("Chợ 🙂", '🙂'),
        ("q\u{323}a", '\u{323}'),
    ] {
        let poster = Poster {
            venue: name.to_owned(),
            ..poster(Size::A4, Lang::Vi)
        };
        let error = super::svg(&poster).unwrap_err();
        assert_eq!(error, PosterError::MissingGlyph { ch });
        assert!(
            error
                .to_string()
                .contains(&format!("U+{:04X}", u32::from(ch)))
        );
        assert_eq!(
            super::pdf(std::slice::from_ref(&poster)).unwrap_err(),
            error
        );
        assert_eq!(super::png(&poster).unwrap_err(), error);
    }
}

#[test]
fn control_and_direction_characters_are_refused() {
    for ch in [
        '\n', '\0', '\u{1b}', '\u{202e}', '\u{2066}', '\u{200d}', '\u{feff}', '\u{ad}',
    ] {
        let mut poster = poster(Size::A5, Lang::Vi);
        poster.place.push(format!("Quận{ch}Mẫu"));
        assert_eq!(
            super::svg(&poster).unwrap_err(),
            PosterError::Control { ch }
        );
    }
}

#[test]
fn limits() {
    let base = poster(Size::A4, Lang::Vi);
    let with = |venue: String| {
        super::svg(&Poster {
            venue,
            ..base.clone()
        })
    };
    assert_eq!(with("a".repeat(TEXT_MAX + 1)), Err(PosterError::TooLong));
    assert!(with("a".repeat(TEXT_MAX)).is_ok());
    assert_eq!(with("  ".to_owned()), Err(PosterError::NoName));
    assert_eq!(super::pdf(&[]), Err(PosterError::Nothing));
    let place = vec!["x".to_owned(); super::PLACE_LINES_MAX + 1];
    let long = Poster { place, ..base };
    assert_eq!(super::svg(&long), Err(PosterError::TooLong));
}

#[test]
fn decomposed_letters_give_the_same_poster() {
    use unicode_normalization::UnicodeNormalization;
    let composed = poster(Size::A5, Lang::Both);
    let decomposed = Poster {
        venue: composed.venue.nfd().collect(),
        checkpoint: composed.checkpoint.nfd().collect(),
        ..composed.clone()
    };
    assert_ne!(composed.venue, decomposed.venue);
    assert_eq!(super::svg(&composed), super::svg(&decomposed));
    assert_eq!(
        super::pdf(&[composed]).unwrap(),
        super::pdf(&[decomposed]).unwrap()
    );
}

#[test]
fn the_same_poster_gives_the_same_bytes() {
    let poster = poster(Size::Sticker, Lang::Both);
    let one = std::slice::from_ref(&poster);
    assert_eq!(super::pdf(one).unwrap(), super::pdf(one).unwrap());
    assert_eq!(super::png(&poster).unwrap(), super::png(&poster).unwrap());
    assert_eq!(super::svg(&poster).unwrap(), super::svg(&poster).unwrap());
    let newer = Poster {
        version: 4,
        ..poster.clone()
    };
    assert_ne!(super::svg(&poster).unwrap(), super::svg(&newer).unwrap());
}

#[test]
fn the_code_is_at_least_15_cm_on_a4_and_a3_whatever_the_host() {
    let mut sides = std::collections::BTreeSet::new();
    for length in [1, 5, 13, 14, 27, 28, 40, 47, 60, 70, HOST_MAX] {
        for size in Size::ALL {
            let poster = Poster {
                url_base: format!("https://{}", "a".repeat(length)),
                ..poster(size, Lang::Both)
            };
            let scene = scene(&poster);
            assert_eq!(overlap(&scene), None, "{size:?}, host of {length}");
            let (_, side) = code(&scene);
            let least = match size {
                Size::A3 => 205.0,
                Size::A4 => 150.0,
                Size::A5 => 100.0,
                Size::A6 => 68.0,
                Size::Sticker => 57.0,
            };
            assert!(side >= least, "{size:?}, host of {length}: {side} mm");
            if let Some(Item::Qr { matrix, .. }) = scene
                .items
                .iter()
                .find(|item| matches!(item, Item::Qr { .. }))
            {
                sides.insert(matrix.side());
            }
        }
    }
    assert_eq!(sides.first(), Some(&33));
    assert!(sides.len() > 3, "{sides:?}");
}

#[test]
fn modules_are_whole_dots_of_the_png() {
    for size in Size::ALL {
        let scene = scene(&poster(size, Lang::Vi));
        for item in &scene.items {
            if let Item::Qr { at, module, .. } = item {
                for length in [at.0, at.1, *module] {
                    let dots = length / layout::DOT;
                    assert!((dots - dots.round()).abs() < 1e-6, "{size:?}: {dots}");
                }
            }
        }
    }
}

#[test]
fn names_never_overflow() {
    let names = [
        "X".to_owned(),
        "Chợ Bến Mẫu".to_owned(),
        "Trung tâm Hội nghị và Triển lãm tỉnh Mẫu, khu nhà phía đông".to_owned(),
        "W".repeat(100),
        "Ẵ".repeat(TEXT_MAX),
        format!("{} Mẫu", "m".repeat(99)),
        "Ộ W ".repeat(25),
        "i".repeat(100),
    ];
    for size in Size::ALL {
        for lang in LANGS {
            for name in &names {
                let poster = Poster {
                    venue: name.clone(),
                    checkpoint: name.chars().rev().collect::<String>(),
                    place: vec![name.clone(), name.clone()],
                    authority: Some(name.clone()),
                    ..poster(size, lang)
                };
                let scene = scene(&poster);
                assert_eq!(overlap(&scene), None, "{size:?} {lang:?} {name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// All letters that the family has; it lacks those of Latvian and Esperanto.
    #[test]
    fn any_latin_name_fits(
        venue in "[A-ZẠ-Ỹ][A-Za-zÀ-ćČ-ēĖ-ěĞ-ġĪīĮ-ıŁ-ńŇňŐ-ŕŘ-śŞ-ūŮ-žẠ-ỹ0-9 ,.'()–-]{0,99}",
        checkpoint in "[A-Za-zÀ-ćČ-ēĖ-ěĞ-ġĪīĮ-ıŁ-ńŇňŐ-ŕŘ-śŞ-ūŮ-žẠ-ỹ0-9 ]{0,100}",
        size in proptest::sample::select(Size::ALL.to_vec()),
        lang in proptest::sample::select(LANGS.to_vec()),
    ) {
        let poster = Poster { checkpoint, venue, ..poster(size, lang) };
        prop_assert_eq!(overlap(&scene(&poster)), None);
    }
}

#[test]
fn the_code_says_the_address_in_upper_case() {
    let code = Code::from_bytes([0xff; 16]);
    let content = |base| Address::parse(base).map(|address| address.content(code));
    assert_eq!(
        content("https://dkd.example.vn/").unwrap(),
        "HTTPS://DKD.EXAMPLE.VN/C/7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    );
    assert_eq!(
        content("http://127.0.0.1:8080").unwrap(),
        "HTTP://127.0.0.1:8080/C/7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    );
    let long = format!("https://{}", "a".repeat(HOST_MAX + 1));
    for base in [
        "",
        "https://",
        "dkd.example.vn",
        "ftp://dkd.example.vn",
        "https://example.vn/dkd",
        "https://example.vn?x",
        "https://ví-dụ.vn",
        "https://a b",
        long.as_str(),
    ] {
        assert_eq!(content(base), Err(PosterError::Address), "{base}");
    }
    // 50 characters fill version 4 at level H in alphanumeric mode; lower case would not fit.
    let full = format!("HTTPS://{}/C/{code}", "A".repeat(13));
    assert_eq!(Matrix::new(&full).unwrap().side(), 33);
    assert_eq!(Matrix::new(&full.to_lowercase()).unwrap().side(), 41);
}

#[test]
fn many_pages_share_the_fonts() {
    let one = super::pdf(&[poster(Size::A4, Lang::Both)]).unwrap();
    let many: Vec<Poster> = (0..10u8)
        .map(|at| Poster {
            code: Code::from_bytes([at; 16]),
            ..poster(Size::A4, Lang::Both)
        })
        .collect();
    let ten = super::pdf(&many).unwrap();
    assert!(ten.len() < 4 * one.len(), "{} and {}", ten.len(), one.len());
}

#[test]
fn the_svg_needs_nothing_from_outside() {
    let poster = Poster {
        venue: "A & <b>".to_owned(),
        ..poster(Size::A4, Lang::Both)
    };
    let svg = super::svg(&poster).unwrap();
    assert!(svg.contains("<title>A &amp; &lt;b&gt; · Cổng chính"));
    for outside in [
        "<text", "<script", "<image", "<style", "href", "url(", "font",
    ] {
        assert!(!svg.contains(outside), "{outside}");
    }
    assert_eq!(svg.matches("http").count(), 1, "only the name space");
}

#[test]
fn the_png_knows_its_size() {
    let png = super::png(&poster(Size::Sticker, Lang::Vi)).unwrap();
    assert_eq!(&png[16..24], &[0, 0, 1, 0xd8, 0, 0, 2, 0xa7], "472 x 679");
    let chunk = &png[33..54];
    assert_eq!(&chunk[4..8], b"pHYs");
    let mut crc = u32::MAX;
    for byte in &chunk[4..17] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            };
        }
    }
    assert_eq!((!crc).to_be_bytes(), chunk[17..21]);
}
