//! One row of a file: judged, split, sealed.

use std::{collections::HashMap, sync::Arc};

use uuid::{Builder, Uuid};

use super::{
    Import,
    batch::{Batch, Draft, Known},
    columns::{Columns, unquote},
};
use crate::{
    base::{
        Code, Day, FieldError, MAX_STAY_MS, Random, Timestamp,
        text::{TextError, nfc_clean},
    },
    checkins::{AHEAD_MS, assurance, door::PSEUDONYM_VERSION, left_source, source, store::Row},
    declarations::{
        Contact, Person, Sealed, UNDECLARED, seal_contact, store::Row as DeclarationRow,
    },
    identity::{FullName, IdNumber, Invalid, Phone, Pseudonymizer},
    privacy::{Key, KeyRing},
    venues::{Directory, Entry},
};

/// Longest text of a seat.
const MAX_SEAT_CHARS: usize = 40;

/// Judges rows. Shared by the threads; it only reads.
pub(super) struct Judge {
    directory: Arc<Directory>,
    keys: Arc<KeyRing>,
    pseudonymizer: Pseudonymizer,
    days: HashMap<Day, Arc<Key>>,
    random: Random,
    columns: Columns,
    now: Timestamp,
}

impl Judge {
    /// Rows before `first_day` are older than retention.
    pub(super) fn new(import: &Import, columns: Columns, first_day: Day) -> Self {
        let now = import.clock.now();
        let last_day = Day::of(now.plus_ms(AHEAD_MS));
        let days = (first_day.number()..=last_day.number()).map(Day::from_number);
        Self {
            directory: Arc::clone(&import.directory),
            keys: Arc::clone(&import.keys),
            pseudonymizer: Pseudonymizer::new(import.keys.pseudonym().bytes(), PSEUDONYM_VERSION),
            days: days
                .filter_map(|day| Some((day, import.keys.day(day)?)))
                .collect(),
            random: import.random.clone(),
            columns,
            now,
        }
    }

    /// Add the stays of one record to `draft`, or say why it cannot be used.
    pub(super) fn judge(
        &self,
        record: &csv::ByteRecord,
        draft: &mut Draft,
    ) -> Result<(), FieldError> {
        let [
            checkpoint,
            entered_at,
            left_at,
            phone,
            full_name,
            id_number,
            seat,
        ] = self.cells(record)?;
        let entry = self.checkpoint(checkpoint)?;
        let (entered, left) = self.times(entered_at, left_at, &entry)?;
        let contact = contact(phone, full_name, id_number)?;
        let person = contact.person(&self.pseudonymizer).ok_or(FieldError::new(
            "phone",
            "required",
            "Cần số điện thoại hoặc số giấy tờ.",
            "A phone number or an ID number is needed.",
        ))?;
        let seat = seat_of(seat)?;
        let rows = pieces(entered, left)
            .enumerate()
            .map(|(piece, (from, until))| {
                let id = self.id(&entry, &contact, person, entered, (piece, from))?;
                Some(Row {
                    checkpoint_id: entry.checkpoint.id,
                    id,
                    person: person.id,
                    left_at: until,
                    left_source: until.map(|_| left_source::IMPORT),
                    source: source::IMPORT,
                    assurance: assurance::WRITTEN,
                    headcount: 1,
                    seat: seat.clone(),
                    declaration_id: None,
                    received_at: 0,
                })
            })
            .collect::<Option<Vec<Row>>>()
            .ok_or_else(too_old)?;
        draft.add(person, contact, rows);
        Ok(())
    }

    /// Seal the contacts of `draft`, and put everything into order.
    pub(super) fn seal(&self, draft: Draft) -> Batch {
        let sealed: Vec<Option<DeclarationRow>> = draft
            .contacts
            .iter()
            .map(|known| self.contact_row(known))
            .collect();
        let mut rows: Vec<Row> = draft
            .stays
            .into_iter()
            .map(|(row, contact)| Row {
                declaration_id: sealed.get(contact).and_then(|row| Some(row.as_ref()?.id)),
                ..row
            })
            .collect();
        rows.sort_by_cached_key(|row| (Day::of_ms(row.entered_at()), row.key()));
        let mut contacts: Vec<DeclarationRow> = sealed.into_iter().flatten().collect();
        contacts.sort_unstable_by_key(|row| (row.id, row.person.id));
        Batch { rows, contacts }
    }

    fn cells<'r>(&self, record: &'r csv::ByteRecord) -> Result<[&'r str; 7], FieldError> {
        if record.len() != self.columns.count {
            return Err(FieldError::new(
                "row",
                "columns",
                "Số cột khác với dòng tiêu đề.",
                "The row has another number of columns than the header.",
            ));
        }
        let mut cells = [""; 7];
        for (cell, place) in cells.iter_mut().zip(self.columns.places) {
            let text = std::str::from_utf8(record.get(place).unwrap_or_default());
            *cell = unquote(text.map_err(|_| {
                FieldError::new(
                    "row",
                    "not_utf8",
                    "Dòng này không phải UTF-8; hãy lưu tệp ở dạng UTF-8.",
                    "The row is not UTF-8; save the file as UTF-8.",
                )
            })?);
        }
        Ok(cells)
    }

    fn checkpoint(&self, text: &str) -> Result<Arc<Entry>, FieldError> {
        let code = text.parse::<Code>().ok();
        code.and_then(|code| self.directory.by_code(code))
            .ok_or(FieldError::new(
                "checkpoint",
                "unknown_checkpoint",
                "Không có điểm kiểm dịch với mã này.",
                "There is no checkpoint with this code.",
            ))
    }

    /// Arrival and end in milliseconds.
    fn times(
        &self,
        entered_at: &str,
        left_at: &str,
        entry: &Entry,
    ) -> Result<(i64, Option<i64>), FieldError> {
        let read = |field, text| {
            Timestamp::parse(text)
                .map(Timestamp::as_ms)
                .ok_or(FieldError::new(
                    field,
                    "not_rfc3339",
                    "Thời gian phải theo RFC 3339, ví dụ 2026-11-21T08:30:00+07:00.",
                    "The time must be RFC 3339, for example 2026-11-21T08:30:00+07:00.",
                ))
        };
        let entered = read("entered_at", entered_at)?;
        let left = match left_at {
            "" => None,
            text => Some(read("left_at", text)?),
        };
        let latest = self.now.as_ms() + AHEAD_MS;
        for (field, at) in [("entered_at", Some(entered)), ("left_at", left)] {
            if at.is_some_and(|at| at > latest) {
                return Err(FieldError::new(
                    field,
                    "in_the_future",
                    "Thời gian ở tương lai.",
                    "The time is in the future.",
                ));
            }
        }
        if left.is_some_and(|left| left < entered) {
            return Err(FieldError::new(
                "left_at",
                "before_entry",
                "Giờ ra không được trước giờ vào.",
                "The time of leaving is before the arrival.",
            ));
        }
        if !self.days.contains_key(&Day::of_ms(entered)) {
            return Err(too_old());
        }
        let closed = entry.checkpoint.closed_at;
        if closed.is_some_and(|closed| entered >= closed.as_ms()) {
            return Err(FieldError::new(
                "checkpoint",
                "closed",
                "Điểm kiểm dịch đã đóng trước giờ vào.",
                "The checkpoint was closed before the arrival.",
            ));
        }
        Ok((entered, left))
    }

    /// The id of a stay from `from`, the `piece`-th of a presence that began at `entered`: the same
    /// for the same row. Who shares a phone and comes at the same minute is told apart by name and ID
    /// number. `None` when the day has no key any more.
    fn id(
        &self,
        entry: &Entry,
        contact: &Contact,
        person: Person,
        entered: i64,
        (piece, from): (usize, i64),
    ) -> Option<Uuid> {
        self.days.get(&Day::of_ms(from))?;
        let name = contact.full_name.as_ref().map_or("", |name| name.as_str());
        let alias = person.alias.map(|alias| *alias.as_bytes());
        self.derived(
            from,
            &[
                b"import",
                &entry.checkpoint.id.to_be_bytes(),
                person.id.as_bytes(),
                &entered.to_be_bytes(),
                &u64::try_from(piece).ok()?.to_be_bytes(),
                &alias.unwrap_or_default(),
                name.as_bytes(),
            ],
        )
    }

    fn derived(&self, ms: i64, parts: &[&[u8]]) -> Option<Uuid> {
        let mac = self.keys.reference().mac(parts);
        let (bits, _) = mac.split_first_chunk::<10>()?;
        Some(Builder::from_unix_timestamp_millis(u64::try_from(ms).ok()?, bits).into_uuid())
    }

    /// The row that holds a sealed contact; every day that was judged has a key.
    fn contact_row(&self, known: &Known) -> Option<DeclarationRow> {
        let (person, contact) = (known.person, &known.contact);
        let name = contact.full_name.as_ref().map_or("", |name| name.as_str());
        let number = contact.id_number.as_ref().map_or("", |id| id.as_str());
        let phone = contact.phone.as_ref().map_or("", |phone| phone.e164());
        let id = self.derived(
            known.latest,
            &[
                b"contact",
                person.id.as_bytes(),
                name.as_bytes(),
                &[0],
                number.as_bytes(),
                &[0],
                phone.as_bytes(),
            ],
        )?;
        let key = self.days.get(&Day::of_ms(known.latest))?;
        Some(DeclarationRow {
            person,
            id,
            sealed: Sealed {
                contact: seal_contact(contact, person.id, id, key, &self.random),
                answers: Vec::new(),
            },
            risk: UNDECLARED,
            province: None,
            consent_version: "",
        })
    }
}

fn too_old() -> FieldError {
    FieldError::new(
        "entered_at",
        "older_than_retention",
        "Thời gian đã quá hạn lưu giữ.",
        "The time is older than check-ins are kept.",
    )
}

/// A presence in stays of at most [`MAX_STAY_MS`].
fn pieces(entered: i64, left: Option<i64>) -> impl Iterator<Item = (i64, Option<i64>)> {
    let mut from = Some(entered);
    std::iter::from_fn(move || {
        let begin = from.take()?;
        let Some(left) = left else {
            return Some((begin, None));
        };
        let end = left.min(begin + MAX_STAY_MS);
        from = (end < left).then_some(end);
        Some((begin, Some(end)))
    })
}

fn contact(phone: &str, full_name: &str, id_number: &str) -> Result<Contact, FieldError> {
    fn read<T>(
        field: &'static str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, FieldError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).map_err(|error| error.in_field(field))
    }
    Ok(Contact {
        full_name: read("full_name", full_name, FullName::parse)?,
        birth_year: None,
        sex: None,
        nationality: None,
        id_number: read("id_number", id_number, IdNumber::parse)?,
        phone: read("phone", phone, Phone::parse)?,
        email: None,
        address: None,
    })
}

fn seat_of(text: &str) -> Result<Option<String>, FieldError> {
    match nfc_clean(text, MAX_SEAT_CHARS) {
        Ok(seat) => Ok(Some(seat)),
        Err(TextError::Empty) => Ok(None),
        Err(TextError::TooLong | TextError::ControlCharacter) => Err(FieldError::new(
            "seat",
            "invalid",
            "Số ghế dài quá 40 ký tự hoặc có ký tự điều khiển.",
            "The seat is longer than 40 characters or contains a control character.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_presence_is_split_without_a_gap() {
        let day = MAX_STAY_MS;
        let all = |left: Option<i64>| pieces(5, left).collect::<Vec<_>>();
        assert_eq!(all(None), [(5, None)]);
        assert_eq!(all(Some(5)), [(5, Some(5))]);
        assert_eq!(all(Some(5 + day)), [(5, Some(5 + day))]);
        assert_eq!(
            all(Some(6 + 2 * day)),
            [
                (5, Some(5 + day)),
                (5 + day, Some(5 + 2 * day)),
                (5 + 2 * day, Some(6 + 2 * day))
            ]
        );
    }
}
