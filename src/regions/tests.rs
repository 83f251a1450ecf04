use std::collections::HashSet;
use std::time::Instant;

use super::*;
use Catalogue::{July2025, March2025};

fn regions() -> Regions {
    Regions::load().unwrap()
}

fn names(wards: &[&Ward]) -> Vec<&'static str> {
    wards.iter().map(|ward| ward.name).collect()
}

/// The published counts (QĐ 19/2025/QĐ-TTg; the lists of 1/3/2025 before it).
#[test]
fn the_catalogues_are_complete() {
    let regions = regions();
    let count = |catalogue, kind| {
        regions
            .lists(catalogue)
            .wards
            .iter()
            .filter(|w| w.kind == kind)
            .count()
    };
    assert_eq!(regions.provinces(July2025).len(), 34);
    assert_eq!(regions.lists(July2025).wards.len(), 3321);
    assert_eq!(count(July2025, WardKind::Ward), 687);
    assert_eq!(count(July2025, WardKind::Commune), 2621);
    assert_eq!(count(July2025, WardKind::SpecialZone), 13);
    assert_eq!(regions.provinces(March2025).len(), 63);
    assert_eq!(regions.lists(March2025).districts.len(), 696);
    assert_eq!(regions.lists(March2025).wards.len(), 10035);
    assert_eq!(count(March2025, WardKind::Township), 617);
    let by_province = |catalogue: Catalogue| -> usize {
        regions
            .provinces(catalogue)
            .iter()
            .map(|p| regions.wards(catalogue, p.code).len())
            .sum()
    };
    assert_eq!(
        (by_province(July2025), by_province(March2025)),
        (3321, 10035)
    );
}

#[test]
fn dong_nai_is_the_seventh_city() {
    let regions = regions();
    let dong_nai = regions.province(July2025, "75").unwrap();
    assert_eq!(
        (dong_nai.name, dong_nai.kind),
        ("Thành phố Đồng Nai", ProvinceKind::City)
    );
    let cities = regions
        .provinces(July2025)
        .iter()
        .filter(|p| p.kind == ProvinceKind::City);
    assert_eq!(cities.count(), 7);
    assert_eq!(
        regions.province(March2025, "75").unwrap().name,
        "Tỉnh Đồng Nai"
    );
}

#[test]
fn a_code_means_another_place_in_another_catalogue() {
    let regions = regions();
    assert_eq!(
        regions.province(July2025, "80").unwrap().short_name(),
        "Tây Ninh"
    );
    assert_eq!(
        regions.province(March2025, "80").unwrap().short_name(),
        "Long An"
    );
    assert_eq!(
        regions.ward(July2025, "00004").unwrap().name,
        "Phường Ba Đình"
    );
    let old = regions.ward(March2025, "00004").unwrap();
    assert_eq!(
        (old.name, old.district, old.province),
        ("Phường Trúc Bạch", Some("001"), "01")
    );
    assert_eq!(
        regions.district(March2025, "001").unwrap().name,
        "Quận Ba Đình"
    );
    assert_eq!(regions.district(July2025, "001"), None);
    assert_eq!(regions.ward(July2025, "4"), None);
    assert_eq!(regions.ward_in(July2025, "79", "00004"), None);
    assert_eq!(
        regions.ward_in(July2025, "01", "00004").unwrap().code,
        "00004"
    );
}

#[test]
fn ids_read_back() {
    for catalogue in Catalogue::ALL {
        assert_eq!(Catalogue::parse(catalogue.id()), Some(catalogue));
    }
    assert_eq!(Catalogue::parse("2021-11"), None);
    assert_eq!(Catalogue::default().id(), "2025-07");
}

#[test]
fn every_old_unit_goes_somewhere_and_only_one_way_is_proposed() {
    let regions = regions();
    let old = regions.lists(March2025);
    let with_wards: HashSet<_> = old.wards.iter().filter_map(|ward| ward.district).collect();
    let islands = old
        .districts
        .iter()
        .filter(|d| !with_wards.contains(d.code))
        .map(|d| (d.code, d.province));
    let units: Vec<_> = old
        .wards
        .iter()
        .map(|ward| (ward.code, ward.province))
        .chain(islands)
        .collect();
    assert_eq!(units.len(), 10_040);
    let mut divided = 0;
    for (code, province) in units {
        let rows = regions.map_old_ward(code);
        assert!((1..=5).contains(&rows.len()), "{code}");
        assert_eq!(rows.iter().filter(|row| row.default).count(), 1, "{code}");
        let became = regions.map_old_province(province).unwrap();
        assert!(
            rows.iter()
                .all(|row| row.old == code
                    && regions.ward_in(July2025, became.code, row.new).is_some()),
            "{code}"
        );
        divided += usize::from(rows.len() > 1);
    }
    assert_eq!(divided, 471);
}

#[test]
fn the_map_answers_single_questions() {
    let regions = regions();
    assert_eq!(
        regions.map_old_ward("00004"),
        [Mapping {
            old: "00004",
            new: "00004",
            default: true
        }]
    );
    let ly_son = regions.map_old_ward("536");
    assert_eq!(
        names(&[regions.ward(July2025, ly_son[0].new).unwrap()]),
        ["Đặc khu Lý Sơn"]
    );
    assert_eq!(regions.map_old_province("72").unwrap().code, "80");
    assert_eq!(regions.map_old_province("74").unwrap().code, "79");
    for unknown in ["", "0", "99999", "00005", "zzz"] {
        assert!(regions.map_old_ward(unknown).is_empty(), "{unknown}");
        assert!(regions.map_old_province(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn lists_are_in_vietnamese_order() {
    let regions = regions();
    let numbered = regions.wards_of_district(March2025, "765");
    let short: Vec<_> = numbered.iter().map(|ward| ward.short_name()).collect();
    let first_two: Vec<u16> = short
        .iter()
        .filter_map(|name| name.parse().ok())
        .take(3)
        .collect();
    assert!(
        first_two.windows(2).all(|pair| pair[0] < pair[1]) && first_two.len() == 3,
        "{short:?}"
    );
    let da_nang = regions.wards(July2025, "48");
    let place = |name| {
        da_nang
            .iter()
            .position(|ward| ward.short_name() == name)
            .unwrap()
    };
    assert!(place("An Hải") < place("Điện Bàn") && place("Điện Bàn") < place("Hải Châu"));
    assert_eq!(regions.districts(March2025, "01").len(), 30);
    assert!(regions.districts(July2025, "01").is_empty());
    assert!(regions.wards_of_district(March2025, "498").is_empty());
}

#[test]
fn short_names_lose_only_the_kind() {
    let regions = regions();
    for catalogue in Catalogue::ALL {
        let lists = regions.lists(catalogue);
        let wards = lists
            .wards
            .iter()
            .map(|w| (w.name, w.kind.label(), w.short_name()));
        let districts = lists
            .districts
            .iter()
            .map(|d| (d.name, d.kind.label(), d.short_name()));
        let provinces = lists
            .provinces
            .iter()
            .map(|p| (p.name, p.kind.label(), p.short_name()));
        for (name, label, short) in wards.chain(districts).chain(provinces) {
            assert_eq!(name, format!("{label} {short}"));
        }
    }
    assert_eq!(
        regions.province(July2025, "79").unwrap().short_name(),
        "Hồ Chí Minh"
    );
    assert_eq!(
        regions.district(March2025, "001").unwrap().short_name(),
        "Ba Đình"
    );
}

#[test]
fn accents_typed_decide_the_order_and_hide_nothing() {
    let regions = regions();
    let search = |text| names(&regions.search(July2025, Some("19"), text, 10));
    assert_eq!(search("văn lăng")[..2], ["Xã Văn Lăng", "Xã Văn Lang"]);
    assert_eq!(search("Văn Lang")[..2], ["Xã Văn Lang", "Xã Văn Lăng"]);
    let folded = search("van lang");
    assert!(
        folded.contains(&"Xã Văn Lăng") && folded.contains(&"Xã Văn Lang"),
        "{folded:?}"
    );
    assert_eq!(search("Va\u{306}n La\u{306}ng")[0], "Xã Văn Lăng");
    let tay_ninh = names(&regions.search(July2025, Some("80"), "tân thạnh", 10));
    assert_eq!(tay_ninh[..2], ["Xã Tân Thạnh", "Xã Tân Thành"]);
}

#[test]
fn search_takes_what_people_type() {
    let regions = regions();
    let first = |text| {
        regions
            .search(July2025, None, text, 5)
            .first()
            .map(|ward| ward.name)
    };
    for typed in [
        "Ba Đình",
        "ba dinh",
        "PHƯỜNG BA ĐÌNH",
        "phuong ba d",
        "p. ba dinh",
        "  ba   đình ",
    ] {
        assert_eq!(first(typed), Some("Phường Ba Đình"), "{typed}");
    }
    assert_eq!(
        regions
            .search(July2025, None, "xã tân tiến", 100)
            .iter()
            .filter(|w| w.name == "Xã Tân Tiến")
            .count(),
        7
    );
    assert_eq!(
        first("hoà bình").map(text::fold),
        Some("phuong hoa binh".to_owned())
    );
    for nothing in ["", " ", "-", "%", "'; --", "zzzz", "\u{301}"] {
        assert_eq!(first(nothing), None, "{nothing:?}");
    }
    assert!(
        regions
            .search(July2025, Some("00"), "ba dinh", 5)
            .is_empty()
    );
    assert!(regions.search(July2025, None, "ba dinh", 0).is_empty());
    assert!(
        regions
            .search(March2025, None, "truc bach", 5)
            .iter()
            .any(|w| w.code == "00004")
    );
}

/// The budget is 50 ms in a release build; a debug build on a busy machine gets ten times that.
#[test]
fn loading_is_quick() {
    let started = Instant::now();
    let regions = regions();
    let took = started.elapsed();
    assert_eq!(regions.provinces(July2025).len(), 34);
    assert!(took.as_millis() < 500, "{took:?}");
}
