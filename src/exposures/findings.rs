//! What a run found, in the shape in which it is stored.
//!
//! A link from [`NOBODY`] is what the list shows: one person at one checkpoint, all cases together.
//! With several cases there are links from each of them beside it, which explain it.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    exposures::{
        fold::{Candidate, Grade, Link},
        places::Places,
        record::SubjectRow,
        search::{Names, Ring},
        stay::Person,
        store::{self, NOBODY},
    },
    privacy::{Key, KeyRing},
    store::{Error, Tx},
};

/// A person on the list of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Hops from a case.
    pub ring: i64,
    /// First pseudonym; never shown.
    pub person: Person,
    /// What is shown in its place, good for this run only.
    pub reference: String,
    /// The latest declaration.
    pub declaration: Option<Uuid>,
    /// Today's code of the province of residence; the checkpoint's where none is known.
    pub province: Option<String>,
    /// `certain` or `possible`.
    pub grade: &'static str,
    /// Time with any source for certain, ms.
    pub certain_ms: i64,
    /// Time with any source, ms.
    pub possible_ms: i64,
    /// The part of it that is only residual air, ms.
    pub residual_ms: i64,
    /// Milliseconds of full weight.
    pub score: i64,
    /// First instant with any source, ms UTC.
    pub first_at: i64,
    /// First instant after the last, ms UTC.
    pub last_at: i64,
    /// Links.
    pub links: i64,
    /// Marks.
    pub flags: Marks,
}

/// Marks of a person on the list, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks of a person, shown one by one"
)]
pub struct Marks {
    /// Was at two sites at once, says the data.
    #[serde(default)]
    pub conflict: bool,
    /// Works there.
    #[serde(default)]
    pub staff: bool,
    /// Came in one group with a case.
    #[serde(default)]
    pub group: bool,
    /// Is the patient of another case.
    #[serde(default)]
    pub known_case: bool,
    /// Companions without a name.
    #[serde(default)]
    pub unnamed: i64,
    /// The highest threshold reached, minutes.
    #[serde(default)]
    pub row_minutes: Option<i64>,
}

/// Time of one person with a source at one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// Hops from a case.
    pub ring: i64,
    /// Pseudonym of the source, or [`NOBODY`].
    pub from: Person,
    /// Pseudonym of the person.
    pub person: Person,
    /// The link.
    pub link: Link,
}

/// A probe of the first ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRow {
    /// Pseudonym of the source, or [`NOBODY`].
    pub person: Person,
    /// A checkpoint that the source scanned.
    pub checkpoint: i64,
    /// Begin, ms UTC.
    pub start_at: i64,
    /// End without residual air, ms UTC.
    pub end_at: i64,
}

/// What a run found.
#[derive(Debug)]
pub struct Findings {
    id: Uuid,
    key: Key,
    /// People on the list, the first to call in front within each ring.
    pub people: Vec<PersonRow>,
    /// Links.
    pub links: Vec<LinkRow>,
    /// Probes of the first ring.
    pub probes: Vec<ProbeRow>,
}

impl Findings {
    /// Nothing found yet by the run `id`.
    #[must_use]
    pub fn new(id: Uuid, keys: &KeyRing) -> Self {
        Self {
            id,
            key: keys.reference().clone(),
            people: Vec::new(),
            links: Vec::new(),
            probes: Vec::new(),
        }
    }

    /// People in a ring.
    #[must_use]
    pub fn count(&self, ring: i64) -> i64 {
        let count = self.people.iter().filter(|row| row.ring == ring).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Everybody who carries the label of a ring already, the cases too.
    #[must_use]
    pub fn labelled(&self, subjects: &[SubjectRow], names: &Names) -> BTreeSet<Person> {
        let cases = subjects.iter().map(|row| names.first(row.person));
        cases
            .chain(self.people.iter().map(|row| row.person))
            .collect()
    }

    /// Add the people of a ring. `via` are the pseudonyms of its sources, none for the first ring.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn add_ring(
        &mut self,
        tx: &mut Tx,
        places: &Places<'_>,
        ring: i64,
        found: &Ring,
        listed: &[Candidate],
        via: &[Person],
    ) -> Result<(), Error> {
        let declared = |c: &Candidate| found.declared.get(&c.person).copied();
        let declarations: Vec<_> = listed.iter().filter_map(declared).collect();
        let residence: HashMap<Person, String> = store::residence(tx, &declarations)
            .await?
            .into_iter()
            .map(|(person, province)| (found.names.first(person), province))
            .collect();
        let people: Vec<Person> = listed
            .iter()
            .flat_map(|c| found.names.all(c.person))
            .collect();
        let cases: BTreeSet<Person> = store::known_cases(tx, &people)
            .await?
            .into_iter()
            .map(|(person, _)| found.names.first(person))
            .collect();
        for candidate in listed {
            let province = residence.get(&candidate.person).cloned().or_else(|| {
                let first = candidate.items.first();
                first.and_then(|item| places.province(item.checkpoint))
            });
            let known_case = cases.contains(&candidate.person);
            let declaration = declared(candidate).map(|(_, id)| id);
            let before = self.links.len();
            self.add_links(ring, candidate, via, found);
            let links = i64::try_from(self.links.len() - before).unwrap_or(i64::MAX);
            self.people.push(PersonRow {
                ring,
                person: candidate.person,
                reference: self.reference(candidate.person),
                declaration,
                province,
                grade: match candidate.grade {
                    Grade::Certain => "certain",
                    Grade::Possible | Grade::Present => "possible",
                },
                certain_ms: candidate.certain_ms,
                possible_ms: candidate.possible_ms,
                residual_ms: candidate.residual_ms,
                score: candidate.score_ms,
                first_at: candidate.first_at,
                last_at: candidate.last_at,
                links,
                flags: marks(candidate, known_case),
            });
        }
        Ok(())
    }

    fn add_links(&mut self, ring: i64, candidate: &Candidate, via: &[Person], found: &Ring) {
        let shown = |link: &Link| link.possible_ms > 0 || candidate.flags.group;
        let row = |from: Person, link: &Link| LinkRow {
            ring,
            from,
            person: candidate.person,
            link: link.clone(),
        };
        let many = found.scene.sources().len() > 1;
        if ring == 1 {
            let items = candidate.items.iter().filter(|item| shown(item));
            self.links.extend(items.map(|item| row(NOBODY, item)));
        }
        if ring > 1 || many {
            // Two cases may be one patient, reported twice: one link explains both.
            let mut explained = BTreeSet::new();
            for link in candidate.links.iter().filter(|link| shown(link)) {
                let source = link.source.unwrap_or(usize::MAX);
                let from = match ring {
                    1 => found
                        .scene
                        .sources()
                        .get(source)
                        .and_then(|source| source.persons.first()),
                    _ => via.get(source),
                };
                let from = from.filter(|from| explained.insert((**from, link.checkpoint)));
                self.links.extend(from.map(|from| row(*from, link)));
            }
        }
    }

    /// Keep the probes of the first ring: what late check-ins are tested against, and what the
    /// picture shows of the case.
    pub fn add_probes(&mut self, found: &Ring, places: &Places<'_>) {
        for probe in found.scene.probes() {
            let source = found.scene.sources().get(probe.source);
            let person = source.and_then(|source| source.persons.first().copied());
            let scanned = probe.scanned.first().copied();
            self.probes.push(ProbeRow {
                person: person.unwrap_or(NOBODY),
                checkpoint: scanned
                    .or_else(|| places.of_site(probe.site).first().copied())
                    .unwrap_or(probe.site),
                start_at: probe.core.start(),
                end_at: probe.core.end(),
            });
        }
    }

    /// What is shown of a person in this run: 24 hexadecimal digits that mean nothing elsewhere.
    fn reference(&self, person: Person) -> String {
        let mac = self.key.mac(&[b"lookup", self.id.as_bytes(), &person]);
        let short = mac.iter().take(12);
        short.fold(String::with_capacity(24), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// SHA-256 over everything that was found, in order.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut sha = Sha256::new();
        for row in &self.people {
            sha.update(row.person);
            sha.update(row.grade.as_bytes());
            for n in [
                row.ring,
                row.certain_ms,
                row.possible_ms,
                row.residual_ms,
                row.score,
                row.first_at,
                row.last_at,
                row.links,
            ] {
                sha.update(n.to_be_bytes());
            }
        }
        for row in &self.links {
            sha.update(row.from);
            sha.update(row.person);
            let link = &row.link;
            for n in [
                row.ring,
                link.site,
                link.checkpoint,
                link.start_at,
                link.end_at,
                link.certain_ms,
                link.possible_ms,
                link.residual_ms,
            ] {
                sha.update(n.to_be_bytes());
            }
        }
        sha.finalize().into()
    }
}

fn marks(candidate: &Candidate, known_case: bool) -> Marks {
    Marks {
        conflict: candidate.flags.conflict,
        staff: candidate.flags.staff,
        group: candidate.flags.group,
        known_case,
        unnamed: candidate
            .items
            .iter()
            .map(|item| item.unnamed)
            .max()
            .unwrap_or(0),
        row_minutes: candidate.row_ms.map(|ms| ms / 60_000),
    }
}
