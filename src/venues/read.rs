//! Reading what owners send: every mistake is named with its field, all at once.

use crate::{
    base::{
        Failure, FieldError,
        failure::Result,
        text::{TextError, nfc_clean},
    },
    identity::{FullName, Phone, Plate},
    regions::{Catalogue, Regions},
    venues::{
        Address, Change, CheckpointDraft, CheckpointPatch, NewAddress, NewCheckpoint, NewVehicle,
        NewVenue, OpeningHours, PatchDraft, PlaceKind, Vehicle, VenueDraft, Week,
    },
};

/// Longest name of a venue or a checkpoint, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// Longest street or route, in characters.
pub const MAX_LINE_CHARS: usize = 200;

/// Most people that a place may say it holds.
const MAX_CAPACITY: i64 = 1_000_000;

/// Collects mistakes while values are read.
#[derive(Default)]
struct Mistakes(Vec<FieldError>);

impl Mistakes {
    fn take<T>(&mut self, read: Result<T, FieldError>) -> Option<T> {
        read.map_err(|mistake| self.0.push(mistake)).ok()
    }

    fn of_option<S, T>(
        &mut self,
        sent: Option<S>,
        read: impl FnOnce(S) -> Result<T, FieldError>,
    ) -> Option<T> {
        sent.and_then(|sent| self.take(read(sent)))
    }

    fn of_patch<S, T>(
        &mut self,
        sent: Change<S>,
        read: impl FnOnce(S) -> Result<T, FieldError>,
    ) -> Change<T> {
        match sent {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            // A mistake ends the reading, so what stands here then does not matter.
            Change::Set(sent) => self.take(read(sent)).map_or(Change::Keep, Change::Set),
        }
    }

    fn week(&mut self, week: &Week) -> Option<OpeningHours> {
        let errors = match OpeningHours::parse(week) {
            Ok(hours) => return Some(hours),
            Err(errors) => errors,
        };
        self.0
            .extend(errors.into_iter().map(|e| e.under("opening_hours")));
        None
    }

    fn vehicle(&mut self, sent: &NewVehicle) -> Option<Vehicle> {
        let plate = Plate::parse(&sent.plate).map_err(|why| why.in_field("vehicle.plate"));
        let plate = self.take(plate);
        let written = self.take(line("vehicle.plate", &sent.plate));
        let route = self.take(line("vehicle.route", &sent.route));
        Some(Vehicle {
            plate: plate?,
            written: written?,
            route: route?,
        })
    }

    /// The value that `built` has if there was no mistake.
    fn unless<T>(self, built: Option<T>) -> Result<T> {
        match built {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Failure::invalid(self.0)),
        }
    }
}

impl NewVenue {
    /// Read it all; `password` is the business of accounts.
    ///
    /// # Errors
    ///
    /// Every field that does not hold what it should.
    pub fn parse(&self, regions: &Regions) -> Result<VenueDraft> {
        let mut mistakes = Mistakes::default();
        let name = mistakes.take(name(&self.name));
        let kind = mistakes.take(kind(&self.kind));
        let address = self.address.read(regions, &mut mistakes);
        let contact_name = FullName::parse(&self.contact.name);
        let contact_name = mistakes.take(contact_name.map_err(|why| why.in_field("contact.name")));
        let phone = Phone::parse(&self.contact.phone);
        let phone = mistakes.take(phone.map_err(|why| why.in_field("contact.phone")));
        let built = (|| {
            Some(VenueDraft {
                name: name?,
                kind: kind?,
                address: address?,
                contact_name: contact_name?,
                phone: phone?,
            })
        })();
        mistakes.unless(built)
    }
}

impl NewAddress {
    fn read(&self, regions: &Regions, mistakes: &mut Mistakes) -> Option<Address> {
        let catalogue = Catalogue::default();
        let street = mistakes.take(line("address.street", &self.street));
        if regions.province(catalogue, &self.province).is_none() {
            mistakes.0.push(FieldError::new(
                "address.province",
                "unknown_province",
                "Không có tỉnh, thành phố mang mã này.",
                "There is no province with this code.",
            ));
            return None;
        }
        let ward = mistakes.take(self.ward(regions));
        Some(Address {
            catalogue,
            province: self.province.as_str().into(),
            ward: ward?.into(),
            street: street?.into(),
        })
    }

    /// The ward of today. A code that only the list before July 2025 knows, and whose ward went into
    /// one ward of this province whole, is read as that one: many programs still hold the old list.
    fn ward<'a>(&'a self, regions: &'a Regions) -> Result<&'a str, FieldError> {
        let today = |code| regions.ward_in(Catalogue::default(), &self.province, code);
        if let Some(ward) = today(&self.ward) {
            return Ok(ward.code);
        }
        let known = regions.ward(Catalogue::default(), &self.ward).is_some();
        match regions.map_old_ward(&self.ward) {
            [only] if !known => today(only.new).map(|ward| ward.code),
            _ => None,
        }
        .ok_or_else(|| {
            FieldError::new(
                "address.ward",
                "unknown_ward",
                "Tỉnh, thành phố này không có xã, phường mang mã đó.",
                "The province has no ward with this code.",
            )
        })
    }
}

impl NewCheckpoint {
    /// Read it all.
    ///
    /// # Errors
    ///
    /// Every field that does not hold what it should.
    pub fn parse(&self) -> Result<CheckpointDraft> {
        let mut mistakes = Mistakes::default();
        let name = mistakes.take(name(&self.name));
        let stated = mistakes.of_option(self.kind.as_deref(), kind);
        let stay_minutes = mistakes.of_option(self.stay_minutes, stay);
        let capacity = mistakes.of_option(self.capacity, capacity);
        let opening_hours = self.opening_hours.as_ref();
        let opening_hours = opening_hours.and_then(|week| mistakes.week(week));
        let vehicle = self.vehicle.as_ref().and_then(|v| mistakes.vehicle(v));
        let moving = vehicle.as_ref().map(|_| PlaceKind::Vehicle);
        let built = name.map(|name| CheckpointDraft {
            name,
            kind: stated.or(moving),
            stay_minutes,
            capacity,
            opening_hours,
            listed: self.listed.unwrap_or(false),
            gate_of: self.gate_of,
            vehicle,
        });
        mistakes.unless(built)
    }
}

impl CheckpointPatch {
    /// Read it all.
    ///
    /// # Errors
    ///
    /// Every field that does not hold what it should.
    pub fn parse(self) -> Result<PatchDraft> {
        let mut mistakes = Mistakes::default();
        let draft = PatchDraft {
            name: mistakes.of_option(self.name.as_deref(), name),
            kind: mistakes.of_option(self.kind.as_deref(), kind),
            stay_minutes: mistakes.of_patch(self.stay_minutes, stay),
            capacity: mistakes.of_patch(self.capacity, capacity),
            opening_hours: match &self.opening_hours {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::Set(week) => mistakes.week(week).map_or(Change::Keep, Change::Set),
            },
            listed: self.listed,
            gate_of: self.gate_of,
            vehicle: match &self.vehicle {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::Set(sent) => mistakes.vehicle(sent).map_or(Change::Keep, Change::Set),
            },
            closed: self.closed,
        };
        mistakes.unless(Some(draft))
    }
}

fn name(text: &str) -> Result<String, FieldError> {
    nfc_clean(text, MAX_NAME_CHARS).map_err(|why| match why {
        TextError::Empty => FieldError::required("name"),
        why => bad_line("name", why),
    })
}

/// A line that may be empty.
fn line(field: &'static str, text: &str) -> Result<String, FieldError> {
    match nfc_clean(text, MAX_LINE_CHARS) {
        Err(TextError::Empty) => Ok(String::new()),
        read => read.map_err(|why| bad_line(field, why)),
    }
}

fn bad_line(field: &'static str, why: TextError) -> FieldError {
    match why {
        TextError::TooLong => FieldError::new(
            field,
            "too_long",
            "Dài quá: tên tối đa 100 ký tự, địa chỉ và tuyến tối đa 200.",
            "Too long: a name has at most 100 characters, a street or route 200.",
        ),
        TextError::Empty | TextError::ControlCharacter => FieldError::new(
            field,
            "control_character",
            "Có ký tự điều khiển hoặc xuống dòng; hãy gõ lại.",
            "It contains a control character or a line break; type it again.",
        ),
    }
}

fn kind(word: &str) -> Result<PlaceKind, FieldError> {
    PlaceKind::parse(word).ok_or_else(|| {
        FieldError::new(
            "kind",
            "unknown_kind",
            "Hãy chọn loại địa điểm trong danh sách.",
            "Choose one of the kinds of place.",
        )
    })
}

fn stay(minutes: i64) -> Result<u16, FieldError> {
    u16::try_from(minutes)
        .ok()
        .filter(|minutes| (1..=1440).contains(minutes))
        .ok_or_else(|| {
            FieldError::new(
                "stay_minutes",
                "out_of_range",
                "Thời gian lưu lại từ 1 đến 1440 phút.",
                "The stay is 1 to 1440 minutes.",
            )
        })
}

fn capacity(people: i64) -> Result<u32, FieldError> {
    u32::try_from(people)
        .ok()
        .filter(|_| (1..=MAX_CAPACITY).contains(&people))
        .ok_or_else(|| {
            FieldError::new(
                "capacity",
                "out_of_range",
                "Sức chứa từ 1 đến 1.000.000 người.",
                "The capacity is 1 to 1,000,000 people.",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn venue(json: serde_json::Value) -> Result<VenueDraft> {
        let sent: NewVenue = serde_json::from_value(json).unwrap();
        sent.parse(&Regions::load().unwrap())
    }

    fn fields(failure: Failure) -> Vec<(String, &'static str)> {
        let errors = failure.fields.into_iter();
        errors.map(|e| (e.field.into_owned(), e.code)).collect()
    }

    #[test]
    fn hostile_and_real_names_pass_unchanged() {
        for name in [
            "=HYPERLINK(\"http://x\")",
            "Halle (Saale)",
            "O'Brien",
            "Đỗ Thị Ổi",
            "<b>Chợ</b>",
        ] {
            let draft = NewCheckpoint {
                name: name.to_owned(),
                ..NewCheckpoint::default()
            };
            assert_eq!(draft.parse().ok().unwrap().name, name);
        }
        let decomposed = NewCheckpoint {
            name: "Cho\u{31B}\u{323} Phươ\u{301}ng".to_owned(),
            ..NewCheckpoint::default()
        };
        assert_eq!(decomposed.parse().ok().unwrap().name, "Chợ Phướng");
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let wrong = venue(serde_json::json!({
            "name": " ", "kind": "chapel",
            "address": {"province": "80", "ward": "00004", "street": "a\nb"},
            "contact": {"name": "", "phone": "123"},
        }));
        let got = fields(wrong.err().unwrap());
        let expected = [
            ("name", "required"),
            ("kind", "unknown_kind"),
            ("address.street", "control_character"),
            ("address.ward", "unknown_ward"),
            ("contact.name", "name_empty"),
            ("contact.phone", "phone_invalid"),
        ];
        let got: Vec<_> = got.iter().map(|(f, c)| (f.as_str(), *c)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_good_venue_is_read() {
        let good = venue(serde_json::json!({
            "name": "Chợ Mẫu", "kind": "market",
            "address": {"province": "80", "ward": "25456"},
            "contact": {"name": "Đỗ Thị Ổi", "phone": "090 123 4567"}, "password": "x",
        }));
        let good = good.ok().unwrap();
        assert_eq!(good.phone.e164(), "+84901234567");
        assert_eq!(&*good.address.street, "");
        // The old Phường 1 is part of Phường Tân Ninh.
        assert_eq!(&*good.address.ward, "25459");
        assert_eq!(good.kind, PlaceKind::Market);
    }

    #[test]
    fn limits_include_their_ends() {
        let with = |stay_minutes, capacity| {
            let draft = NewCheckpoint {
                name: "A".to_owned(),
                stay_minutes,
                capacity,
                ..NewCheckpoint::default()
            };
            draft.parse().map(|d| (d.stay_minutes, d.capacity))
        };
        assert_eq!(
            with(Some(1440), Some(1)).ok().unwrap(),
            (Some(1440), Some(1))
        );
        let both = fields(with(Some(0), Some(0)).err().unwrap());
        assert_eq!(both.len(), 2);
        assert!(with(Some(1441), None).is_err() && with(Some(-1), None).is_err());
    }

    #[test]
    fn a_patch_tells_null_from_absent() {
        let patch = |json| serde_json::from_value::<CheckpointPatch>(json).unwrap();
        let absent = patch(serde_json::json!({})).parse().ok().unwrap();
        assert_eq!(absent.stay_minutes, Change::Keep);
        assert!(matches!(absent.vehicle, Change::Keep));
        let null = patch(serde_json::json!({"stay_minutes": null, "vehicle": null}));
        let null = null.parse().ok().unwrap();
        assert_eq!(null.stay_minutes, Change::Clear);
        assert!(matches!(null.vehicle, Change::Clear));
        let wrong = patch(serde_json::json!({"opening_hours": {"mon": [["7", "8"]]}}));
        let wrong = fields(wrong.parse().err().unwrap());
        assert_eq!(wrong, [("opening_hours.mon".to_owned(), "not_a_time")]);
        assert!(serde_json::from_value::<CheckpointPatch>(serde_json::json!({"x": 1})).is_err());
    }

    #[test]
    fn a_vehicle_makes_the_kind() {
        let json = serde_json::json!({"name": "Xe 1", "vehicle": {"plate": "70B-012.34"}});
        let draft: NewCheckpoint = serde_json::from_value(json).unwrap();
        let draft = draft.parse().ok().unwrap();
        assert_eq!(draft.kind, Some(PlaceKind::Vehicle));
        assert_eq!(draft.vehicle.unwrap().route, "");
    }
}
