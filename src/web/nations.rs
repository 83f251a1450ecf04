//! Nationalities of the declaration, by ISO 3166-1 alpha-2 code.
//!
//! The list travels with the first page of every visit. So the countries most visitors and
//! residents come from stand there by name, and all others by their code alone, which the page's
//! script turns into names from the browser's own stock.

use super::page::Choice;
use super::texts::Lang;
use crate::declarations::countries;

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

/// The countries that are named, Vietnam first.
#[must_use]
pub fn choices(lang: Lang) -> Vec<Choice> {
    NATIONS
        .iter()
        .map(|(code, vi, en)| {
            let name = match lang {
                Lang::Vi => vi,
                Lang::En => en,
            };
            Choice::new(*code, *name)
        })
        .collect()
}

/// The codes of all other countries.
#[must_use]
pub fn others() -> Vec<&'static str> {
    let named = |code: &str| NATIONS.iter().any(|(known, _, _)| *known == code);
    countries().filter(|code| !named(code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_can_be_chosen_once() {
        let named = choices(Lang::Vi);
        let mut all: Vec<_> = named.iter().map(|choice| choice.value.as_str()).collect();
        assert_eq!(all[0], "VN");
        all.extend(others());
        all.sort_unstable();
        assert!(all.iter().copied().eq(countries()), "{all:?}");
    }
}
