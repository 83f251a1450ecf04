//! The kinds of place, which decide how long a stay is assumed to be.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares [`PlaceKind`] and its names in one place.
macro_rules! place_kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal $vi:literal $en:literal;)*) => {
        /// What kind of place a venue or a checkpoint is: the thirteen of the outside contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum PlaceKind { $($(#[$doc])* $name,)* }

        impl PlaceKind {
            /// All kinds, in the order in which a form offers them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that is stored and sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $word,)* } }

            /// The kind of that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }

            /// Its name in Vietnamese.
            #[must_use]
            pub const fn vi(self) -> &'static str { match self { $(Self::$name => $vi,)* } }

            /// Its name in English.
            #[must_use]
            pub const fn en(self) -> &'static str { match self { $(Self::$name => $en,)* } }
        }
    };
}

place_kinds! {
    /// Offices of authorities and companies.
    Office "office" "Cơ quan, văn phòng" "Office";
    /// Shops, supermarkets and services.
    Business "business" "Cửa hàng, siêu thị, dịch vụ" "Shop or service";
    /// Markets.
    Market "market" "Chợ" "Market";
    /// Schools of every level.
    School "school" "Trường học" "School";
    /// Hospitals and other places that treat the sick.
    Hospital "hospital" "Bệnh viện, cơ sở y tế" "Hospital or clinic";
    /// Factories, workshops and building sites.
    Factory "factory" "Nhà máy, xưởng sản xuất" "Factory or workshop";
    /// Hotels, guest houses and dormitories.
    Lodging "lodging" "Khách sạn, nhà trọ" "Hotel or lodging";
    /// Restaurants, cafés and canteens.
    Restaurant "restaurant" "Nhà hàng, quán ăn, quán cà phê" "Restaurant or café";
    /// Pagodas, churches and other places of worship.
    Worship "worship" "Cơ sở tôn giáo, tín ngưỡng" "Place of worship";
    /// Bus and railway stations, ports, airports.
    TransportHub "transport_hub" "Bến xe, nhà ga, cảng, sân bay" "Station, port or airport";
    /// Buses, trains, boats: a place that moves.
    Vehicle "vehicle" "Phương tiện vận tải" "Vehicle";
    /// Posts on a road.
    RoadCheckpoint "road_checkpoint" "Chốt kiểm soát trên đường" "Road checkpoint";
    /// Everything else.
    Other "other" "Địa điểm khác" "Other place";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_are_those_of_json() {
        assert_eq!(PlaceKind::ALL.len(), 13);
        for &kind in PlaceKind::ALL {
            assert_eq!(PlaceKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(PlaceKind::parse("chapel"), None);
        assert_eq!(PlaceKind::parse("Office"), None);
    }
}
