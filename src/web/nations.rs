//! Nationalities of the declaration, by ISO 3166-1 alpha-2 code.
//!
//! Not every country of the world: the list travels with the first page of every visit, and a
//! shorter one is read faster. It holds the countries most visitors and residents come from; the
//! rest is "other" (`ZZ`, a code that ISO leaves to users).

use super::page::Choice;
use super::texts::Lang;

const NATIONS: [(&str, &str, &str); 45] = [
    ("VN", "Việt Nam", "Vietnam"),
    ("AU", "Úc", "Australia"),
    ("AT", "Áo", "Austria"),
    ("BD", "Bangladesh", "Bangladesh"),
    ("BE", "Bỉ", "Belgium"),
    ("BR", "Brazil", "Brazil"),
    ("BN", "Brunei", "Brunei"),
    ("KH", "Campuchia", "Cambodia"),
    ("CA", "Canada", "Canada"),
    ("CN", "Trung Quốc", "China"),
    ("CU", "Cuba", "Cuba"),
    ("CZ", "Séc", "Czechia"),
    ("DK", "Đan Mạch", "Denmark"),
    ("FI", "Phần Lan", "Finland"),
    ("FR", "Pháp", "France"),
    ("DE", "Đức", "Germany"),
    ("HK", "Hồng Kông", "Hong Kong"),
    ("HU", "Hungary", "Hungary"),
    ("IN", "Ấn Độ", "India"),
    ("ID", "Indonesia", "Indonesia"),
    ("IE", "Ireland", "Ireland"),
    ("IL", "Israel", "Israel"),
    ("IT", "Ý", "Italy"),
    ("JP", "Nhật Bản", "Japan"),
    ("KZ", "Kazakhstan", "Kazakhstan"),
    ("KR", "Hàn Quốc", "South Korea"),
    ("LA", "Lào", "Laos"),
    ("MY", "Malaysia", "Malaysia"),
    ("MM", "Myanmar", "Myanmar"),
    ("NL", "Hà Lan", "Netherlands"),
    ("NZ", "New Zealand", "New Zealand"),
    ("NG", "Nigeria", "Nigeria"),
    ("NO", "Na Uy", "Norway"),
    ("PH", "Philippines", "Philippines"),
    ("PL", "Ba Lan", "Poland"),
    ("RU", "Nga", "Russia"),
    ("SG", "Singapore", "Singapore"),
    ("ES", "Tây Ban Nha", "Spain"),
    ("SE", "Thụy Điển", "Sweden"),
    ("CH", "Thụy Sĩ", "Switzerland"),
    ("TW", "Đài Loan", "Taiwan"),
    ("TH", "Thái Lan", "Thailand"),
    ("UA", "Ukraina", "Ukraine"),
    ("GB", "Anh", "United Kingdom"),
    ("US", "Hoa Kỳ", "United States"),
];

/// The list for the page, Vietnam first, "other" last.
#[must_use]
pub fn choices(lang: Lang) -> Vec<Choice> {
    let other = match lang {
        Lang::Vi => "Nước khác",
        Lang::En => "Another country",
    };
    NATIONS
        .iter()
        .map(|(code, vi, en)| {
            let name = match lang {
                Lang::Vi => vi,
                Lang::En => en,
            };
            Choice::new(*code, *name)
        })
        .chain([Choice::new("ZZ", other)])
        .collect()
}
