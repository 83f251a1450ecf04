//! The file by itself, without a store.

use uuid::Uuid;

use super::{
    Trouble,
    format::{Header, HeaderTable, Keys, MAGIC},
    read::{Next, Reader},
    write::Writer,
};
use crate::{
    base::{Random, Timestamp},
    privacy::{Key, Master, hex},
    store::Cell,
};

fn written() -> (Vec<u8>, Master, Key) {
    let random = Random::seeded(1);
    let (master, backup_key) = (Master::new(&random), Key::new(&random));
    let (keys, staying_key, passing_key) = Keys::new(&master, &backup_key, 7, &random);
    let table = |name: &str, passes, columns: &[(&str, char)]| HeaderTable {
        name: name.to_owned(),
        passes,
        columns: columns.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect(),
    };
    let header = Header {
        program: "test".to_owned(),
        made_at: 7,
        made_on: 0,
        engine: "sqlite".to_owned(),
        master: hex(&master.fingerprint()).to_string(),
        staying_key,
        passing_key,
        tables: vec![
            table("a", false, &[("n", 'i'), ("t", 't'), ("z", 'z')]),
            table("b", true, &[("u", 'u'), ("x", 'x'), ("b", 'b')]),
        ],
    };
    let mut writer = Writer::new(Vec::new(), header, keys, &random).unwrap();
    for n in 0..20_000 {
        let at = Timestamp::from_micros(n);
        let row = [Cell::Int(n), Cell::Text("Đỗ".into()), Cell::Time(at)];
        writer.row(0, &row).unwrap();
    }
    writer
        .row(0, &[Cell::Null, Cell::Null, Cell::Null])
        .unwrap();
    let id = Cell::Uuid(Uuid::from_u128(5));
    let row = [id, Cell::Bytes(b"canary".to_vec()), Cell::Bool(true)];
    writer.row(1, &row).unwrap();
    let (bytes, rows) = writer.finish().unwrap();
    assert_eq!(rows, [20_001, 1]);
    (bytes, master, backup_key)
}

/// The rows of each table that open, or why the file does not.
fn read(bytes: &[u8], master: &Master, backup_key: Option<&Key>) -> Result<Vec<usize>, Trouble> {
    let mut reader = Reader::new(bytes)?;
    let masters = std::slice::from_ref(master);
    let keys = Keys::open(&reader.header, masters, backup_key)?;
    let mut seen = vec![0; 2];
    loop {
        match reader.next(&keys)? {
            Next::Chunk(chunk) => seen[chunk.table] += chunk.rows.len(),
            Next::Shut => {}
            Next::End(_) => return Ok(seen),
        }
    }
}

#[test]
fn what_is_written_is_read_and_what_passes_needs_its_key() {
    let (bytes, master, backup_key) = written();
    assert_eq!(
        read(&bytes, &master, Some(&backup_key)).unwrap(),
        [20_001, 1]
    );
    assert_eq!(read(&bytes, &master, None).unwrap(), [20_001, 0]);
    let other = Key::new(&Random::seeded(9));
    assert_eq!(read(&bytes, &master, Some(&other)).unwrap(), [20_001, 0]);
    let other = Master::new(&Random::seeded(9));
    let refused = read(&bytes, &other, Some(&backup_key));
    assert!(matches!(refused, Err(Trouble::WrongMaster)));
    assert!(!bytes.windows(6).any(|six| six == b"canary"));
}

#[test]
fn a_cut_or_changed_file_is_refused() {
    let (bytes, master, key) = written();
    for cut in [0, 10, 100, 2_000, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            read(&bytes[..cut], &master, Some(&key)).is_err(),
            "cut at {cut}"
        );
    }
    for at in (0..bytes.len()).step_by(bytes.len() / 47) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            read(&changed, &master, Some(&key)).is_err(),
            "changed at {at}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(read(&longer, &master, Some(&key)).is_err());
}

#[test]
fn a_chunk_that_is_left_out_or_moved_is_found() {
    let (bytes, master, key) = written();
    let (mut at, mut chunks) = (MAGIC.len(), Vec::new());
    let long = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    at += 4 + long(at);
    let head = at;
    while at < bytes.len() {
        let end = at + 5 + long(at + 1);
        chunks.push(&bytes[at..end]);
        at = end;
    }
    assert!(chunks.len() >= 4, "{}", chunks.len());
    let file = |chunks: &[&[u8]]| [&bytes[..head], &chunks.concat()].concat();
    assert!(read(&file(&chunks), &master, Some(&key)).is_ok());
    let mut swapped = chunks.clone();
    swapped.swap(0, 1);
    assert!(read(&file(&swapped), &master, Some(&key)).is_err());
    for gone in 0..chunks.len() {
        let mut fewer = chunks.clone();
        fewer.remove(gone);
        assert!(read(&file(&fewer), &master, Some(&key)).is_err(), "{gone}");
        // Nor where what passes is shut and is not looked into.
        assert!(read(&file(&fewer), &master, None).is_err(), "{gone}");
    }
}
