//! The made-up province's places. Wards are real, so that lists and addresses work; every venue in
//! them is invented.

use crate::{
    accounts::Role,
    base::{Failure, failure::Result},
    cli::demo::dice::Dice,
    http::App,
    venues::{self, NewAddress, NewCheckpoint, NewContact, NewVehicle, NewVenue, Week},
};

/// Code of Tây Ninh.
pub const PROVINCE: &str = "80";

/// What people go to a checkpoint for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spot {
    /// A gate of the market.
    Market,
    /// The seafood hall of the market, a space of its own.
    SeafoodHall,
    /// A sewing line of the factory, 0 to 2.
    Line(u8),
    /// The factory's canteen.
    Canteen,
    /// The hospital's wards, for its staff.
    Hospital,
    /// The hospital's outpatient clinic.
    Clinic,
    /// A gate of the school.
    School,
    /// A bus, 0 to 3.
    Bus(u8),
    /// The bus station.
    Station,
    /// An office, 0 to 4.
    Office(u8),
    /// A restaurant.
    Restaurant,
    /// A shop.
    Shop,
    /// A place of worship.
    Worship,
    /// A hotel.
    Lodging,
}

/// A checkpoint for the whole of its venue has its name.
const WHOLE: &str = "";

struct VenueSpec {
    name: &'static str,
    kind: &'static str,
    ward: &'static str,
    street: &'static str,
    owner: &'static str,
    /// From, until; every day.
    hours: Option<(&'static str, &'static str)>,
    /// [`WHOLE`] for the venue's own name.
    checkpoints: &'static [(Spot, &'static str)],
}

/// The venues; checkpoints of one venue at the same spot are gates of one space.
const VENUES: &[VenueSpec] = &[
    VenueSpec {
        name: "Chợ Sông Mây",
        kind: "market",
        ward: "25459",
        street: "Đường Bến Mây",
        owner: "Võ Thị Hạt Gạo",
        hours: Some(("04:00", "18:30")),
        checkpoints: &[
            (Spot::Market, "Cổng chính"),
            (Spot::Market, "Cổng Bắc"),
            (Spot::Market, "Cổng bờ sông"),
            (Spot::SeafoodHall, "Nhà lồng hải sản"),
        ],
    },
    VenueSpec {
        name: "Nhà máy may Nắng Vàng",
        kind: "factory",
        ward: "25708",
        street: "Lô B7, khu công nghiệp Cánh Đồng",
        owner: "Đinh Công Thoi",
        hours: None,
        checkpoints: &[
            (Spot::Line(0), "Chuyền may 1"),
            (Spot::Line(1), "Chuyền may 2"),
            (Spot::Line(2), "Chuyền may 3"),
            (Spot::Canteen, "Nhà ăn công nhân"),
        ],
    },
    VenueSpec {
        name: "Bệnh viện Đồng Xanh",
        kind: "hospital",
        ward: "25480",
        street: "1 Đường Lá Sen",
        owner: "Trịnh Thị Lá Ngải",
        hours: None,
        checkpoints: &[
            (Spot::Hospital, "Khu nội trú"),
            (Spot::Clinic, "Khoa Khám bệnh"),
        ],
    },
    VenueSpec {
        name: "Trường THCS Phượng Đỏ",
        kind: "school",
        ward: "25567",
        street: "20 Đường Hoa Gạo",
        owner: "Mai Văn Bút",
        hours: Some(("06:00", "18:00")),
        checkpoints: &[(Spot::School, "Cổng trước"), (Spot::School, "Cổng sau")],
    },
    VenueSpec {
        name: "Xe buýt Cánh Diều",
        kind: "vehicle",
        ward: "25654",
        street: "Bãi xe Cánh Diều",
        owner: "Tô Văn Lái",
        hours: None,
        checkpoints: &[
            (Spot::Bus(0), "Xe 01, tuyến 07"),
            (Spot::Bus(1), "Xe 02, tuyến 07"),
            (Spot::Bus(2), "Xe 03, tuyến 07"),
            (Spot::Bus(3), "Xe 04, tuyến 07"),
        ],
    },
    simple("Bến xe Cánh Diều", "transport_hub", "25654", Spot::Station),
    simple(
        "Văn phòng Kế toán Bàn Tính",
        "office",
        "25459",
        Spot::Office(0),
    ),
    simple("Công ty Bản đồ La Bàn", "office", "25480", Spot::Office(1)),
    simple(
        "Hợp tác xã Tín dụng Ống Tre",
        "office",
        "25645",
        Spot::Office(2),
    ),
    simple(
        "Trung tâm Dịch vụ Cửa Mở",
        "office",
        "25630",
        Spot::Office(3),
    ),
    simple("Tòa soạn Báo Sương Sớm", "office", "25459", Spot::Office(4)),
    simple(
        "Quán Cơm Mây Trắng",
        "restaurant",
        "25459",
        Spot::Restaurant,
    ),
    simple(
        "Bún Riêu Cua Đồng Bà Tám Mẫu",
        "restaurant",
        "25480",
        Spot::Restaurant,
    ),
    simple(
        "Nhà hàng Đèn Lồng Xanh",
        "restaurant",
        "25645",
        Spot::Restaurant,
    ),
    simple(
        "Cà phê Góc Vườn Mơ",
        "restaurant",
        "25630",
        Spot::Restaurant,
    ),
    simple(
        "Quán Chay Lá Bồ Đề",
        "restaurant",
        "25645",
        Spot::Restaurant,
    ),
    simple(
        "Lẩu Cù Lao Chín Nhánh",
        "restaurant",
        "25654",
        Spot::Restaurant,
    ),
    simple("Phở Bếp Khói", "restaurant", "25708", Spot::Restaurant),
    simple("Bánh Canh Cầu Tre", "restaurant", "25708", Spot::Restaurant),
    simple("Siêu thị Giỏ Mây", "business", "25459", Spot::Shop),
    simple(
        "Siêu thị Giỏ Mây Trảng Bàng",
        "business",
        "25708",
        Spot::Shop,
    ),
    simple("Nhà thuốc Cây Bạc Hà", "business", "25480", Spot::Shop),
    simple("Nhà sách Trang Giấy", "business", "25645", Spot::Shop),
    simple("Tiệm tóc Gương Lược", "business", "25630", Spot::Shop),
    simple("Điện máy Đom Đóm", "business", "25654", Spot::Shop),
    simple(
        "Vật liệu xây dựng Viên Gạch",
        "business",
        "25732",
        Spot::Shop,
    ),
    simple("Tạp hóa Cô Út Mẫu", "business", "25567", Spot::Shop),
    simple("Chùa Hoa Súng", "worship", "25633", Spot::Worship),
    simple("Nhà thờ Đồi Gió", "worship", "25732", Spot::Worship),
    simple("Khách sạn Trăng Non", "lodging", "25459", Spot::Lodging),
    simple("Nhà nghỉ Bờ Tre", "lodging", "25708", Spot::Lodging),
];

/// A venue whose one checkpoint is its door.
const fn simple(
    name: &'static str,
    kind: &'static str,
    ward: &'static str,
    spot: Spot,
) -> VenueSpec {
    // A constant may borrow only what is itself constant, so the doors stand here.
    let checkpoints: &'static [(Spot, &'static str)] = match spot {
        Spot::Station => &[(Spot::Station, WHOLE)],
        Spot::Office(0) => &[(Spot::Office(0), WHOLE)],
        Spot::Office(1) => &[(Spot::Office(1), WHOLE)],
        Spot::Office(2) => &[(Spot::Office(2), WHOLE)],
        Spot::Office(3) => &[(Spot::Office(3), WHOLE)],
        Spot::Office(_) => &[(Spot::Office(4), WHOLE)],
        Spot::Restaurant => &[(Spot::Restaurant, WHOLE)],
        Spot::Worship => &[(Spot::Worship, WHOLE)],
        Spot::Lodging => &[(Spot::Lodging, WHOLE)],
        _ => &[(Spot::Shop, WHOLE)],
    };
    VenueSpec {
        name,
        kind,
        ward,
        street: "",
        owner: "Người Phụ Trách Mẫu",
        hours: None,
        checkpoints,
    }
}

/// Where people live: wards of the province.
#[must_use]
pub fn wards() -> Vec<&'static str> {
    let mut wards: Vec<_> = VENUES.iter().map(|venue| venue.ward).collect();
    wards.sort_unstable();
    wards.dedup();
    wards
}

/// A checkpoint that was made.
#[derive(Clone, Debug)]
pub struct Place {
    /// What people go there for.
    pub spot: Spot,
    /// Its number in the store.
    pub id: i64,
    /// Its code.
    pub code: String,
}

/// All checkpoints.
#[derive(Debug, Default)]
pub struct Places(Vec<Place>);

impl Places {
    /// The checkpoints at a spot.
    #[must_use]
    pub fn of(&self, spot: Spot) -> Vec<&Place> {
        self.0.iter().filter(|place| place.spot == spot).collect()
    }

    /// Numbers of the checkpoints at a spot, for the dice.
    #[must_use]
    pub fn ids(&self, spot: Spot) -> Vec<i64> {
        self.of(spot).iter().map(|place| place.id).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
impl Places {
    /// All checkpoints, numbered, in no store.
    pub fn numbered() -> Self {
        let spots = VENUES.iter().flat_map(|spec| spec.checkpoints);
        let place = |(id, (spot, _)): (i64, &(Spot, &str))| Place {
            spot: *spot,
            id,
            code: String::new(),
        };
        Self((1..).zip(spots).map(place).collect())
    }
}

/// The phone number of a venue's owner, of a block that no operator has been given (099 2).
#[must_use]
pub fn owner_phone(venue: usize) -> String {
    format!("0992000{:03}", venue + 1)
}

/// Register every venue through the front door, its owner's password behind `hash`.
pub async fn build(app: &App, dice: &Dice, hash: &str) -> Result<Places> {
    let mut places = Places::default();
    for (number, spec) in VENUES.iter().enumerate() {
        let draft = NewVenue {
            name: spec.name.to_owned(),
            kind: spec.kind.to_owned(),
            address: NewAddress {
                province: PROVINCE.to_owned(),
                ward: spec.ward.to_owned(),
                street: spec.street.to_owned(),
            },
            contact: NewContact {
                name: spec.owner.to_owned(),
                phone: owner_phone(number),
            },
            password: String::new(),
        }
        .parse(&app.regions)?;
        let (venue, account) = app
            .db
            .write(async |tx| venues::register(tx, &app.keys, dice.random(), &draft, hash).await)
            .await?;
        debug_assert_eq!(account.role, Role::VenueOwner);
        let mut main: Option<(Spot, uuid::Uuid)> = None;
        for (spot, name) in spec.checkpoints {
            let name = if *name == WHOLE { spec.name } else { name };
            let gate_of = main.filter(|(at, _)| at == spot).map(|(_, id)| id);
            let draft = checkpoint(*spot, name, spec.hours, gate_of).parse()?;
            let made = app
                .db
                .write(async |tx| {
                    venues::add_checkpoint(tx, &app.keys, dice.random(), &venue, &draft).await
                })
                .await?;
            app.directory.put(&venue, &made);
            if gate_of.is_none() {
                main = Some((*spot, made.public_id));
            }
            places.0.push(Place {
                spot: *spot,
                id: made.id,
                code: made.code.to_string(),
            });
        }
    }
    Ok::<_, Failure>(places)
}

fn checkpoint(
    spot: Spot,
    name: &str,
    hours: Option<(&str, &str)>,
    gate_of: Option<uuid::Uuid>,
) -> NewCheckpoint {
    let vehicle = match spot {
        Spot::Bus(number) => Some(NewVehicle {
            plate: format!("70B-000.{:02}", number + 1),
            route: "Tân Ninh – Gò Dầu – Trảng Bàng".to_owned(),
        }),
        _ => None,
    };
    let kind = match spot {
        Spot::Canteen => Some("restaurant".to_owned()),
        _ => None,
    };
    let opening_hours = hours.map(|(from, until)| {
        let day = vec![[from.to_owned(), until.to_owned()]];
        Week {
            mon: day.clone(),
            tue: day.clone(),
            wed: day.clone(),
            thu: day.clone(),
            fri: day.clone(),
            sat: day.clone(),
            sun: day,
        }
    });
    NewCheckpoint {
        name: name.to_owned(),
        kind,
        opening_hours,
        listed: Some(true),
        gate_of,
        vehicle,
        ..NewCheckpoint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{identity::Phone, regions::Regions};

    #[test]
    fn places_hold_together() {
        let regions = Regions::load().unwrap();
        let today = crate::regions::Catalogue::default();
        for (number, spec) in VENUES.iter().enumerate() {
            assert!(
                regions.ward_in(today, PROVINCE, spec.ward).is_some(),
                "{}",
                spec.name
            );
            let phone = Phone::parse(&owner_phone(number)).unwrap();
            assert!(!phone.is_known_prefix(), "the block is nobody's");
            for (spot, _) in spec.checkpoints {
                let draft = checkpoint(*spot, spec.name, spec.hours, None);
                assert!(draft.parse().is_ok(), "{}", spec.name);
            }
        }
        let names: HashSet<_> = VENUES.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), VENUES.len());
        let spots: HashSet<_> = VENUES
            .iter()
            .flat_map(|spec| spec.checkpoints)
            .map(|(spot, _)| *spot)
            .collect();
        for number in 0..5 {
            assert!(spots.contains(&Spot::Office(number)));
        }
        assert!(spots.contains(&Spot::Bus(3)) && spots.contains(&Spot::Line(2)));
    }
}
