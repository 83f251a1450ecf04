//! What Citus 12 refuses, or would do by pulling a whole table to one node, stands in no SQL text.

use diem_kiem_dich::store::DISTRIBUTED;

use super::sql::{Block, Source};
use crate::store::texts;

/// Texts that never run on PostgreSQL, by how they begin: there a day goes with its partition.
const SQLITE_ALONE: [&str; 2] = [
    "DELETE FROM check_ins WHERE checkpoint_id = $1 AND id IN",
    "DELETE FROM declarations WHERE (id, person_id) IN",
];

#[test]
fn every_text_is_one_that_citus_runs() {
    let mut seen = 0;
    let mut faulty = Vec::new();
    for (text, _) in texts::all() {
        if SQLITE_ALONE.iter().any(|start| text.starts_with(start)) {
            continue;
        }
        if uses(&Block::read(&text)).is_empty() {
            continue;
        }
        seen += 1;
        faulty.extend(
            faults(&text)
                .into_iter()
                .map(|fault| format!("{fault}: {text}")),
        );
    }
    assert!(seen >= 12, "only {seen} texts use a distributed table");
    assert!(faulty.is_empty(), "{}", faulty.join("\n\n"));
}

/// The distribution column of a table that is distributed.
fn column_of(table: &str) -> Option<&'static str> {
    DISTRIBUTED
        .iter()
        .find(|(name, _)| *name == table)
        .map(|(_, column)| *column)
}

/// The distributed tables of a block, each as often as it is named.
fn own(block: &Block) -> Vec<&str> {
    let read = block.from.iter().filter_map(|source| match source {
        Source::Table(table) => Some(table.as_str()),
        _ => None,
    });
    let named = block.target.as_deref().into_iter().chain(read);
    named.filter(|table| column_of(table).is_some()).collect()
}

/// The distributed tables of a whole text.
fn uses(text: &Block) -> Vec<&str> {
    text.all().into_iter().flat_map(own).collect()
}

/// Why Citus would not run `text` well. Empty for texts without a distributed table.
fn faults(text: &str) -> Vec<&'static str> {
    let whole = Block::read(text);
    let used = uses(&whole);
    let Some(first) = used.first() else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    // Joins between distributed tables must be on their distribution columns, and ours differ.
    if used.iter().any(|table| table != first) {
        faults.push("two distributed tables");
    } else if used.len() > 1 {
        // A table with itself only where every mention is of one shard.
        let column = column_of(first).unwrap();
        let alone = |block: &&Block| own(block).is_empty() || block.fixes(column);
        if own(&whole).len() > 1 || !whole.all().iter().all(alone) {
            faults.push("a distributed table twice, on several shards");
        }
    }
    for block in whole.all() {
        faults.extend(of_block(block));
    }
    faults
}

fn of_block(block: &Block) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let own = own(block);
    let mentioned = !own.is_empty();
    let column = own.first().and_then(|table| column_of(table));
    let one_shard = column.is_some_and(|column| block.fixes(column));
    let says = |phrase: &str| block.says(phrase);
    let inserting = says("insert into");
    let beside: Vec<&Source> = block
        .from
        .iter()
        .filter(|source| !matches!(source, Source::Table(table) if column_of(table).is_some()))
        .collect();
    let local = |source: &&Source| match source {
        Source::Table(table) => !table.starts_with("tr_"),
        _ => false,
    };
    // A local table beside a distributed one is copied to every node: only our staging tables are
    // small by design.
    if mentioned && beside.iter().any(local) {
        faults.push("a table of the coordinator beside a distributed one");
    }
    // Beside a table, Citus wraps a function of several columns and takes the type of the first for
    // all of them (`TransformFunctionRTE` in its recursive_planning.c): alone in a sub-query it is
    // left as it is.
    let wide = |source: &&&Source| matches!(source, Source::Function(_, n) if *n > 1);
    let alone = block.from.len() == 1 && (block.target.is_none() || inserting);
    if !alone && beside.iter().any(|source| wide(&source)) {
        faults.push("a function of several columns beside a table");
    }
    // The inner side of `recurring LEFT JOIN distributed` is pulled whole to the coordinator.
    let outer = [
        "left join",
        "right join",
        "full join",
        "left outer",
        "full outer",
    ];
    if mentioned && outer.into_iter().any(says) {
        faults.push("an outer join");
    }
    if mentioned && !one_shard {
        let refused = [
            ("for update", "FOR UPDATE over several shards"),
            ("for share", "FOR SHARE over several shards"),
            ("for no key", "FOR NO KEY UPDATE over several shards"),
            ("tablesample", "TABLESAMPLE over several shards"),
            ("with recursive", "a recursive CTE over several shards"),
            ("grouping sets", "grouping sets over several shards"),
            ("rollup", "grouping sets over several shards"),
            ("cube", "grouping sets over several shards"),
            ("distinct on", "DISTINCT ON over several shards"),
            ("over", "a window function over several shards"),
            ("lateral", "a lateral join over several shards"),
            ("intersect", "a set operation over several shards"),
            ("except", "a set operation over several shards"),
        ];
        faults.extend(
            refused
                .iter()
                .filter(|(p, _)| says(p))
                .map(|(_, fault)| *fault),
        );
    }
    let volatile = [
        "random",
        "now",
        "clock_timestamp",
        "gen_random_uuid",
        "nextval",
        "setval",
    ];
    if mentioned && volatile.iter().any(|name| says(&format!("{name} ()"))) {
        faults.push("a function whose value each node would make for itself");
    }
    if let Some(column) = block.target.as_deref().and_then(column_of) {
        faults.extend(of_write(block, column, inserting));
    }
    faults
}

/// What is wrong with a statement that writes a distributed table.
fn of_write(block: &Block, column: &str, inserting: bool) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let has = |names: &[String]| names.iter().any(|name| name == column);
    if inserting && !has(&block.columns) {
        faults.push("an INSERT without the distribution column");
    }
    if block.says("on conflict") && !block.conflict.as_ref().is_some_and(|names| has(names)) {
        faults.push("ON CONFLICT without the distribution column");
    }
    if block.says("set") {
        let set = block.words.iter().skip_while(|word| *word != "set");
        let set: Vec<&String> = set
            .take_while(|word| *word != "where" && *word != "from")
            .collect();
        let changes = |name: &str| set.windows(2).any(|pair| pair[0] == name && pair[1] == "=");
        // The id is the key of the partitions.
        if changes(column) || changes("id") {
            faults.push("a row that would move to another shard or partition");
        }
    }
    if block.says("truncate") || block.says("lock table") {
        faults.push("a lock on all shards");
    }
    faults
}

/// The test above can fail: each of these has one fault.
#[test]
fn faults_are_found() {
    for (text, fault) in [
        (
            "SELECT 1 FROM check_ins c JOIN declarations d ON d.person_id = c.person_id",
            "two distributed tables",
        ),
        (
            "SELECT c.id, (SELECT d.risk FROM declarations d WHERE d.id = $1) FROM check_ins c",
            "two distributed tables",
        ),
        (
            "SELECT a.id FROM check_ins a JOIN check_ins b ON b.person_id = a.person_id",
            "a distributed table twice, on several shards",
        ),
        (
            "SELECT c.id FROM check_ins c JOIN checkpoints p ON p.id = c.checkpoint_id",
            "a table of the coordinator beside a distributed one",
        ),
        (
            "SELECT c.id FROM UNNEST($1::bigint[], $2::uuid[]) AS k (checkpoint_id, id)
             JOIN check_ins c ON c.checkpoint_id = k.checkpoint_id AND c.id = k.id",
            "a function of several columns beside a table",
        ),
        (
            "UPDATE check_ins AS c SET left_at = u.left_at
             FROM UNNEST($1::bigint[], $2::bigint[]) AS u (checkpoint_id, left_at)
             WHERE c.checkpoint_id = u.checkpoint_id",
            "a function of several columns beside a table",
        ),
        (
            "SELECT p.probe FROM tr_probe p LEFT JOIN check_ins c ON c.checkpoint_id = p.checkpoint_id",
            "an outer join",
        ),
        (
            "SELECT c.id FROM check_ins c WHERE c.person_id = $1 FOR UPDATE",
            "FOR UPDATE over several shards",
        ),
        (
            "SELECT DISTINCT ON (c.person_id) c.id FROM check_ins c",
            "DISTINCT ON over several shards",
        ),
        (
            "SELECT c.id, row_number() OVER (ORDER BY c.id) FROM check_ins c",
            "a window function over several shards",
        ),
        (
            "UPDATE check_ins SET received_at = random() WHERE checkpoint_id = $1",
            "a function whose value each node would make for itself",
        ),
        (
            "INSERT INTO check_ins (id, person_id) VALUES ($1, $2)",
            "an INSERT without the distribution column",
        ),
        (
            "INSERT INTO declarations (person_id, id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            "ON CONFLICT without the distribution column",
        ),
        (
            "INSERT INTO declarations (person_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "ON CONFLICT without the distribution column",
        ),
        (
            "UPDATE check_ins SET checkpoint_id = $1 WHERE checkpoint_id = $2",
            "a row that would move to another shard or partition",
        ),
    ] {
        assert_eq!(faults(text), [fault], "{text}");
    }
    for sound in [
        "SELECT c.id FROM (SELECT u.a, u.b FROM UNNEST($1::bigint[], $2::uuid[]) AS u (a, b)) AS k
         JOIN check_ins c ON c.checkpoint_id = k.a AND c.id = k.b",
        "INSERT INTO check_ins (checkpoint_id, id) SELECT u.a, u.b
         FROM UNNEST($1::bigint[], $2::uuid[]) AS u (a, b)
         ON CONFLICT (checkpoint_id, id) DO NOTHING RETURNING checkpoint_id, id",
        "SELECT p.probe, c.id FROM tr_probe p CROSS JOIN check_ins c WHERE c.checkpoint_id = p.checkpoint_id",
        "SELECT id FROM check_ins WHERE checkpoint_id = $1 FOR UPDATE",
        "SELECT c.id FROM checkpoints c LEFT JOIN venues v ON v.id = c.venue_id FOR UPDATE",
    ] {
        assert!(faults(sound).is_empty(), "{sound}: {:?}", faults(sound));
    }
}
