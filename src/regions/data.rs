//! The catalogues as they lie in the program: text tables, compiled in, read once.
//!
//! Nothing is copied out of the tables. A record holds slices of the embedded text, so both
//! catalogues together take about a megabyte beside it and are read in a few milliseconds. They are
//! not in the database, because they change with a law and not with a request.

use std::str::Lines;

use super::{
    Catalogue, District, DistrictKind, Mapping, Province, ProvinceKind, RegionsError, Ward,
    WardKind,
};

/// Where a table's text comes from; the name is for the failure message only.
pub(super) struct Table {
    name: &'static str,
    text: &'static str,
}

macro_rules! table {
    ($name:literal) => {
        Table {
            name: $name,
            text: include_str!(concat!("../../assets/regions/", $name)),
        }
    };
}

const TODAY_PROVINCES: Table = table!("2025-07-provinces.tsv");
const TODAY_WARDS: Table = table!("2025-07-wards.tsv");
const OLD_PROVINCES: Table = table!("2025-03-provinces.tsv");
const OLD_DISTRICTS: Table = table!("2025-03-districts.tsv");
const OLD_WARDS: Table = table!("2025-03-wards.tsv");
const PROVINCE_MAP: Table = table!("2025-03-to-2025-07-provinces.tsv");
const WARD_MAP: Table = table!("2025-03-to-2025-07-wards.tsv");

/// One catalogue; every list is sorted by code.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) provinces: Vec<Province>,
    pub(super) districts: Vec<District>,
    pub(super) wards: Vec<Ward>,
}

/// Reads today's catalogue.
pub(super) fn today() -> Result<Lists, RegionsError> {
    let provinces = provinces(Catalogue::July2025, &TODAY_PROVINCES)?;
    let wards = TODAY_WARDS.rows(|[code, name, kind, province]| {
        find(&provinces, province, |p| p.code)?;
        let kind = WardKind::parse(kind)?;
        Some(Ward {
            catalogue: Catalogue::July2025,
            code,
            name,
            kind,
            district: None,
            province,
        })
    })?;
    TODAY_WARDS.check_order(&wards, |ward| ward.code)?;
    Ok(Lists {
        provinces,
        districts: Vec::new(),
        wards,
    })
}

/// Reads the catalogue of March 2025. Its wards name a district, and the district the province.
pub(super) fn old() -> Result<Lists, RegionsError> {
    let provinces = provinces(Catalogue::March2025, &OLD_PROVINCES)?;
    let districts = OLD_DISTRICTS.rows(|[code, name, kind, province]| {
        find(&provinces, province, |p| p.code)?;
        let kind = DistrictKind::parse(kind)?;
        Some(District {
            catalogue: Catalogue::March2025,
            code,
            name,
            kind,
            province,
        })
    })?;
    OLD_DISTRICTS.check_order(&districts, |district| district.code)?;
    let wards = OLD_WARDS.rows(|[code, name, kind, district]| {
        let province = find(&districts, district, |d| d.code)?.province;
        let kind = WardKind::parse(kind)?;
        Some(Ward {
            catalogue: Catalogue::March2025,
            code,
            name,
            kind,
            district: Some(district),
            province,
        })
    })?;
    OLD_WARDS.check_order(&wards, |ward| ward.code)?;
    Ok(Lists {
        provinces,
        districts,
        wards,
    })
}

/// Reads the map of wards, sorted by old code; both ends must be in their catalogues.
pub(super) fn ward_map(old: &Lists, today: &Lists) -> Result<Vec<Mapping>, RegionsError> {
    let map = WARD_MAP.rows(|[old_code, new_code, default]| {
        find(&old.wards, old_code, |w| w.code)
            .map(|_| ())
            .or_else(|| find(&old.districts, old_code, |d| d.code).map(|_| ()))?;
        let new = find(&today.wards, new_code, |w| w.code)?.code;
        let default = match default {
            "1" => true,
            "0" => false,
            _ => return None,
        };
        Some(Mapping {
            old: old_code,
            new,
            default,
        })
    })?;
    WARD_MAP.check_order(&map, |row| (row.old, row.new))?;
    Ok(map)
}

/// Reads the map of provinces: (old code, new code), sorted by old code.
pub(super) fn province_map(
    old: &Lists,
    today: &Lists,
) -> Result<Vec<(&'static str, &'static str)>, RegionsError> {
    let map = PROVINCE_MAP.rows(|[old_code, new_code]| {
        let old_code = find(&old.provinces, old_code, |p| p.code)?.code;
        Some((old_code, find(&today.provinces, new_code, |p| p.code)?.code))
    })?;
    PROVINCE_MAP.check_order(&map, |row| row.0)?;
    Ok(map)
}

/// The record with this code in a list sorted by code.
pub(super) fn find<'a, T>(
    list: &'a [T],
    code: &str,
    code_of: impl Fn(&T) -> &'static str,
) -> Option<&'a T> {
    let at = list
        .binary_search_by(|record| code_of(record).cmp(code))
        .ok()?;
    list.get(at)
}

fn provinces(catalogue: Catalogue, table: &Table) -> Result<Vec<Province>, RegionsError> {
    let provinces = table.rows(|[code, name, kind]| {
        let kind = ProvinceKind::parse(kind)?;
        Some(Province {
            catalogue,
            code,
            name,
            kind,
        })
    })?;
    table.check_order(&provinces, |province| province.code)?;
    Ok(provinces)
}

impl Table {
    /// Reads every line into a record; a line with another number of columns, an empty column, or
    /// for which `record` has no answer is a failure that names table and line.
    fn rows<const N: usize, T>(
        &self,
        record: impl Fn([&'static str; N]) -> Option<T>,
    ) -> Result<Vec<T>, RegionsError> {
        let lines: Lines<'static> = self.text.lines();
        let mut records = Vec::with_capacity(lines.clone().count());
        for (index, line) in lines.enumerate() {
            let read = columns(line).and_then(&record);
            records.push(read.ok_or(RegionsError {
                table: self.name,
                line: index + 1,
            })?);
        }
        Ok(records)
    }

    /// Look-ups are binary searches, so keys must be there once and in order.
    fn check_order<T, K: Ord>(
        &self,
        records: &[T],
        key: impl Fn(&T) -> K,
    ) -> Result<(), RegionsError> {
        let ordered = |pair: &[T]| matches!(pair, [a, b] if key(a) < key(b));
        match records.windows(2).position(|pair| !ordered(pair)) {
            None => Ok(()),
            Some(index) => Err(RegionsError {
                table: self.name,
                line: index + 2,
            }),
        }
    }
}

fn columns<const N: usize>(line: &'static str) -> Option<[&'static str; N]> {
    let mut columns = [""; N];
    let mut parts = line.split('\t');
    for column in &mut columns {
        *column = parts.next().filter(|part| !part.is_empty())?;
    }
    parts.next().is_none().then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Result<Vec<Province>, RegionsError> {
        provinces(Catalogue::July2025, &Table { name: "test", text })
    }

    #[test]
    fn a_spoilt_table_names_its_line() {
        assert_eq!(
            read("01\tTỉnh A\tprovince\n02\tTỉnh B\tcity\n")
                .unwrap()
                .len(),
            2
        );
        let spoilt = [
            ("01\tTỉnh A\tprovince\n02\tTỉnh B\n", 2),
            ("01\tTỉnh A\tprovince\textra\n", 1),
            ("01\t\tprovince\n", 1),
            ("01\tTỉnh A\tcounty\n", 1),
            ("01\tTỉnh A\tprovince\n01\tTỉnh B\tcity\n", 2),
            ("02\tTỉnh A\tprovince\n01\tTỉnh B\tcity\n", 2),
        ];
        for (text, line) in spoilt {
            assert_eq!(
                read(text).unwrap_err(),
                RegionsError {
                    table: "test",
                    line
                },
                "{text:?}"
            );
        }
    }
}
