//! What one transaction of the journal does.

use std::collections::{HashMap, HashSet};

use super::{
    Answer, Arrival, Db, DeclarationRow, Error, Key, Out, Outcome, Pass, PersonId, Risk, Row,
    Stored, Tx, Work, declarations, left_source, store,
};

/// Rows from which on copying is cheaper than inserting: it asks the server twice.
const COPY_FROM: usize = 8;

/// What each check-in is answered with.
pub(super) type Answers = HashMap<Key, Option<Answer>>;

/// Whether `works` are what nearly all are: check-ins of people who have declared before.
pub(super) fn is_plain(works: &[&Work]) -> bool {
    works
        .iter()
        .all(|work| matches!(work, Work::CheckIn(arrival) if arrival.declaration.is_none()))
}

/// Write the check-ins of `works`, which [`is_plain`], with one statement, and say whether some were
/// there already. They are copied, if they `may_copy`: then that takes a second statement.
pub(super) async fn plain(
    db: &Db,
    works: &[&Work],
    may_copy: bool,
) -> Result<(Vec<Outcome>, bool), Error> {
    let arrivals = first_of_each(works);
    let rows: Vec<&Row> = arrivals.iter().map(|arrival| &arrival.row).collect();
    let may_copy = may_copy && rows.len() >= COPY_FROM;
    let written = db.single(async |tx| {
        if may_copy && tx.copies_fast() {
            store::copy(tx, &rows).await?;
            Ok(rows.iter().map(|row| row.key()).collect())
        } else {
            store::insert(tx, &rows).await
        }
    });
    let fresh = match written.await {
        Err(Error::Conflict) => db.single(async |tx| store::insert(tx, &rows).await).await?,
        written => written?,
    };
    let (mut answers, repeated) = own_answers(&arrivals, &fresh);
    let is_repeated = !repeated.is_empty();
    if is_repeated {
        let stored = db.read(async |tx| store::stored(tx, &repeated).await);
        add_stored(&mut answers, stored.await?, &fresh);
    }
    Ok((outcomes(works, &answers, &HashSet::new()), is_repeated))
}

/// Write `works` and say for each what came of it. Check-ins go before check-outs, so that nobody
/// leaves before coming.
pub(super) async fn batch(tx: &mut Tx, works: &[&Work]) -> Result<Vec<Outcome>, Error> {
    let written = check_in(tx, &first_of_each(works)).await?;
    declare(tx, &declared(works)).await?;
    let found = store::leave(tx, &last_of_each(works), left_source::VISITOR).await?;
    Ok(outcomes(works, &written, &found))
}

/// What to answer, where `written` says what stands for each check-in and `found` which check-ins of
/// check-outs are there.
pub(super) fn outcomes(works: &[&Work], written: &Answers, found: &HashSet<Key>) -> Vec<Outcome> {
    let mut answered = HashSet::with_capacity(works.len());
    works
        .iter()
        .map(|work| match work {
            Work::Declare(..) | Work::Find(_) | Work::Settle => Outcome::Done,
            Work::CheckOut(out) => Outcome::CheckOut(found.contains(&out.key)),
            Work::CheckIn(arrival) => {
                let key = arrival.row.key();
                // Of two in one batch the first is the one that was stored.
                let first = answered.insert(key);
                let answer = written.get(&key).copied().flatten();
                Outcome::CheckIn(answer.map(|answer| Answer {
                    fresh: answer.fresh && first,
                    ..answer
                }))
            }
        })
        .collect()
}

/// The declarations that came alone.
pub(super) fn declared<'a>(works: &[&'a Work]) -> Vec<(&'a DeclarationRow, Pass)> {
    works
        .iter()
        .filter_map(|work| match work {
            Work::Declare(row, pass) => Some((&**row, *pass)),
            _ => None,
        })
        .collect()
}

/// The first check-in of each key, in the order of the keys.
pub(super) fn first_of_each<'a>(works: &[&'a Work]) -> Vec<&'a Arrival> {
    let mut first: HashMap<Key, &Arrival> = HashMap::with_capacity(works.len());
    for work in works {
        if let Work::CheckIn(arrival) = work {
            first.entry(arrival.row.key()).or_insert(arrival);
        }
    }
    let mut arrivals: Vec<&Arrival> = first.into_values().collect();
    arrivals.sort_unstable_by_key(|arrival| arrival.row.key());
    arrivals
}

/// Store what is not there yet, with its declarations, and say of each key what stands there.
async fn check_in(tx: &mut Tx, arrivals: &[&Arrival]) -> Result<Answers, Error> {
    let rows: Vec<&Row> = arrivals.iter().map(|arrival| &arrival.row).collect();
    let fresh = store::insert(tx, &rows).await?;
    let new: Vec<&Arrival> = arrivals
        .iter()
        .copied()
        .filter(|arrival| fresh.contains(&arrival.row.key()))
        .collect();
    // Somebody used one id at two checkpoints with two declarations: the first declaration stands,
    // so what is stored is asked for.
    let doubtful = insert_declarations(tx, &new).await?;
    let own = if doubtful { &HashSet::new() } else { &fresh };
    let (mut answers, unknown) = own_answers(arrivals, own);
    add_stored(&mut answers, store::stored(tx, &unknown).await?, &fresh);
    Ok(answers)
}

/// What `fresh` ones are answered with, and the keys of the others.
fn own_answers(arrivals: &[&Arrival], fresh: &HashSet<Key>) -> (Answers, Vec<Key>) {
    let mut answers = HashMap::with_capacity(arrivals.len());
    let mut others = Vec::new();
    for arrival in arrivals {
        let key = arrival.row.key();
        if fresh.contains(&key) {
            answers.insert(key, own(arrival));
        } else {
            others.push(key);
        }
    }
    (answers, others)
}

fn add_stored(answers: &mut Answers, stored: Vec<Stored>, fresh: &HashSet<Key>) {
    for stored in stored {
        let key = (stored.checkpoint_id, stored.id);
        answers.insert(key, answer(&stored, fresh.contains(&key)));
    }
}

/// Store the declarations of `new` check-ins, and say whether one of them was there before.
pub(super) async fn insert_declarations(tx: &mut Tx, new: &[&Arrival]) -> Result<bool, Error> {
    let mut declarations: Vec<&DeclarationRow> = new
        .iter()
        .filter_map(|arrival| arrival.declaration.as_ref())
        .collect();
    sort(&mut declarations);
    let added = declarations::store::insert(tx, &declarations).await?;
    let people = declarations.iter().map(|row| row.person);
    declarations::store::insert_aliases(tx, people).await?;
    Ok(usize::try_from(added).ok() != Some(declarations.len()))
}

/// One order for all writers.
fn sort(rows: &mut [&DeclarationRow]) {
    rows.sort_unstable_by_key(|row| (row.id, row.person.id));
}

fn own(arrival: &Arrival) -> Option<Answer> {
    Some(Answer {
        fresh: true,
        person: arrival.row.person,
        declaration_id: arrival.row.declaration_id?,
        risk: arrival.risk,
    })
}

/// What a stored check-in is answered with; `None` if it has no declaration that somebody made.
pub(crate) fn answer(stored: &Stored, fresh: bool) -> Option<Answer> {
    Some(Answer {
        fresh,
        person: PersonId::from_slice(&stored.person_id)?,
        declaration_id: stored.declaration_id?,
        risk: Risk::parse(stored.risk.as_deref()?)?,
    })
}

pub(super) async fn declare(
    tx: &mut Tx,
    declared: &[(&DeclarationRow, Pass)],
) -> Result<(), Error> {
    let mut rows: Vec<&DeclarationRow> = declared.iter().map(|(row, _)| *row).collect();
    sort(&mut rows);
    declarations::store::insert(tx, &rows).await?;
    let people = rows.iter().map(|row| row.person);
    declarations::store::insert_aliases(tx, people).await?;
    let passes: Vec<Pass> = declared.iter().map(|(_, pass)| *pass).collect();
    declarations::store::insert_passes(tx, &passes).await
}

/// Of two check-outs of one stay the later one counts.
pub(super) fn last_of_each(works: &[&Work]) -> Vec<Out> {
    let mut last: HashMap<Key, Out> = HashMap::new();
    for work in works {
        if let Work::CheckOut(out) = work {
            last.insert(out.key, *out);
        }
    }
    let mut outs: Vec<Out> = last.into_values().collect();
    outs.sort_unstable_by_key(|out| out.key);
    outs
}
