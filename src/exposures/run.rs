//! A run: one immutable execution of a lookup, with everything that is needed to judge it.
//!
//! A check-out updates a row and retention removes it, so a run cannot be executed again bit for
//! bit: what it found is its record. What it saw is bounded by the high-water mark, the moment of
//! its snapshot. Every check-in that was acknowledged before the request is in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    accounts::Account,
    base::{Failure, FieldError, Kind, MAX_STAY_MS, Random, Timestamp, failure::Result, ids},
    cases::{
        self, Case, kept,
        rules::{self, Basis, RuleSet},
    },
    checkins::Journal,
    exposures::{
        budget::{self, Budgets, Today},
        findings::Findings,
        fold::{Candidate, Grade, Terms},
        interval::Span,
        keep,
        order::{Order, Parameters},
        places::Places,
        reached::{onward, reached},
        record::{self, Made, SubjectRow},
        scene::Source,
        score::{Anchor, Weights},
        search::{Names, Ring, Wanted, search, visits},
        stay::Person,
        store::{self, Bounds, Found},
    },
    identity::PersonId,
    privacy::KeyRing,
    regions::Regions,
    store::{Db, Error, Tx},
    venues::Directory,
};

/// Version of the arithmetic: a change of it makes runs that do not compare.
pub const ENGINE_VERSION: i64 = 1;

/// People above which the answer warns.
pub const WARN_ABOVE: i64 = 1_000;

/// People above which a second person must release the result.
pub const RELEASE_ABOVE: i64 = 10_000;

/// Score of a contact from which the second ring counts in full, ms.
const FULL_SCORE_MS: i64 = 15 * 60_000;

const MINUTE_MS: i64 = 60_000;

/// Everything that a lookup needs.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The store.
    pub db: &'a Db,
    /// The keys.
    pub keys: &'a KeyRing,
    /// The way to what was acknowledged and is not in the tables yet.
    pub journal: &'a Journal,
    /// The source of randomness.
    pub random: &'a Random,
    /// All checkpoints.
    pub directory: &'a Directory,
    /// Provinces.
    pub regions: &'a Regions,
    /// Days for which check-ins are kept.
    pub retention_days: u16,
    /// What an officer may do on one day; `None` when nothing is limited.
    pub budgets: Option<Budgets>,
}

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// `case`, `cases`, `checkpoint` or `person`.
    pub kind: String,
    /// The run that it repeats.
    pub parent_id: Option<Uuid>,
    /// Province of the office.
    pub province: Option<String>,
    /// The rule set.
    pub rule_id: String,
    /// Its version.
    pub rule_version: i64,
    /// What was asked for.
    pub parameters: Parameters,
    /// No row received later was seen, ms UTC.
    pub high_water_mark: i64,
    /// First instant of which check-ins were kept, ms UTC.
    pub oldest_kept: i64,
    /// Number of the document.
    pub document: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub officer_id: Uuid,
    /// Who released it.
    pub approver_id: Option<Uuid>,
    /// `computed` or `released`.
    pub state: String,
    /// What to know before relying on it.
    pub warnings: Vec<Warning>,
    /// People in the first ring.
    pub ring1: i64,
    /// People in the second ring; 0 when it was not asked for.
    pub ring2: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A stay of a case's patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Number of the checkpoint.
    pub checkpoint: i64,
    /// Arrival, ms UTC.
    pub from: i64,
    /// End, ms UTC; the arrival itself for a point.
    pub until: i64,
    /// Whether the end is assumed by rule.
    pub assumed: bool,
}

/// What to know before relying on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The stable name.
    pub code: String,
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl Run {
    /// People in all rings.
    #[must_use]
    pub const fn people(&self) -> i64 {
        self.ring1 + self.ring2
    }

    /// Whether its people may be opened: small enough, or released by a second person.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.people() <= RELEASE_ABOVE || self.approver_id.is_some()
    }
}

fn warning(code: &str, vi: impl Into<String>, en: impl Into<String>) -> Warning {
    Warning {
        code: code.to_owned(),
        vi: vi.into(),
        en: en.into(),
    }
}

/// What a target becomes: a rule set and sources.
struct Target {
    rule: &'static RuleSet,
    wanted: Vec<Wanted>,
    subjects: Vec<SubjectRow>,
    warnings: Vec<Warning>,
}

impl Desk<'_> {
    /// Make a run for `officer`, store it with its audit entry, and give what may be answered.
    ///
    /// # Errors
    ///
    /// [`Kind::NotFound`] when a case or checkpoint is not there; [`Kind::Invalid`] when the run would
    /// find more than can be worked on; [`Kind::BudgetSpent`] when the officer has none left for today;
    /// those of the store.
    pub async fn look_up(
        &self,
        officer: &Account,
        order: &Order,
        parent: Option<Uuid>,
    ) -> Result<Run> {
        if let Some(usual) = self.budgets {
            let check = async |tx: &mut Tx| budget::check_lookup(tx, usual, officer.id).await;
            let left = self.db.read(check).await;
            budget::noted(self.db, officer, left).await?;
        }
        self.directory.refresh(self.db).await?;
        self.journal.settle().await?;
        let site = self.site_of(order).await?;
        let made = self
            .db
            .stage(async |tx| self.compute(tx, officer, order, site, parent).await)
            .await?;
        let stored = self
            .db
            .write(async |tx| {
                if let Some(usual) = self.budgets {
                    budget::count_lookup(tx, usual, officer.id).await?;
                }
                record::insert(tx, &made).await?;
                Ok::<_, Failure>(())
            })
            .await;
        budget::noted(self.db, officer, stored).await?;
        Ok(made.run)
    }

    /// What `officer` has done today; `None` when nothing is limited.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn today(&self, officer: &Account) -> Result<Option<Today>> {
        let Some(usual) = self.budgets else {
            return Ok(None);
        };
        let today = async |tx: &mut Tx| budget::today(tx, usual, officer.id).await;
        Ok(Some(self.db.read(today).await?))
    }

    /// Make the run of `run` again with the data of now; gives it with the people added and
    /// withdrawn.
    ///
    /// # Errors
    ///
    /// As [`Self::look_up`].
    pub async fn rerun(&self, officer: &Account, run: &Run) -> Result<(Run, i64, i64)> {
        let persons = if run.kind == "person" {
            self.db
                .read(async |tx| record::persons_of(tx, run.id).await)
                .await?
        } else {
            Vec::new()
        };
        let order = Order {
            parameters: run.parameters.clone(),
            persons,
            reason: run.reason.clone(),
            document: run.document.clone(),
        };
        let new = self.look_up(officer, &order, Some(run.id)).await?;
        let (added, withdrawn) = self
            .db
            .read(async |tx| record::difference(tx, run.id, new.id).await)
            .await?;
        Ok((new, added, withdrawn))
    }

    /// The stays of a case's patient in its window, the earliest first.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn visits(&self, case: &Case) -> Result<Vec<Visit>> {
        self.directory.refresh(self.db).await?;
        self.journal.settle().await?;
        self.db
            .stage(async |tx| self.visits_in(tx, case).await)
            .await
    }

    async fn visits_in(&self, tx: &mut Tx, case: &Case) -> Result<Vec<Visit>> {
        let now = tx.now();
        let until = case.window_until.unwrap_or_else(|| open_end(now));
        let Some(window) = Span::new(case.window_from, until) else {
            return Ok(Vec::new());
        };
        let rule = rules::find(&case.rule_id).or_else(|| rules::find(rules::DEFAULT));
        let places = Places {
            directory: self.directory,
            regions: self.regions,
            rule: rule.ok_or(Kind::Internal)?,
            air_minutes: None,
        };
        let persons = cases::persons_of(tx, case.id).await?;
        let source = Source {
            persons: persons.iter().map(|person| *person.as_bytes()).collect(),
            certain: vec![window],
            possible: vec![window],
            anchor: Anchor::Flat,
            weight: 1_000,
        };
        store::prepare(tx).await?;
        let bounds = Bounds::new(window.start(), window.end(), now.as_ms());
        let wanted = [Wanted::Person(source)];
        let mut names = Names::default();
        let kept = kept_stays(tx, self.keys, 0, case.id).await?;
        let found = visits(tx, &places, bounds, &wanted, &kept, &mut names).await?;
        let mut visits: Vec<Visit> = found
            .into_iter()
            .flatten()
            .filter(|(_, presence)| presence.maybe.span.meet(window).is_some())
            .map(|(stay, presence)| Visit {
                checkpoint: stay.checkpoint,
                from: stay.entered_at,
                until: if presence.maybe.point {
                    stay.entered_at
                } else {
                    presence.maybe.span.end()
                },
                assumed: presence.assumed,
            })
            .collect();
        visits.sort_by_key(|visit| (visit.from, visit.checkpoint));
        Ok(visits)
    }

    async fn site_of(&self, order: &Order) -> Result<Option<i64>> {
        let Some(checkpoint) = &order.parameters.checkpoint else {
            return Ok(None);
        };
        let code = checkpoint
            .code
            .parse()
            .map_err(|_| Failure::new(Kind::NotFound))?;
        let entry = self.directory.find(self.db, code).await?;
        Ok(Some(entry.checkpoint.site_id))
    }

    async fn compute(
        &self,
        tx: &mut Tx,
        officer: &Account,
        order: &Order,
        site: Option<i64>,
        parent: Option<Uuid>,
    ) -> Result<Made> {
        let now = tx.now();
        let oldest_kept = cases::oldest_kept(now, self.retention_days).start_ms();
        let mut target = target(tx, officer, order, site, now, oldest_kept).await?;
        let rule = target.rule;
        let places = Places {
            directory: self.directory,
            regions: self.regions,
            rule,
            air_minutes: order.parameters.residual_air_minutes,
        };
        let bounds = bounds(&target.wanted, order, rule, now)?;
        let terms = terms(rule, order.parameters.min_minutes);
        store::prepare(tx).await?;
        let mut kept = Vec::new();
        for (subject, case) in target.cases() {
            kept.extend(kept_stays(tx, self.keys, subject, case).await?);
        }
        let wanted = target.wanted.clone();
        let ring1 = search(tx, &places, bounds, wanted, &kept, &terms).await?;
        let mut warnings = std::mem::take(&mut target.warnings);
        warnings.extend(Self::warnings(&target, &ring1, oldest_kept));
        let listed = |ring: &Ring| -> Vec<Candidate> {
            let all = ring.candidates.iter();
            all.filter(|c| c.grade > Grade::Present).cloned().collect()
        };
        let first = listed(&ring1);
        let id = ids::v4(self.random);
        let mut found = Findings::new(id, self.keys);
        found.add_ring(tx, &places, 1, &ring1, &first, &[]).await?;
        found.add_probes(&ring1, &places);
        let mut pairs = (ring1.pairs, ring1.people_bound);
        if order.parameters.rings == 2 {
            let (wanted, via) = onward_sources(&first, &ring1, rule, order);
            let need = order.parameters.ring2.min_minutes;
            let terms = self::terms(rule, Some(need.unwrap_or(rule.ring2.min)));
            let ring2 = search(tx, &places, bounds, wanted, &[], &terms).await?;
            let mut second = listed(&ring2);
            let lower = found.labelled(&target.subjects, &ring1.names);
            second.retain(|c| !lower.contains(&c.person));
            found
                .add_ring(tx, &places, 2, &ring2, &second, &via)
                .await?;
            pairs = (pairs.0 + ring2.pairs, pairs.1 + ring2.people_bound);
        }
        let (n1, n2) = (found.count(1), found.count(2));
        warnings.extend(size_warning(n1 + n2));
        let run = Run {
            id,
            kind: order.kind().to_owned(),
            parent_id: parent,
            province: officer.province.clone(),
            rule_id: rule.id.clone(),
            rule_version: i64::from(rule.version),
            parameters: order.parameters.clone(),
            high_water_mark: bounds.high_water_mark,
            oldest_kept,
            document: order.document.clone(),
            reason: order.reason.clone(),
            officer_id: officer.id,
            approver_id: None,
            state: "computed".to_owned(),
            warnings,
            ring1: n1,
            ring2: n2,
            created_at: now,
        };
        Ok(Made {
            run,
            subjects: target.subjects,
            rule: serde_json::to_string(rule).map_err(Failure::internal)?,
            pairs: pairs.0,
            people_bound: pairs.1,
            found,
        })
    }

    fn warnings(target: &Target, ring: &Ring, oldest_kept: i64) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let first = target.wanted.iter().filter_map(first_instant).min();
        if first.is_some_and(|from| from < oldest_kept) {
            let day = Timestamp::from_ms(oldest_kept).local_date();
            warnings.push(warning(
                "retention_edge",
                format!(
                    "Khoảng thời gian bắt đầu trước {day}, ngày sớm nhất còn lưu lượt đến: trước đó không tìm thấy ai không có nghĩa là không có ai."
                ),
                format!(
                    "The period begins before {day}, the first day of which check-ins are kept: nobody found before it does not mean nobody."
                ),
            ));
        }
        let is_person = |wanted: &Wanted| matches!(wanted, Wanted::Person(_));
        if target.wanted.iter().any(is_person) && ring.scene.probes().is_empty() {
            warnings.push(warning(
                "no_visits",
                "Không có lượt đến nào trong khoảng thời gian này.",
                "There is no visit in this period.",
            ));
        }
        let unnamed = ring.scene.unnamed_companions();
        if unnamed > 0 {
            warnings.push(warning(
                "unnamed_companions",
                format!("Có {unnamed} người đi cùng không khai tên."),
                format!("{unnamed} companions came without a name."),
            ));
        }
        warnings
    }
}

fn first_instant(wanted: &Wanted) -> Option<i64> {
    match wanted {
        Wanted::Person(source) => source.possible.first().map(|span| span.start()),
        Wanted::Place { window, .. } => Some(window.start()),
    }
}

fn last_instant(wanted: &Wanted) -> Option<i64> {
    match wanted {
        Wanted::Person(source) => source.possible.last().map(|span| span.end()),
        Wanted::Place { window, .. } => Some(window.end()),
    }
}

fn size_warning(people: i64) -> Option<Warning> {
    if people > RELEASE_ABOVE {
        Some(warning(
            "release_needed",
            "Kết quả trên 10.000 người: cần người phụ trách thứ hai duyệt trước khi mở.",
            "More than 10,000 people: a second person must release the result before it opens.",
        ))
    } else if people > WARN_ABOVE {
        Some(warning(
            "many_people",
            "Kết quả trên 1.000 người: hãy kiểm tra lại khoảng thời gian và số phút.",
            "More than 1,000 people: check the period and the minutes.",
        ))
    } else {
        None
    }
}

fn bounds(wanted: &[Wanted], order: &Order, rule: &RuleSet, now: Timestamp) -> Result<Bounds> {
    let from = wanted.iter().filter_map(first_instant).min();
    let until = wanted.iter().filter_map(last_instant).max();
    let (Some(from), Some(mut until)) = (from, until) else {
        return Err(FieldError::invalid("case").into());
    };
    if order.parameters.rings == 2 {
        let days = order.parameters.ring2.infectious_days;
        let days = i64::from(days.unwrap_or(rule.ring2.infectious_d));
        until = until
            .saturating_add((days + 11) * MAX_STAY_MS)
            .max(now.as_ms());
    }
    Ok(Bounds::new(from, until, now.as_ms()))
}

fn terms(rule: &RuleSet, min_minutes: Option<u32>) -> Terms {
    let ms = |minutes: u32| i64::from(minutes) * MINUTE_MS;
    Terms {
        need_ms: ms(min_minutes.unwrap_or_else(|| rule.min_minutes())),
        rows_ms: rule.contact.minutes.iter().map(|row| ms(row.min)).collect(),
        span_ms: span_ms(rule),
        group_is_contact: rule.contact.group_is_contact,
        weights: Weights {
            score: rule.score.clone(),
            zone: rule.local(),
        },
    }
}

fn span_ms(rule: &RuleSet) -> Option<i64> {
    match rule.contact.basis {
        Basis::Sliding24h => Some(24 * 60 * MINUTE_MS),
        Basis::PerStay => None,
    }
}

/// Find what the order names, inside the officer's jurisdiction.
async fn target(
    tx: &mut Tx,
    officer: &Account,
    order: &Order,
    site: Option<i64>,
    now: Timestamp,
    oldest_kept: i64,
) -> Result<Target> {
    let default = rules::find(rules::DEFAULT).ok_or(Kind::Internal)?;
    let mut target = Target {
        rule: default,
        wanted: Vec::new(),
        subjects: Vec::new(),
        warnings: Vec::new(),
    };
    if let (Some(site), Some(checkpoint)) = (site, &order.parameters.checkpoint) {
        let window = checkpoint
            .span()
            .ok_or_else(|| FieldError::invalid("checkpoint"))?;
        target.wanted.push(Wanted::Place { site, window });
        return Ok(target);
    }
    if order.parameters.cases.is_empty() {
        let persons = cases::pseudonyms(tx, order.persons.clone()).await?;
        let window = given_window(order, now)?.or_else(|| Span::new(oldest_kept, open_end(now)));
        target.add(None, &persons, window, Anchor::Flat)?;
        return Ok(target);
    }
    let mut sets: Vec<&'static RuleSet> = Vec::new();
    for id in &order.parameters.cases {
        let case = cases::find(tx, officer, *id).await?;
        let persons = cases::persons_of(tx, *id).await?;
        let window = match given_window(order, now)? {
            Some(given) => Some(given),
            None => Span::new(
                case.window_from,
                case.window_until.unwrap_or_else(|| open_end(now)),
            ),
        };
        let set = rules::find(&case.rule_id).unwrap_or(default);
        sets.push(set);
        target.add(Some(*id), &persons, window, anchor(&case))?;
    }
    if let Some(first) = sets.first() {
        target.rule = first;
        if sets.iter().any(|set| set.id != first.id) {
            target.warnings.push(warning(
                "mixed_rules",
                format!("Các ca bệnh có bộ quy tắc khác nhau; đã dùng {}.", first.id),
                format!("The cases have different rule sets; {} was used.", first.id),
            ));
        }
    }
    Ok(target)
}

/// The stays of the source `subject` that the file of `case` keeps.
async fn kept_stays(tx: &mut Tx, keys: &KeyRing, subject: i64, case: Uuid) -> Result<Vec<Found>> {
    let Some(file) = kept::file_of(tx, keys, case).await? else {
        return Ok(Vec::new());
    };
    let stays = file.stays(tx).await?.into_iter();
    Ok(stays.map(|stay| keep::found(subject, stay)).collect())
}

impl Target {
    /// The cases among the sources, each with its index.
    fn cases(&self) -> BTreeSet<(i64, Uuid)> {
        let rows = self.subjects.iter();
        rows.filter_map(|row| Some((row.subject, row.case_id?)))
            .collect()
    }

    fn add(
        &mut self,
        case: Option<Uuid>,
        persons: &[PersonId],
        window: Option<Span>,
        anchor: Anchor,
    ) -> Result<()> {
        let window = window.ok_or_else(|| FieldError::invalid("infectious"))?;
        let persons: Vec<Person> = persons.iter().map(|person| *person.as_bytes()).collect();
        let subject = i64::try_from(self.wanted.len()).unwrap_or(i64::MAX);
        self.subjects
            .extend(persons.iter().map(|person| SubjectRow {
                subject,
                case_id: case,
                person: *person,
                window,
            }));
        self.wanted.push(Wanted::Person(Source {
            persons,
            certain: vec![window],
            possible: vec![window],
            anchor,
            weight: 1_000,
        }));
        Ok(())
    }
}

/// The end of a window that nothing has ended: after the millisecond of the high-water mark.
const fn open_end(now: Timestamp) -> i64 {
    now.as_ms().saturating_add(1)
}

fn given_window(order: &Order, now: Timestamp) -> Result<Option<Span>> {
    let Some(given) = order.parameters.infectious else {
        return Ok(None);
    };
    let until = given.until.map_or_else(|| open_end(now), Timestamp::as_ms);
    Span::new(given.from.as_ms(), until)
        .map(Some)
        .ok_or_else(|| FieldError::invalid("infectious.from").into())
}

fn anchor(case: &Case) -> Anchor {
    case.onset_on
        .as_deref()
        .and_then(cases::window::parse_day)
        .map_or(Anchor::Flat, Anchor::Onset)
}

/// The contacts of the first ring as sources of the second, each in the window of their own; with
/// the pseudonym of each.
fn onward_sources(
    first: &[Candidate],
    ring: &Ring,
    rule: &RuleSet,
    order: &Order,
) -> (Vec<Wanted>, Vec<Person>) {
    let given = &order.parameters.ring2;
    let need = i64::from(given.min_minutes.unwrap_or(rule.ring2.min)) * MINUTE_MS;
    let latent = i64::from(given.latent_hours.unwrap_or(rule.ring2.latent_h)) * 60 * MINUTE_MS;
    let days = i64::from(given.infectious_days.unwrap_or(rule.ring2.infectious_d));
    let infectious = days * 24 * 60 * MINUTE_MS;
    let mut wanted = Vec::new();
    let mut via = Vec::new();
    for contact in first {
        let windows = |pieces: fn(&crate::exposures::fold::Shared) -> &[Span]| {
            let episodes: Vec<_> = contact
                .shared
                .iter()
                .flat_map(|with| reached(pieces(with), need, span_ms(rule)))
                .collect();
            onward(&episodes, latent, infectious)
        };
        let possible = windows(|with| &with.possible);
        if possible.is_empty() {
            continue;
        }
        let weight = (contact.score_ms.saturating_mul(1_000) / FULL_SCORE_MS).clamp(0, 1_000);
        wanted.push(Wanted::Person(Source {
            persons: ring.names.all(contact.person),
            certain: windows(|with| &with.certain),
            possible,
            anchor: Anchor::Flat,
            weight: u32::try_from(weight).unwrap_or(1_000),
        }));
        via.push(contact.person);
    }
    (wanted, via)
}

/// Find a run in the jurisdiction of `officer`.
///
/// # Errors
///
/// [`Kind::NotFound`] when there is none or it is another office's; those of the store.
pub async fn find(tx: &mut Tx, officer: &Account, id: Uuid) -> Result<Run> {
    record::find(tx, id)
        .await?
        .filter(|run| cases::is_in_jurisdiction(officer, run.province.as_deref()))
        .ok_or_else(|| Kind::NotFound.into())
}

/// Runs made for a case, the newest first, at most `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn of_case(tx: &mut Tx, case: Uuid, limit: i64) -> Result<Vec<Run>, Error> {
    record::of_case(tx, case, limit).await
}
