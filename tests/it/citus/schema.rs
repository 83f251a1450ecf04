//! What the schema may not have for Citus to spread the two tables, read from PostgreSQL's catalogue
//! and not from the migrations, so that it holds for whatever the layout becomes.

use diem_kiem_dich::store::{DISTRIBUTED, Db, Error, Tx};

use crate::kit::{self, On};

/// The table with its partitions; a table without any is not in its own tree.
const TREE: &str = "(SELECT p.relid, p.level, p.isleaf FROM pg_partition_tree($1::text::regclass) p
    UNION SELECT $1::text::regclass, 0, FALSE)";

/// What each question finds is an offence: `$1` is a table, `$2` its distribution column.
const QUESTIONS: [(&str, &str); 11] = [
    (
        "a unique key without the distribution column",
        "SELECT i.indexrelid::regclass::text
         FROM {tree} t JOIN pg_index i ON i.indrelid = t.relid
         WHERE (i.indisunique OR i.indisexclusion) AND NOT EXISTS
               (SELECT 1 FROM pg_attribute a
                 WHERE a.attrelid = i.indrelid AND a.attname = $2::text
                   AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))",
    ),
    (
        "a foreign key from or to it",
        "SELECT f.conname::text FROM pg_constraint f
         WHERE f.contype = 'f' AND $2::text <> '' AND EXISTS
               (SELECT 1 FROM {tree} t
                 WHERE t.relid IN (f.conrelid, f.confrelid))",
    ),
    (
        "a trigger",
        "SELECT g.tgname::text FROM pg_trigger g
         JOIN {tree} t ON t.relid = g.tgrelid
         WHERE NOT g.tgisinternal AND $2::text <> ''",
    ),
    (
        "a distribution column that may be null or has no hash",
        "SELECT a.attname::text FROM pg_attribute a
         WHERE a.attrelid = $1::text::regclass AND a.attname = $2::text
           AND NOT (a.attnotnull AND EXISTS
               (SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
                 WHERE m.amname = 'hash' AND o.opcdefault AND o.opcintype = a.atttypid))",
    ),
    (
        "a missing distribution column",
        "SELECT $2::text WHERE NOT EXISTS
             (SELECT 1 FROM pg_attribute a
               WHERE a.attrelid = $1::text::regclass AND a.attname = $2::text)",
    ),
    (
        "a value that a node would make for itself",
        "SELECT a.attname::text FROM pg_attribute a
         WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND $2::text <> ''
           AND (a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '')",
    ),
    (
        "partitions below partitions",
        "SELECT t.relid::regclass::text FROM {tree} t
         WHERE $2::text <> '' AND t.level > 0 AND (t.level > 1 OR NOT t.isleaf)",
    ),
    (
        "partitions by anything but ranges of plain columns",
        "SELECT p.partrelid::regclass::text FROM pg_partitioned_table p
         WHERE p.partrelid = $1::text::regclass AND $2::text <> ''
           AND (p.partstrat <> 'r' OR 0 = ANY (p.partattrs::int2[]))",
    ),
    (
        "rows that only some may see, or rules",
        "SELECT c.relname::text FROM {tree} t
         JOIN pg_class c ON c.oid = t.relid
         WHERE $2::text <> '' AND (c.relrowsecurity OR c.relhasrules)",
    ),
    (
        "a table that a crash empties",
        "SELECT c.relname::text FROM {tree} t
         JOIN pg_class c ON c.oid = t.relid WHERE $2::text <> '' AND c.relpersistence <> 'p'",
    ),
    (
        // A shard's name is the table's with an underscore and up to ten digits.
        "a name that is cut when a shard's number is added",
        "SELECT c.relname::text FROM {tree} t
         JOIN pg_class c ON c.oid = t.relid
              OR c.oid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = t.relid)
         WHERE $2::text <> '' AND length(c.relname) + 11 > 63",
    ),
];

async fn offences(tx: &mut Tx, table: &str, column: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for (offence, question) in QUESTIONS {
        let question: &'static str = Box::leak(question.replace("{tree}", TREE).into_boxed_str());
        let rows: Vec<(String,)> = tx
            .query(question)
            .bind(table.to_owned())
            .bind(column.to_owned())
            .all()
            .await?;
        found.extend(rows.into_iter().map(|(what,)| format!("{offence}: {what}")));
    }
    Ok(found)
}

async fn of(db: &Db, table: &str, column: &str) -> Vec<String> {
    db.read(async |tx| offences(tx, table, column).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_schema_can_be_distributed() {
    let (app, _, _dir) = kit::app(On::Postgres).await;
    for (table, column) in DISTRIBUTED {
        assert_eq!(of(&app.db, table, column).await, [""; 0], "{table}");
    }
    // What has a trigger must stay on the coordinator, and does.
    assert!(!of(&app.db, "audit_log", "seq").await.is_empty());
}

/// The test above can fail: a table with everything wrong.
#[tokio::test]
async fn offences_are_found() {
    let (app, _, _dir) = kit::app(On::Postgres).await;
    let long = "bad_with_a_name_of_more_letters_than_a_shard_may_have";
    let found = app
        .db
        .append(async |tx| {
            for text in [
                "CREATE TABLE bad (k JSONB, id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
                    owner UUID REFERENCES accounts (id)) PARTITION BY RANGE (id)",
                "CREATE TABLE bad_1 PARTITION OF bad DEFAULT PARTITION BY HASH (id)",
                "CREATE UNLOGGED TABLE bad_with_a_name_of_more_letters_than_a_shard_may_have
                    PARTITION OF bad_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
                "ALTER TABLE bad ENABLE ROW LEVEL SECURITY",
                "CREATE TRIGGER bad_keep BEFORE TRUNCATE ON bad
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()",
                "CREATE TABLE odd (k BIGINT NOT NULL, id UUID NOT NULL) PARTITION BY LIST (id)",
            ] {
                tx.query(text).execute().await?;
            }
            let mut found = offences(tx, "bad", "k").await?;
            found.extend(offences(tx, "odd", "nothing").await?);
            Ok::<_, Error>(found)
        })
        .await
        .unwrap();
    for (offence, _) in QUESTIONS {
        let named = |found: &&String| found.starts_with(offence);
        assert!(
            found.iter().any(|found| named(&found)),
            "{offence}: {found:?}"
        );
    }
    assert!(found.iter().any(|found| found.ends_with(long)));
}

/// What makes and drops the partitions says nothing that Citus refuses for a distributed table.
#[test]
fn partitions_are_made_and_dropped_plainly() {
    let file = format!("{}/src/store/partitions.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(file).unwrap();
    assert!(source.contains("PARTITION OF"));
    for refused in ["CONCURRENTLY", "DETACH", "INHERITS", "SPLIT PARTITION"] {
        assert!(!source.contains(refused), "{refused}");
    }
}
