//! Lists of candidates as rows for a file, with what they were made from.

use uuid::Uuid;

use crate::{
    base::{
        Timestamp,
        failure::Result,
        sheet::{self, Cell, Sheet},
    },
    exposures::{
        people::{CANDIDATE, Item, minutes},
        run::Run,
    },
    identity::Phone,
    venues::Directory,
};

/// The columns of an exported list, in order.
pub const HEADER: [&str; 15] = [
    "run",
    "rule",
    "ring",
    "person",
    "full_name",
    "phone",
    "via",
    "checkpoint",
    "checkpoint_name",
    "from",
    "until",
    "certain_minutes",
    "possible_minutes",
    "score",
    "status",
];

/// Who took a list out of the service, and when.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The officer's account. Never a name: the file goes where nobody knows.
    pub officer: Uuid,
    /// When.
    pub at: Timestamp,
    /// The name of the file.
    pub file: String,
}

impl Taken {
    /// The officer takes `run` at this moment, as a file with this ending.
    #[must_use]
    pub fn new(run: &Run, officer: Uuid, at: Timestamp, ending: &str) -> Self {
        Self {
            officer,
            at,
            file: format!("exposures-{}-officer-{officer}.{ending}", run.id),
        }
    }
}

/// The rows of a list, one for each item.
#[must_use]
pub fn rows(run: &Run, items: &[Item], directory: &Directory) -> Vec<Vec<Cell>> {
    items
        .iter()
        .map(|item| {
            let entry = directory.by_id(item.checkpoint);
            let contact = item.contact.as_ref();
            let name = contact.and_then(|c| c.full_name.as_ref());
            let phone = contact.and_then(|c| c.phone.as_ref());
            vec![
                run.id.to_string().into(),
                run.rule_id.clone().into(),
                Cell::Text(item.ring.to_string()),
                item.reference.clone().into(),
                name.map_or("", |name| name.as_str()).into(),
                phone.map_or_else(String::new, Phone::national).into(),
                item.via.clone().unwrap_or_default().into(),
                entry
                    .as_ref()
                    .map_or_else(String::new, |entry| entry.checkpoint.code.to_string())
                    .into(),
                entry
                    .as_ref()
                    .map_or("", |entry| &entry.checkpoint.name)
                    .into(),
                Timestamp::from_ms(item.from).rfc3339().into(),
                Timestamp::from_ms(item.until).rfc3339().into(),
                Cell::Number(minutes(item.certain_ms)),
                Cell::Number(minutes(item.possible_ms)),
                Cell::Number(minutes(item.score_ms)),
                CANDIDATE.into(),
            ]
        })
        .collect()
}

/// The parameters of a run and who took it, which travel with the workbook.
fn about(run: &Run, taken: &Taken) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![name.into(), value.into()]);
    add("file", taken.file.clone());
    add("exported_by", taken.officer.to_string());
    add("exported_at", taken.at.rfc3339());
    add("run", run.id.to_string());
    add("made_by", run.officer_id.to_string());
    if let Some(approver) = run.approver_id {
        add("released_by", approver.to_string());
    }
    add("rule", run.rule_id.clone());
    add("rule_version", run.rule_version.to_string());
    add(
        "high_water_mark",
        Timestamp::from_ms(run.high_water_mark).rfc3339(),
    );
    add("created_at", run.created_at.rfc3339());
    add("document", run.document.clone());
    add("reason", run.reason.clone());
    add(
        "parameters",
        serde_json::to_string(&run.parameters).unwrap_or_default(),
    );
    add("ring1", run.ring1.to_string());
    add("ring2", run.ring2.to_string());
    for warning in &run.warnings {
        add("warning", format!("{} / {}", warning.vi, warning.en));
    }
    rows
}

/// A workbook: the list, and a sheet `Run` with what it was made from and who took it.
///
/// # Errors
///
/// When the list is longer than a sheet.
pub fn xlsx(run: &Run, taken: &Taken, rows: &[Vec<Cell>]) -> Result<Vec<u8>> {
    sheet::xlsx(&[
        Sheet {
            name: "Exposures",
            header: &HEADER,
            rows,
        },
        Sheet {
            name: "Run",
            header: &[],
            rows: &about(run, taken),
        },
    ])
}
