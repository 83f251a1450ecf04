//! Provinces and wards, keyed by (catalogue, code).
//!
//! Two catalogues stand side by side. Since 1/7/2025 Viet Nam has 34 provinces and 3,321 wards and no
//! districts; people, papers and cards issued before then speak of the 63 provinces, 696 districts
//! and 10,035 wards of March 2025. The reform gave most old codes to other places, so a code says
//! nothing without its catalogue, and the catalogue is stored with every address.
//!
//! Codes are strings, because they have leading zeros: province 2 digits, district 3, ward 5.
//!
//! Absent on purpose: an address is never parsed into codes, and a divided old ward is never turned
//! into a new one without a person's choice ([`Regions::map_old_ward`] only proposes).
//!
//! The lists come from `assets/regions`, where source and licence are named.

mod data;
mod search;

use std::sync::OnceLock;

use thiserror::Error;

use crate::base::text;
use data::Lists;
use search::Index;

/// A list of places as it was in force at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Catalogue {
    /// `2025-03`: the last list before the reform, with districts. For addresses on old papers.
    March2025,
    /// `2025-07`: in force since 1/7/2025, without districts. What is meant when nothing is said.
    #[default]
    July2025,
}

impl Catalogue {
    /// All catalogues, oldest first.
    pub const ALL: [Self; 2] = [Self::March2025, Self::July2025];

    /// The id that is stored and sent: `2025-03` or `2025-07`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::March2025 => "2025-03",
            Self::July2025 => "2025-07",
        }
    }

    /// The catalogue with this id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|catalogue| catalogue.id() == id)
    }
}

/// Defines a kind of place with the word that stands in the tables and in the API.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The word for this kind in the tables and in the API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The Vietnamese word before the names of this kind.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }

            fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// What a unit of the first level is.
    ProvinceKind {
        /// Thành phố trực thuộc trung ương.
        City = "city", "Thành phố";
        /// Tỉnh.
        Province = "province", "Tỉnh";
    }
}

kinds! {
    /// What a unit of the second level was (only in [`Catalogue::March2025`]).
    DistrictKind {
        /// Quận.
        UrbanDistrict = "urban_district", "Quận";
        /// Huyện.
        RuralDistrict = "rural_district", "Huyện";
        /// Thành phố thuộc tỉnh.
        City = "city", "Thành phố";
        /// Thị xã.
        Town = "town", "Thị xã";
    }
}

kinds! {
    /// What a unit of the lowest level is.
    WardKind {
        /// Phường.
        Ward = "ward", "Phường";
        /// Xã.
        Commune = "commune", "Xã";
        /// Đặc khu (only since 1/7/2025).
        SpecialZone = "special_zone", "Đặc khu";
        /// Thị trấn (only in [`Catalogue::March2025`]).
        Township = "township", "Thị trấn";
    }
}

/// A province or a city of the first level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Province {
    /// The catalogue that gives `code` its meaning.
    pub catalogue: Catalogue,
    /// Two digits.
    pub code: &'static str,
    /// Full official name, NFC: `Tỉnh Tây Ninh`.
    pub name: &'static str,
    /// City or province.
    pub kind: ProvinceKind,
}

/// A district of the old scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct District {
    /// Always [`Catalogue::March2025`].
    pub catalogue: Catalogue,
    /// Three digits.
    pub code: &'static str,
    /// Full official name, NFC: `Quận Ba Đình`.
    pub name: &'static str,
    /// Quận, huyện, thành phố or thị xã.
    pub kind: DistrictKind,
    /// Code of its province in the same catalogue.
    pub province: &'static str,
}

/// A ward, commune, township or special zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ward {
    /// The catalogue that gives `code` its meaning.
    pub catalogue: Catalogue,
    /// Five digits.
    pub code: &'static str,
    /// Full official name, NFC: `Phường Ba Đình`.
    pub name: &'static str,
    /// Phường, xã, đặc khu or thị trấn.
    pub kind: WardKind,
    /// Code of its district; `None` in [`Catalogue::July2025`], which has no districts.
    pub district: Option<&'static str>,
    /// Code of its province in the same catalogue.
    pub province: &'static str,
}

/// The name without the word for its kind. The tables are made so that every name has that word.
fn without_kind(name: &'static str, label: &str) -> &'static str {
    name.strip_prefix(label).map_or(name, str::trim_start)
}

impl Province {
    /// The name without the word for its kind: `Tây Ninh`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        without_kind(self.name, self.kind.label())
    }
}

impl District {
    /// The name without the word for its kind: `Ba Đình`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        without_kind(self.name, self.kind.label())
    }
}

impl Ward {
    /// The name without the word for its kind: `Ba Đình`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        without_kind(self.name, self.kind.label())
    }
}

/// One pair of the map from an old ward to a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Ward code in [`Catalogue::March2025`]; for five island districts that had no wards, the
    /// district code.
    pub old: &'static str,
    /// Ward code in [`Catalogue::July2025`].
    pub new: &'static str,
    /// True for exactly one pair of each old ward: the only one, or the one to propose.
    pub default: bool,
}

/// A table under `assets/regions` that does not hold what it must. A build with such a table never
/// starts, so this names the place for whoever made the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("assets/regions/{table} is spoilt at line {line}")]
pub struct RegionsError {
    /// File name.
    pub table: &'static str,
    /// Line, from 1.
    pub line: usize,
}

/// Both catalogues and the map between them, in memory.
#[derive(Debug)]
pub struct Regions {
    old: Lists,
    today: Lists,
    ward_map: Vec<Mapping>,
    province_map: Vec<(&'static str, &'static str)>,
    old_index: OnceLock<Index>,
    today_index: OnceLock<Index>,
}

impl Regions {
    /// Reads the embedded tables: a few milliseconds, once at start.
    ///
    /// # Errors
    ///
    /// [`RegionsError`] when a table is spoilt; that can only be a mistake in the build.
    pub fn load() -> Result<Self, RegionsError> {
        let old = data::old()?;
        let today = data::today()?;
        Ok(Self {
            ward_map: data::ward_map(&old, &today)?,
            province_map: data::province_map(&old, &today)?,
            old,
            today,
            old_index: OnceLock::new(),
            today_index: OnceLock::new(),
        })
    }

    /// All provinces by code, which runs from north to south.
    #[must_use]
    pub fn provinces(&self, catalogue: Catalogue) -> &[Province] {
        &self.lists(catalogue).provinces
    }

    /// The province with this code.
    #[must_use]
    pub fn province(&self, catalogue: Catalogue, code: &str) -> Option<&Province> {
        data::find(self.provinces(catalogue), code, |province| province.code)
    }

    /// The districts of a province in alphabetical order; none in [`Catalogue::July2025`].
    #[must_use]
    pub fn districts(&self, catalogue: Catalogue, province: &str) -> Vec<&District> {
        let districts = self.lists(catalogue).districts.iter();
        sorted(
            districts.filter(|district| district.province == province),
            District::short_name,
        )
    }

    /// The district with this code.
    #[must_use]
    pub fn district(&self, catalogue: Catalogue, code: &str) -> Option<&District> {
        data::find(&self.lists(catalogue).districts, code, |district| {
            district.code
        })
    }

    /// The wards of a province in alphabetical order of their names without the kind.
    #[must_use]
    pub fn wards(&self, catalogue: Catalogue, province: &str) -> Vec<&Ward> {
        let wards = self.lists(catalogue).wards.iter();
        sorted(wards.filter(|ward| ward.province == province), |ward| {
            ward.short_name()
        })
    }

    /// The wards of a district in alphabetical order; five island districts have none.
    #[must_use]
    pub fn wards_of_district(&self, catalogue: Catalogue, district: &str) -> Vec<&Ward> {
        let wards = self.lists(catalogue).wards.iter();
        sorted(
            wards.filter(|ward| ward.district == Some(district)),
            Ward::short_name,
        )
    }

    /// The ward with this code.
    #[must_use]
    pub fn ward(&self, catalogue: Catalogue, code: &str) -> Option<&Ward> {
        data::find(&self.lists(catalogue).wards, code, |ward| ward.code)
    }

    /// The ward with this code if it lies in that province: what an address must satisfy.
    #[must_use]
    pub fn ward_in(&self, catalogue: Catalogue, province: &str, code: &str) -> Option<&Ward> {
        self.ward(catalogue, code)
            .filter(|ward| ward.province == province)
    }

    /// What became of an old ward (or of an island district without wards): one pair, or two to five
    /// for a ward that was divided, where a person has to choose and [`Mapping::default`] marks the
    /// one to propose. Empty for an unknown code.
    #[must_use]
    pub fn map_old_ward(&self, code: &str) -> &[Mapping] {
        let from = self.ward_map.partition_point(|row| row.old < code);
        let rows = self.ward_map.get(from..).unwrap_or_default();
        rows.get(..rows.partition_point(|row| row.old == code))
            .unwrap_or_default()
    }

    /// The province of today that an old province became part of; no old province was divided.
    #[must_use]
    pub fn map_old_province(&self, code: &str) -> Option<&Province> {
        let at = self
            .province_map
            .binary_search_by(|(old, _)| (*old).cmp(code))
            .ok()?;
        let (_, new) = self.province_map.get(at)?;
        self.province(Catalogue::July2025, new)
    }

    /// Wards whose names begin with, or contain from the beginning of a word, what was typed; best
    /// first, at most `limit`.
    ///
    /// Accents may be left out, and `đ` may be `d`. When the text has accents, wards that agree in
    /// them come first and the others still follow: `văn lăng` gives Văn Lăng and then Văn Lang.
    /// The kind may be typed, whole or not (`phường ba đình`, `p ba d`). With `province` only its
    /// wards are searched. A text without letter or digit finds nothing.
    #[must_use]
    pub fn search(
        &self,
        catalogue: Catalogue,
        province: Option<&str>,
        text: &str,
        limit: usize,
    ) -> Vec<&Ward> {
        let wards = &self.lists(catalogue).wards;
        let index = match catalogue {
            Catalogue::March2025 => &self.old_index,
            Catalogue::July2025 => &self.today_index,
        };
        index
            .get_or_init(|| Index::of(wards))
            .search(wards, province, text, limit)
    }

    fn lists(&self, catalogue: Catalogue) -> &Lists {
        match catalogue {
            Catalogue::March2025 => &self.old,
            Catalogue::July2025 => &self.today,
        }
    }
}

/// Sorts by name in Vietnamese order, numbered wards by their number (`Phường 2` before `Phường 10`).
fn sorted<'a, T>(
    places: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> &'static str,
) -> Vec<&'a T> {
    let mut places: Vec<&T> = places.collect();
    places.sort_by_cached_key(|place| {
        let name = name(place);
        (
            name.parse::<u16>().unwrap_or(u16::MAX),
            text::collation_key(name),
        )
    });
    places
}

#[cfg(test)]
mod tests;
