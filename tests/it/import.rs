//! Importing check-ins from a file.

use std::{path::Path, sync::Arc};

use diem_kiem_dich::{
    base::{Timestamp, day::DAY_MS, ids},
    checkins::import::{self, Import, ImportError, Report, rejects_path},
    declarations::{open_contact, open_days},
    identity::PersonId,
    store,
};
use serde_json::Value;

use crate::{
    checkins::venue,
    kit::{On, Server},
    on_both,
};

on_both! {
    good_rows_are_kept_and_bad_ones_named,
    a_comma_too_many_loses_no_cell,
    long_stays_are_split,
    names_survive_the_way_through,
    files_that_are_none_are_refused,
}

const HEADER: &str = "checkpoint,entered_at,left_at,phone,full_name,id_number,seat\n";

async fn run(server: &Server, file: &Path) -> Result<Report, ImportError> {
    let app = &server.app;
    let import = Import {
        db: app.db.clone(),
        directory: Arc::clone(&app.directory),
        keys: Arc::clone(&app.keys),
        clock: app.clock.clone(),
        random: app.random.clone(),
        retention_days: app.settings.retention_days,
    };
    let mut done = 0;
    let report = import::check_ins(&import, file, |bytes| done = bytes).await?;
    assert_eq!(report.rows, report.kept + report.rejected);
    assert_eq!(report.stays, report.added + report.known);
    assert!(done <= std::fs::metadata(file).unwrap().len());
    Ok(report)
}

fn write(server: &Server, text: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = server.settings.data_dir.join("list.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn counts(report: Report) -> [u64; 5] {
    [
        report.rows,
        report.kept,
        report.rejected,
        report.added,
        report.known,
    ]
}

/// `hours` before the server's time.
fn ago(server: &Server, hours: i64) -> String {
    server.clock.now().plus_ms(-hours * 3_600_000).rfc3339()
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: uuid::Uuid,
    person_id: Vec<u8>,
    entered_at: i64,
    left_at: Option<i64>,
    left_source: Option<String>,
    source: String,
    assurance: String,
    headcount: i64,
    seat: Option<String>,
    declaration_id: Option<uuid::Uuid>,
}

async fn stored(server: &Server) -> Vec<Stored> {
    let rows: Result<Vec<Stored>, store::Error> = server
        .app
        .db
        .read(async |tx| {
            tx.query(
                "SELECT id, person_id, entered_at, left_at, left_source, source, assurance,
                        headcount, seat, declaration_id
                 FROM check_ins ORDER BY id",
            )
            .all()
            .await
        })
        .await;
    rows.unwrap()
}

fn code(checkpoint: &Value) -> &str {
    checkpoint["code"].as_str().unwrap()
}

async fn good_rows_are_kept_and_bad_ones_named(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let code = code(&checkpoint);
    let (t, later) = (ago(&server, 30), ago(&server, 29));
    let (old, future) = (ago(&server, 24 * 23), ago(&server, -1));
    let mut text = vec![0xEF, 0xBB, 0xBF];
    let lines = [
        HEADER.to_owned(),
        format!("{code},{t},{later},0901234567,Nguyễn Văn Mẫu,001090000000,12A\r\n"),
        format!("{},{t},,,,001090000001,\n", code.to_lowercase()),
        format!("{code},{t},,'+84901234569,\"Mẫu, Thị\",,\n"),
        format!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ,{t},,0901234567,A,,\n"),
        format!("{code},18/11/2026 08:30,,0901234567,A,,\n"),
        format!("{code},{t},{},0901234567,A,,\n", ago(&server, 31)),
        format!("{code},{old},,0901234567,A,,\n"),
        format!("{code},{future},,0901234567,A,,\n"),
        format!("{code},{t},,123,A,,\n"),
        format!("{code},{t},,,=A,,\n"),
        format!("{code},{t},,0901234567,A,12,\n"),
        format!("{code},{t},,0901234567,A\u{202e},,\n"),
        format!("{code},{t},0901234567\n"),
    ];
    text.extend(lines.concat().bytes());
    text.extend(format!("{code},{t},,0901234568,\u{ff}A,,\n").into_bytes());
    text.extend([b'x', 0xFF, b',']);
    text.extend(format!("{t},,0901234567,A,,\n").bytes());
    let file = write(&server, text);
    let report = run(&server, &file).await.unwrap();
    // ÿ is a letter like any other; the byte 0xFF is not UTF-8.
    assert_eq!(counts(report), [15, 4, 11, 4, 0]);
    let rejects = std::fs::read_to_string(rejects_path(&file));
    let rejects = rejects.unwrap_or_else(|_| {
        let raw = std::fs::read(rejects_path(&file)).unwrap();
        String::from_utf8_lossy(&raw).into_owned()
    });
    let rejected: Vec<&str> = rejects.lines().collect();
    assert_eq!(rejected[0], format!("{},line,reason", HEADER.trim_end()));
    assert_eq!(rejected.len(), 12);
    for (line, number, reason) in [
        (1, 5, "checkpoint: "),
        (2, 6, "entered_at: "),
        (3, 7, "left_at: "),
        (4, 8, "entered_at: "),
        (5, 9, "entered_at: "),
        (6, 10, "phone: "),
        (7, 11, "phone: "),
        (8, 12, "id_number: "),
        (9, 13, "full_name: "),
        (10, 14, "row: "),
        (11, 16, "row: "),
    ] {
        let place = format!(",{number},");
        let place = rejected[line].rfind(&place).map(|at| at + place.len());
        let given = &rejected[line][place.unwrap_or_else(|| panic!("{}", rejected[line]))..];
        assert!(given.trim_start_matches('"').starts_with(reason), "{given}");
    }
    assert!(
        rejected[7].contains(",'=A,"),
        "no formula in the file: {}",
        rejected[7]
    );
    let mode = std::fs::metadata(rejects_path(&file))
        .unwrap()
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    let again = run(&server, &file).await.unwrap();
    assert_eq!(counts(again), [15, 4, 11, 0, 4]);
    // A rejects file that was put right is a file like any other.
    let first_rejected = rejected[1].replace("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", code);
    let fixed = write(&server, format!("{}\n{first_rejected}\n", rejected[0]));
    // Somebody else with the same phone at the same minute, such as a child, is a stay of their own.
    assert_eq!(counts(run(&server, &fixed).await.unwrap()), [1, 1, 0, 1, 0]);
    assert_eq!(counts(run(&server, &fixed).await.unwrap()), [1, 1, 0, 0, 1]);
    assert!(!rejects_path(&fixed).exists(), "no rejects, no file");
    let rows = stored(&server).await;
    assert_eq!(rows.len(), 5);
    let seated = rows.iter().find(|row| row.seat.is_some()).unwrap();
    assert_eq!(seated.seat.as_deref(), Some("12A"));
    assert_eq!(seated.left_at, Some(seated.entered_at + 3_600_000));
    assert_eq!(seated.left_source.as_deref(), Some("i"));
    let open = rows.iter().filter(|row| row.left_at.is_none());
    assert_eq!(open.filter(|row| row.left_source.is_none()).count(), 4);
    for row in &rows {
        assert_eq!((row.source.as_str(), row.assurance.as_str()), ("i", "w"));
        assert_eq!(row.headcount, 1);
        assert_eq!(ids::time_of(row.id), Some(row.entered_at));
    }
}

async fn long_stays_are_split(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let code = code(&checkpoint);
    let (from, until) = (ago(&server, 60), ago(&server, 1));
    let file = write(
        &server,
        format!("{HEADER}{code},{from},{until},0901234567,A B,,\n"),
    );
    let report = run(&server, &file).await.unwrap();
    assert_eq!((report.rows, report.stays, report.added), (1, 3, 3));
    assert_eq!(run(&server, &file).await.unwrap().added, 0);
    let rows = stored(&server).await;
    let begin = Timestamp::parse(&from).unwrap().as_ms();
    let end = Timestamp::parse(&until).unwrap().as_ms();
    let spans: Vec<_> = rows
        .iter()
        .map(|row| (row.entered_at, row.left_at.unwrap()))
        .collect();
    assert_eq!(
        spans,
        [
            (begin, begin + DAY_MS),
            (begin + DAY_MS, begin + 2 * DAY_MS),
            (begin + 2 * DAY_MS, end)
        ]
    );
    assert!(rows.iter().all(|row| row.person_id == rows[0].person_id));
}

async fn names_survive_the_way_through(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let names = [
        "Halle (Saale)",
        "O'Brien",
        "Đỗ Thị Ổi",
        "'=HYPERLINK(1)",
        "-Anh",
    ];
    let mut text = HEADER.to_owned();
    for (n, name) in names.iter().enumerate() {
        let at = ago(&server, 20 - i64::try_from(n).unwrap());
        text.push_str(&format!(
            "{},{at},,090123456{n},{name},,\n",
            code(&checkpoint)
        ));
    }
    let report = run(&server, &write(&server, text)).await.unwrap();
    assert_eq!(report.added, 5);
    let app = &server.app;
    let rows = stored(&server).await;
    let ids = rows.iter().filter_map(|row| row.declaration_id);
    open_days(&app.keys, &app.db, ids).await.unwrap();
    let mut found = Vec::new();
    for row in &rows {
        let person = PersonId::from_slice(&row.person_id).unwrap();
        let id = row.declaration_id.unwrap();
        let contact: Result<_, diem_kiem_dich::base::Failure> = app
            .db
            .read(async |tx| open_contact(&app.keys, tx, person, id).await)
            .await;
        let contact = contact.unwrap().unwrap();
        found.push((
            contact.full_name.unwrap().as_str().to_owned(),
            contact.phone.unwrap().national(),
        ));
    }
    let expected = [
        "Halle (Saale)",
        "O'Brien",
        "Đỗ Thị Ổi",
        "=HYPERLINK(1)",
        "-Anh",
    ];
    for (n, name) in expected.into_iter().enumerate() {
        assert_eq!(found[n], (name.to_owned(), format!("090123456{n}")));
    }
}

async fn files_that_are_none_are_refused(on: On) {
    let server = Server::start(on).await;
    for text in [
        "",
        "checkpoint,entered_at\n",
        "checkpoint,entered_at,left_at,phone,full_name,id_number,Seat\n",
    ] {
        let refused = run(&server, &write(&server, text)).await.unwrap_err();
        assert!(matches!(refused, ImportError::Header), "{refused}");
    }
    let missing = run(&server, &server.settings.data_dir.join("none.csv"))
        .await
        .unwrap_err();
    assert!(matches!(missing, ImportError::File(..)));
    let empty = run(&server, &write(&server, HEADER)).await.unwrap();
    assert_eq!(empty, Report::default());
}

async fn a_comma_too_many_loses_no_cell(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let (code, t) = (code(&checkpoint), ago(&server, 30));
    let row = format!("{code},{t},,0901234567,Mẫu, Thị,001090000000,12A");
    let file = write(&server, format!("{HEADER}{row}\n"));
    assert_eq!(counts(run(&server, &file).await.unwrap()), [1, 0, 1, 0, 0]);
    let rejects = std::fs::read_to_string(rejects_path(&file)).unwrap();
    assert!(rejects.contains(&row), "{rejects}");
}
