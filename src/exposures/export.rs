//! Files for spreadsheets, through one typed writer.
//!
//! A cell is a text or a number and knows it. In XLSX a text is written as a string cell, which no
//! spreadsheet takes for a formula. In CSV there are no types, so a text that would start a formula
//! gets a `'` before it, which the importer takes off again. A name is never refused for this: there
//! are people whose names begin with a hyphen.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::{
    base::{Failure, Timestamp, failure::Result, text::starts_formula},
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

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text, whatever it looks like.
    Text(String),
    /// A number.
    Number(f64),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
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

/// The parameters of a run, which travel with every export.
#[must_use]
pub fn about(run: &Run) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![name.into(), value.into()]);
    add("run", run.id.to_string());
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

/// Comma-separated values, RFC 4180, UTF-8 with a byte order mark.
///
/// # Errors
///
/// None in practice: it writes to memory.
pub fn csv(header: &[&str], rows: &[Vec<Cell>]) -> Result<Vec<u8>> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut bytes);
        writer.write_record(header).map_err(Failure::internal)?;
        for row in rows {
            let record = row.iter().map(|cell| match cell {
                Cell::Text(text) if starts_formula(text) => format!("'{text}"),
                Cell::Text(text) => text.clone(),
                Cell::Number(number) => format!("{number:.1}"),
            });
            writer.write_record(record).map_err(Failure::internal)?;
        }
        writer.flush().map_err(Failure::internal)?;
    }
    Ok(bytes)
}

/// An XLSX workbook: the list, and a sheet `Run` with what it was made from.
///
/// # Errors
///
/// When the list is longer than a sheet.
pub fn xlsx(header: &[&str], rows: &[Vec<Cell>], about: &[Vec<Cell>]) -> Result<Vec<u8>> {
    let made = (|| {
        let mut book = Workbook::new();
        let bold = Format::new().set_bold();
        let sheet = book.add_worksheet().set_name("Exposures")?;
        for (column, name) in (0..).zip(header) {
            sheet.write_string_with_format(0, column, *name, &bold)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        fill(sheet, 1, rows)?;
        fill(book.add_worksheet().set_name("Run")?, 0, about)?;
        book.save_to_buffer()
    })();
    made.map_err(Failure::internal)
}

fn fill(
    sheet: &mut rust_xlsxwriter::Worksheet,
    first: u32,
    rows: &[Vec<Cell>],
) -> Result<(), XlsxError> {
    for (line, row) in (first..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            match cell {
                Cell::Text(text) => sheet.write_string(line, column, text)?,
                Cell::Number(number) => sheet.write_number(line, column, *number)?,
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader, Xlsx};
    use proptest::prelude::*;

    const REAL: [&str; 12] = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "＝1+1",
        "＠SUM(A1)",
        "+84901234567",
        "-Anh",
        "Halle (Saale)",
        "O'Brien",
        "Đỗ Thị Ổi",
        "a,b\"c\nd",
        "\t=1",
        "'quoted",
        "",
    ];

    fn read_csv(bytes: &[u8]) -> Vec<Vec<String>> {
        let text = std::str::from_utf8(bytes).unwrap();
        let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
        csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes())
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    /// As our importer reads a cell.
    fn taken_off(cell: &str) -> &str {
        match cell.strip_prefix('\'') {
            Some(rest) if starts_formula(rest) => rest,
            _ => cell,
        }
    }

    fn check_csv(texts: &[String]) {
        let row: Vec<Cell> = texts.iter().map(|text| text.as_str().into()).collect();
        let header: Vec<&str> = texts.iter().map(|_| "h").collect();
        let bytes = csv(&header, &[row]).unwrap();
        let read = read_csv(&bytes);
        assert_eq!(read.len(), 2);
        for (cell, text) in read[1].iter().zip(texts) {
            let bare = cell.starts_with('\'') || !starts_formula(cell);
            assert!(bare, "{cell:?} starts a formula");
            assert_eq!(taken_off(cell), text);
        }
    }

    #[test]
    fn hostile_and_real_names_survive_csv() {
        check_csv(&REAL.map(str::to_owned));
    }

    #[test]
    fn no_cell_of_a_workbook_is_a_formula() {
        let rows: Vec<Vec<Cell>> = REAL
            .iter()
            .map(|text| vec![(*text).into(), Cell::Number(1.5)])
            .collect();
        let bytes = xlsx(&["name", "n"], &rows, &[vec!["run".into(), "=1".into()]]).unwrap();
        let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        let sheet = book.worksheet_range("Exposures").unwrap();
        for (line, text) in (1..).zip(REAL) {
            let cell = sheet.get_value((line, 0)).cloned().unwrap_or_default();
            let expected = if text.is_empty() {
                Data::Empty
            } else {
                Data::String(text.to_owned())
            };
            assert_eq!(cell, expected);
            assert_eq!(sheet.get_value((line, 1)), Some(&Data::Float(1.5)));
        }
        let formulas = book.worksheet_formula("Exposures").unwrap();
        assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()));
        let about = book.worksheet_range("Run").unwrap();
        assert_eq!(
            about.get_value((0, 1)),
            Some(&Data::String("=1".to_owned()))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_cell_of_any_text_starts_a_formula(
            texts in prop::collection::vec("[=+@＝＋－＠\t'\"A-zà-ỹ ,-]{1,12}", 1..6)
        ) {
            check_csv(&texts);
        }
    }
}
