//! One ring of a search: stays of the sources, probes, hits, candidates.
//!
//! SQL hands over a superset; here it becomes presences, probes and people. A second ring is the
//! same search with the contacts of the first as sources and their own windows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::{
    base::{FieldError, MAX_STAY_MS, failure::Result},
    checkins::{left_source, source},
    exposures::{
        fold::{Candidate, Hit, Terms, fold},
        interval::Span,
        places::Places,
        scene::{Scene, Source},
        stay::{Limits, Person, Presence, Stay},
        store::{self, Bounds, Found, NOBODY, Open, StagedProbe, Subject},
    },
    store::{Error, Tx},
};

/// Most probes of a run.
const PROBES_MAX: usize = 200_000;

/// What to search from.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Somebody, with windows.
    Person(Source),
    /// A place in a window.
    Place {
        /// The site.
        site: i64,
        /// The window.
        window: Span,
    },
}

/// One ring, searched.
#[derive(Debug)]
pub struct Ring {
    /// Sources and probes.
    pub scene: Scene,
    /// Everybody who touched a probe, the first to call in front.
    pub candidates: Vec<Candidate>,
    /// Upper bound of pairs, counted before anything was read.
    pub pairs: i64,
    /// Upper bound of people.
    pub people_bound: i64,
    /// Pseudonyms of the same people.
    pub names: Names,
    /// The latest declaration of each candidate, with the pseudonym it was made under.
    pub declared: HashMap<Person, (Person, Uuid)>,
    /// Stays of each source, in its windows.
    pub visits: Vec<Vec<(Stay, Presence)>>,
}

/// Pseudonyms of the same people.
#[derive(Clone, Debug, Default)]
pub struct Names {
    first: HashMap<Person, Person>,
    all: HashMap<Person, Vec<Person>>,
}

impl Names {
    fn add(&mut self, aliases: Vec<(Person, Person)>) {
        for (alias, person) in aliases {
            if self.first.insert(alias, person).is_none() {
                let all = self.all.entry(person).or_insert_with(|| vec![person]);
                if !all.contains(&alias) {
                    all.push(alias);
                }
            }
        }
    }

    /// A person's first pseudonym, for any of them.
    #[must_use]
    pub fn first(&self, person: Person) -> Person {
        self.first.get(&person).copied().unwrap_or(person)
    }

    /// All of a person's pseudonyms, for any of them.
    #[must_use]
    pub fn all(&self, person: Person) -> Vec<Person> {
        let first = self.first(person);
        self.all.get(&first).cloned().unwrap_or_else(|| vec![first])
    }
}

/// Search one ring. Run it in [`crate::store::Db::stage`], after [`store::prepare`]. `kept` are stays
/// of the sources that case files hold after their day is gone.
///
/// # Errors
///
/// When it would find more than an officer can work on; those of the store.
pub async fn search(
    tx: &mut Tx,
    places: &Places<'_>,
    bounds: Bounds,
    wanted: Vec<Wanted>,
    kept: &[Found],
    terms: &Terms,
) -> Result<Ring> {
    let mut names = Names::default();
    let mut visits = visits(tx, places, bounds, &wanted, kept, &mut names).await?;
    let mut scene = Scene::default();
    for (index, one) in wanted.into_iter().enumerate() {
        match one {
            Wanted::Person(source) => {
                let own = visits.get(index).cloned().unwrap_or_default();
                scene.add_person(source, own, |site| places.air_ms(site));
            }
            Wanted::Place { site, window } => {
                scene.add_place(site, &places.of_site(site), window);
            }
        }
    }
    visits.resize_with(scene.sources().len(), Vec::new);
    let staged = staged(&scene, places);
    if staged.len() > PROBES_MAX {
        return Err(too_many().into());
    }
    store::load_probes(tx, &staged).await?;
    let (pairs, people_bound) = store::count(tx, bounds).await?;
    if pairs > store::PAIRS_MAX {
        return Err(too_many().into());
    }
    let hits = hits(tx, places, bounds, &mut names).await?;
    let candidates = fold(&scene, &hits, terms, |person| names.first(person));
    let declared = declared(&hits, &names);
    Ok(Ring {
        scene,
        candidates,
        pairs,
        people_bound,
        names,
        declared,
        visits,
    })
}

fn too_many() -> FieldError {
    FieldError::new(
        "rings",
        "too_many_pairs",
        "Quá nhiều cặp để làm việc; hãy thu hẹp khoảng thời gian hoặc tăng số phút.",
        "Too many pairs to work on; narrow the period or raise the minutes.",
    )
}

/// The stays of every source in its windows, with their presences; those that are stored and those
/// that are `kept` by case files.
///
/// # Errors
///
/// Those of the store.
pub async fn visits(
    tx: &mut Tx,
    places: &Places<'_>,
    bounds: Bounds,
    wanted: &[Wanted],
    kept: &[Found],
    names: &mut Names,
) -> Result<Vec<Vec<(Stay, Presence)>>, Error> {
    let slack = places.slack_ms();
    let mut subjects = Vec::new();
    let mut people = Vec::new();
    for (subject, one) in (0_i64..).zip(wanted) {
        let Wanted::Person(source) = one else {
            continue;
        };
        for person in &source.persons {
            people.push(*person);
            subjects.extend(source.possible.iter().map(|window| Subject {
                subject,
                person: *person,
                a: window.start().saturating_sub(slack),
                b: window.end().saturating_add(slack),
            }));
        }
    }
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    names.add(store::aliases(tx, &people).await?);
    store::load_subjects(tx, bounds, &subjects).await?;
    let mut found: BTreeMap<(i64, i64, Uuid, Person), Stay> = BTreeMap::new();
    let kept: Vec<(i64, Stay)> = kept
        .iter()
        .filter_map(|row| Some((row.subject, stay(places, row)?)))
        .collect();
    for (subject, stay) in &kept {
        if subjects.iter().any(|window| window.finds(*subject, stay)) {
            let key = (*subject, stay.checkpoint, stay.id, stay.person);
            found.insert(key, stay.clone());
        }
    }
    store::stays(tx, bounds, |row| {
        let subject = row.subject;
        if let Some(stay) = stay(places, &row) {
            found.insert((subject, stay.checkpoint, stay.id, stay.person), stay);
        }
    })
    .await?;
    let all: Vec<Stay> = found.values().cloned().collect();
    let kept: Vec<Stay> = kept.into_iter().map(|(_, stay)| stay).collect();
    let presences = presences(tx, places, bounds, &all, &kept, names).await?;
    let mut by_source = vec![Vec::new(); wanted.len()];
    for ((subject, ..), both) in found.keys().zip(all.into_iter().zip(presences)) {
        let at = usize::try_from(*subject).unwrap_or(usize::MAX);
        if let Some(own) = by_source.get_mut(at) {
            own.push(both);
        }
    }
    Ok(by_source)
}

impl Subject {
    /// Whether the stored stay of a source would be found by this window: as in [`store::STAYS`].
    fn finds(&self, subject: i64, stay: &Stay) -> bool {
        let latest = stay
            .left_at
            .unwrap_or_else(|| stay.entered_at.saturating_add(MAX_STAY_MS));
        self.subject == subject
            && self.person == stay.person
            && stay.entered_at < self.b
            && latest >= self.a
    }
}

fn stay(places: &Places<'_>, row: &Found) -> Option<Stay> {
    let by = row.left_source.as_deref();
    Some(Stay {
        checkpoint: row.checkpoint_id,
        site: places.site(row.checkpoint_id),
        id: row.id,
        person: store::to_person(&row.person_id)?,
        entered_at: row.entered_at,
        left_at: row.left_at,
        observed: matches!(
            by,
            Some(left_source::VISITOR | left_source::STAFF | left_source::IMPORT)
        ),
        shift: row.source == source::SHIFT,
        tolerance_ms: places.tolerance_ms(&row.source),
        headcount: row.headcount,
        declaration: row.declaration_id,
    })
}

/// The presences of `stays`, assumed ends cut by what their people did next.
async fn presences(
    tx: &mut Tx,
    places: &Places<'_>,
    bounds: Bounds,
    stays: &[Stay],
    kept: &[Stay],
    names: &Names,
) -> Result<Vec<Presence>, Error> {
    let mut open = Vec::new();
    for stay in stays.iter().filter(|stay| stay.is_open() && !stay.shift) {
        let longest = places.stay_ms(stay.checkpoint).min(MAX_STAY_MS);
        let until = stay
            .left_at
            .unwrap_or_else(|| stay.entered_at.saturating_add(longest));
        open.extend(names.all(stay.person).into_iter().map(|person| Open {
            person,
            id: stay.id,
            until,
        }));
    }
    let mut later: HashMap<(Person, Uuid), Vec<(i64, i64)>> = HashMap::new();
    for row in store::next(tx, bounds, &open).await? {
        if let Some(person) = store::to_person(&row.person_id) {
            later
                .entry((names.first(person), row.id))
                .or_default()
                .push((places.site(row.checkpoint_id), row.entered_at));
        }
    }
    for open in &open {
        let person = names.first(open.person);
        let after = kept
            .iter()
            .filter(|stay| names.first(stay.person) == person);
        later
            .entry((person, open.id))
            .or_default()
            .extend(after.map(|stay| (stay.site, stay.entered_at)));
    }
    Ok(stays
        .iter()
        .map(|stay| {
            let after = later.get(&(names.first(stay.person), stay.id));
            stay.presence(&Limits {
                stay_ms: places.stay_ms(stay.checkpoint),
                closes_at: places.closes_at(stay.checkpoint, stay.entered_at),
                next_at: stay.next_elsewhere(after.into_iter().flatten().copied()),
            })
        })
        .collect())
}

/// The probes, one for each checkpoint of their sites.
fn staged(scene: &Scene, places: &Places<'_>) -> Vec<StagedProbe> {
    let slack = places.slack_ms();
    let mut staged = Vec::new();
    for (index, probe) in (0_i64..).zip(scene.probes()) {
        let source = scene.sources().get(probe.source);
        let person = source.and_then(|source| source.persons.first().copied());
        let reach = probe.reach();
        for checkpoint in places.of_site(probe.site) {
            staged.push(StagedProbe {
                probe: index,
                person: person.unwrap_or(NOBODY),
                checkpoint,
                a: reach.start().saturating_sub(slack),
                dwell: places.stay_ms(checkpoint),
                b: reach.end().saturating_add(slack),
            });
        }
    }
    staged
}

/// What the staged probes find.
async fn hits(
    tx: &mut Tx,
    places: &Places<'_>,
    bounds: Bounds,
    names: &mut Names,
) -> Result<Vec<Hit>, Error> {
    let mut pairs: Vec<(i64, usize)> = Vec::new();
    let mut stays: Vec<Stay> = Vec::new();
    let mut known: HashMap<(i64, Uuid), usize> = HashMap::new();
    store::hits(tx, bounds, |row| {
        let (probe, key) = (row.subject, (row.checkpoint_id, row.id));
        if let Some(at) = known.get(&key) {
            pairs.push((probe, *at));
        } else if let Some(stay) = stay(places, &row) {
            known.insert(key, stays.len());
            pairs.push((probe, stays.len()));
            stays.push(stay);
        }
    })
    .await?;
    let people: BTreeSet<Person> = stays.iter().map(|stay| stay.person).collect();
    let people: Vec<Person> = people.into_iter().collect();
    names.add(store::aliases(tx, &people).await?);
    let presences = presences(tx, places, bounds, &stays, &[], names).await?;
    Ok(pairs
        .into_iter()
        .filter_map(|(probe, at)| {
            let stay = stays.get(at)?;
            Some(Hit {
                probe: usize::try_from(probe).ok()?,
                stay: stay.clone(),
                presence: *presences.get(at)?,
                place_weight: places.weight(stay.checkpoint),
            })
        })
        .collect())
}

/// The latest declaration of each person who was found.
fn declared(hits: &[Hit], names: &Names) -> HashMap<Person, (Person, Uuid)> {
    let mut latest: HashMap<Person, (i64, Person, Uuid)> = HashMap::new();
    for stay in hits.iter().map(|hit| &hit.stay) {
        if let Some(id) = stay.declaration {
            let new = (stay.entered_at, stay.person, id);
            let held = latest.entry(names.first(stay.person)).or_insert(new);
            *held = (*held).max(new);
        }
    }
    latest
        .into_iter()
        .map(|(person, (_, by, id))| (person, (by, id)))
        .collect()
}
