//! Files for spreadsheets: every CSV and XLSX that leaves the service is written here.
//!
//! A cell is a text or a number and knows it. In XLSX a text is written as a string cell, which no
//! spreadsheet takes for a formula. In CSV there are no types, so a text that would start a formula
//! gets a `'` before it, which the importer takes off again. A name is never refused for this: there
//! are people whose names begin with a hyphen.

use std::{borrow::Cow, io};

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use crate::base::{Failure, failure::Result, text::starts_formula};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text, whatever it looks like.
    Text(String),
    /// A number, shown with one digit after the point.
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

/// A CSV file that is being written, cell by cell.
#[derive(Debug)]
pub struct Csv<W: io::Write>(csv::Writer<W>);

impl<W: io::Write> Csv<W> {
    /// For spreadsheets: RFC 4180, with a byte order mark so that they see UTF-8.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    pub fn for_spreadsheets(mut to: W) -> io::Result<Self> {
        to.write_all("\u{feff}".as_bytes())?;
        let mut form = csv::WriterBuilder::new();
        form.terminator(csv::Terminator::CRLF);
        Ok(Self(form.from_writer(to)))
    }

    /// For our own importer: rows of any length, ended by a line feed.
    pub fn for_import(to: W) -> Self {
        Self(csv::WriterBuilder::new().flexible(true).from_writer(to))
    }

    /// Write a text. Bytes that are no UTF-8 stay as they are: no spreadsheet reads a formula there.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn text(&mut self, text: &[u8]) -> io::Result<()> {
        let cell = match std::str::from_utf8(text) {
            Ok(text) => Cow::Owned(guarded(text).into_owned().into_bytes()),
            Err(_) => Cow::Borrowed(text),
        };
        self.0.write_field(cell)?;
        Ok(())
    }

    /// Write a number.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn number(&mut self, number: f64) -> io::Result<()> {
        self.0.write_field(format!("{number:.1}"))?;
        Ok(())
    }

    /// End the row.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn end_row(&mut self) -> io::Result<()> {
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Write what is not on its way yet.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A text as it stands in a CSV cell: with `'` before it if it would start a formula.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if starts_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text behind a CSV cell: without the `'` that [`guarded`] put before it.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if starts_formula(text) => text,
        _ => cell,
    }
}

/// Comma-separated values for spreadsheets.
///
/// # Errors
///
/// None in practice: it writes to memory.
pub fn csv(header: &[&str], rows: &[Vec<Cell>]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_csv(&mut bytes, header, rows).map_err(Failure::internal)?;
    Ok(bytes)
}

fn write_csv(to: &mut Vec<u8>, header: &[&str], rows: &[Vec<Cell>]) -> io::Result<()> {
    let mut file = Csv::for_spreadsheets(to)?;
    for name in header {
        file.text(name.as_bytes())?;
    }
    file.end_row()?;
    for row in rows {
        for cell in row {
            match cell {
                Cell::Text(text) => file.text(text.as_bytes())?,
                Cell::Number(number) => file.number(*number)?,
            }
        }
        file.end_row()?;
    }
    file.finish()
}

/// A sheet of a workbook.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// Its name, at most 31 characters.
    pub name: &'a str,
    /// The names of its columns; empty for none.
    pub header: &'a [&'a str],
    /// Its rows, at most 1,048,575.
    pub rows: &'a [Vec<Cell>],
}

/// An XLSX workbook.
///
/// # Errors
///
/// When a list is longer than a sheet, or a text longer than a cell.
pub fn xlsx(sheets: &[Sheet<'_>]) -> Result<Vec<u8>> {
    let made = (|| {
        let mut book = Workbook::new();
        for sheet in sheets {
            fill(book.add_worksheet().set_name(sheet.name)?, sheet)?;
        }
        book.save_to_buffer()
    })();
    made.map_err(Failure::internal)
}

fn fill(to: &mut Worksheet, sheet: &Sheet<'_>) -> std::result::Result<(), XlsxError> {
    let mut first = 0;
    if !sheet.header.is_empty() {
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(sheet.header) {
            to.write_string_with_format(0, column, *name, &bold)?;
        }
        to.set_freeze_panes(1, 0)?;
        first = 1;
    }
    for (line, row) in (first..).zip(sheet.rows) {
        for (column, cell) in (0..).zip(row) {
            match cell {
                Cell::Text(text) => to.write_string(line, column, text)?,
                Cell::Number(number) => to.write_number(line, column, *number)?,
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

    /// Hostile texts, and names that people have.
    const TEXTS: [&str; 24] = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "＝1+1",
        "＠SUM(A1)",
        "＋1",
        "－1",
        "+84901234567",
        "-Anh",
        "-2+3",
        "Halle (Saale)",
        "O'Brien",
        "Đỗ Thị Ổi",
        "H'Hen Niê",
        "Y Wang Mlô Duôn Du",
        "a,b\"c\nd",
        "\t=1",
        "\r=1",
        "'quoted",
        "''=1",
        "1E5",
        "0901234567",
        "<b>&amp;</b>",
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

    fn check_csv(texts: &[String]) {
        let row: Vec<Cell> = texts.iter().map(|text| text.as_str().into()).collect();
        let header: Vec<&str> = texts.iter().map(|_| "h").collect();
        let bytes = csv(&header, &[row]).unwrap();
        let read = read_csv(&bytes);
        assert_eq!(read.len(), 2);
        for (cell, text) in read[1].iter().zip(texts) {
            let bare = cell.starts_with('\'') || !starts_formula(cell);
            assert!(bare, "{cell:?} starts a formula");
            assert_eq!(unguarded(cell), text);
        }
    }

    /// Every text comes back as a string cell, and no cell of the workbook is a formula.
    fn check_xlsx(texts: &[String]) {
        let cells = |text: &String| vec![text.as_str().into(), Cell::Number(1.5)];
        let rows: Vec<Vec<Cell>> = texts.iter().map(cells).collect();
        let sheets = [
            Sheet {
                name: "People",
                header: &["name", "n"],
                rows: &rows,
            },
            Sheet {
                name: "Run",
                header: &[],
                rows: &rows,
            },
        ];
        let bytes = xlsx(&sheets).unwrap();
        let mut book: Xlsx<_> = Xlsx::new(io::Cursor::new(bytes)).unwrap();
        for (name, first) in [("People", 1), ("Run", 0)] {
            let sheet = book.worksheet_range(name).unwrap();
            for (line, text) in (first..).zip(texts) {
                let cell = sheet.get_value((line, 0)).cloned().unwrap_or_default();
                let expected = match text.as_str() {
                    "" => Data::Empty,
                    text => Data::String(text.to_owned()),
                };
                assert_eq!(cell, expected);
                assert_eq!(sheet.get_value((line, 1)), Some(&Data::Float(1.5)));
            }
            let formulas = book.worksheet_formula(name).unwrap();
            assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()));
        }
    }

    #[test]
    fn hostile_and_real_names_survive_csv() {
        check_csv(&TEXTS.map(str::to_owned));
    }

    #[test]
    fn hostile_and_real_names_survive_xlsx() {
        check_xlsx(&TEXTS.map(|text| text.replace('\r', "")));
    }

    #[test]
    fn rows_for_the_importer_may_differ_in_length_and_hold_any_bytes() {
        let mut bytes = Vec::new();
        let mut file = Csv::for_import(&mut bytes);
        file.text(b"=1").unwrap();
        file.text(b"\xff=").unwrap();
        file.end_row().unwrap();
        file.text(b"one").unwrap();
        file.end_row().unwrap();
        file.finish().unwrap();
        assert_eq!(bytes, b"'=1,\xff=\none\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_cell_of_any_text_starts_a_formula(
            texts in prop::collection::vec("[=+@＝＋－＠\t'\"A-zà-ỹ ,-]{1,12}", 1..6)
        ) {
            check_csv(&texts);
        }

        #[test]
        fn no_text_becomes_a_formula_in_a_workbook(
            texts in prop::collection::vec("[=+@＝＋－＠'\"<&A-Zà-ỹ(),!|-][=+@'A-Za-zà-ỹ()0-9 ,-]{0,12}[A-Za-z)]", 1..6)
        ) {
            check_xlsx(&texts);
        }
    }
}
