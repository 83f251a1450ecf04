//! What is written together: stays, and one sealed contact for each person in them.

use std::collections::HashMap;

use crate::{
    checkins::store::Row,
    declarations::{Contact, Person, store::Row as DeclarationRow},
    identity::PersonId,
};

/// A batch in the making.
pub(super) struct Draft {
    /// The stays, each with the place of its contact in `contacts`.
    pub(super) stays: Vec<(Row, usize)>,
    /// Everybody in them. Somebody who is written in two ways is here twice.
    pub(super) contacts: Vec<Known>,
    by_person: HashMap<PersonId, Vec<usize>>,
}

/// Somebody in a batch.
pub(super) struct Known {
    /// Who.
    pub(super) person: Person,
    /// As the file has them.
    pub(super) contact: Contact,
    /// Their latest arrival in this batch, in milliseconds UTC.
    pub(super) latest: i64,
}

/// Ready to write: rows by day, checkpoint and time, contacts by time, so that a transaction touches few
/// pages of each tree.
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    pub(super) contacts: Vec<DeclarationRow>,
}

impl Draft {
    /// Nothing yet, with room for `rows` stays.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            stays: Vec::with_capacity(rows),
            contacts: Vec::new(),
            by_person: HashMap::new(),
        }
    }

    /// Add stays of one person.
    pub(super) fn add(&mut self, person: Person, contact: Contact, rows: Vec<Row>) {
        let Some(latest) = rows.iter().map(Row::entered_at).max() else {
            return;
        };
        let at = self.know(person, contact, latest);
        self.stays.extend(rows.into_iter().map(|row| (row, at)));
    }

    /// Add everything of `other`, which stood behind this in the file.
    pub(super) fn merge(&mut self, other: Self) {
        let places: Vec<usize> = other
            .contacts
            .into_iter()
            .map(|known| self.know(known.person, known.contact, known.latest))
            .collect();
        let stays = other.stays.into_iter();
        self.stays
            .extend(stays.filter_map(|(row, at)| Some((row, *places.get(at)?))));
    }

    /// The place of a contact, which is added if it is new.
    fn know(&mut self, person: Person, contact: Contact, latest: i64) -> usize {
        let known = self.by_person.entry(person.id).or_default();
        let contacts = &mut self.contacts;
        let same = known.iter().copied().find(|at| {
            let other = contacts.get(*at);
            other.is_some_and(|other| other.contact == contact && other.person == person)
        });
        let at = same.unwrap_or(contacts.len());
        if let Some(known) = contacts.get_mut(at) {
            known.latest = known.latest.max(latest);
        } else {
            known.push(at);
            contacts.push(Known {
                person,
                contact,
                latest,
            });
        }
        at
    }
}
