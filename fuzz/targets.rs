//! What a stranger's bytes reach first: every parser, as one function that takes any bytes and says by
//! a panic that something is wrong.
//!
//! libFuzzer runs them for hours (`fuzz/fuzz_targets`), and `tests/it/fuzz.rs` runs the same functions
//! over the seeds and their mutations in every test run.

use std::sync::{Arc, LazyLock};

use diem_kiem_dich::{
    base::{
        Clock, Code, Random, Timestamp,
        sheet::{guarded, unguarded},
        text::{nfc_clean, starts_formula},
    },
    cases::CaseDraft,
    checkins::{
        NewCheckIn, NewCheckOut,
        import::{self, Import},
    },
    config::{Overrides, Settings},
    declarations::token::Tokens,
    exposures::LookupDraft,
    http::{App, body::read_json},
    identity::{FullName, IdNumber, Phone, Plate, Pseudonymizer, holds_number},
    privacy::{Key, jwt::Signer},
    regions::Regions,
    venues::{NewVenue, OpeningHours},
    web::page::Form,
};

/// A parser and its name, which is that of its seeds' folder too.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("bodies", bodies),
    ("check_in", check_in),
    ("code", code),
    ("form", form),
    ("id_number", id_number),
    ("import", import_rows),
    ("name", name),
    ("phone", phone),
    ("plate", plate),
    ("time", time),
    ("token", token),
];

/// The moment at which everything happens: 2026-11-18 01:30 UTC.
const NOW: Timestamp = Timestamp::from_ms(1_794_965_400_000);

static REGIONS: LazyLock<Regions> = LazyLock::new(|| Regions::load().unwrap());

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The code of a poster, as it is typed.
pub fn code(data: &[u8]) {
    let Some(Ok(code)) = text(data).map(str::parse::<Code>) else {
        return;
    };
    assert_eq!(code.to_string().parse(), Ok(code));
    assert_eq!(code.grouped().parse(), Ok(code));
}

/// A phone number: what is understood is understood again in each of its forms.
pub fn phone(data: &[u8]) {
    let Some(text) = text(data) else { return };
    // Numbers in free text are found, or not; never with a panic.
    let _ = holds_number(text);
    let Ok(phone) = Phone::parse(text) else {
        return;
    };
    assert_eq!(Phone::parse(phone.e164()).as_ref(), Ok(&phone));
    assert!(phone.masked() != phone.national());
    if phone.is_vietnamese() {
        assert_eq!(Phone::parse(&phone.national()).as_ref(), Ok(&phone));
        assert!(holds_number(&phone.national()));
    }
}

/// The number of an identity, insurance or travel paper.
pub fn id_number(data: &[u8]) {
    let Some(Ok(number)) = text(data).map(IdNumber::parse) else {
        return;
    };
    assert_eq!(IdNumber::parse(number.as_str()).as_ref(), Ok(&number));
    assert!(!number.masked().contains(number.as_str()));
    let _ = number.warnings(None, Some(1990));
}

/// A number plate.
pub fn plate(data: &[u8]) {
    let Some(Ok(plate)) = text(data).map(Plate::parse) else {
        return;
    };
    assert_eq!(Plate::parse(plate.as_str()).as_ref(), Ok(&plate));
}

/// A name, through cleaning, masking and a cell of a CSV file.
pub fn name(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let cell = guarded(text);
    assert!(cell.starts_with('\'') || !starts_formula(&cell));
    assert_eq!(unguarded(&cell), text);
    if let Ok(clean) = nfc_clean(text, 500) {
        assert_eq!(nfc_clean(&clean, 500).as_ref(), Ok(&clean));
    }
    if let Ok(name) = FullName::parse(text) {
        assert_eq!(FullName::parse(name.as_str()).as_ref(), Ok(&name));
        let _ = (name.masked(), name.initials(), name.sort_key());
    }
}

/// A moment, and opening hours.
pub fn time(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(at) = Timestamp::parse(text) {
        let again = Timestamp::parse(&at.rfc3339()).unwrap();
        assert_eq!(again.as_ms(), at.as_ms());
    }
    if let Some(hours) = OpeningHours::from_json(text) {
        let _ = hours.closes_after(NOW);
        assert_eq!(OpeningHours::from_json(&hours.to_json()), Some(hours));
    }
}

/// A declaration's token and an access token: nobody else's are ours.
pub fn token(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let key = Key::from_bytes([7; 32]);
    let tokens = Tokens::new(&key);
    if let Some(claim) = tokens.read(text, NOW) {
        assert_eq!(tokens.sign(claim), text);
    }
    let signer = Signer::new("access", &key);
    assert!(signer.read::<serde_json::Value>(text, NOW).is_none());
}

/// The body of a form.
pub fn form(data: &[u8]) {
    let Ok(form) = Form::read(data) else { return };
    for field in ["full_name", "csrf", "ward", "symptom"] {
        let _ = (form.v(field), form.raw(field), form.some(field));
        assert!(form.all(field).count() <= 200);
    }
}

/// A check-in with its declaration.
pub fn check_in(data: &[u8]) {
    if let Ok(new) = read_json::<NewCheckIn>(data) {
        if let Some(draft) = new.declaration {
            let _ = draft.parse(&REGIONS, NOW);
        }
        let _ = new.checkpoint.parse::<Code>();
    }
    let _ = read_json::<NewCheckOut>(data);
}

/// The other bodies of the API. What is wrong with one never repeats what was sent.
pub fn bodies(data: &[u8]) {
    let pseudonyms = Pseudonymizer::new(&[7; 32], 1);
    if let Ok(draft) = read_json::<CaseDraft>(data) {
        let _ = draft.parse(&REGIONS, &pseudonyms, NOW);
    }
    match read_json::<LookupDraft>(data) {
        Ok(draft) => {
            if let Ok(order) = draft.parse(&pseudonyms) {
                assert!(!holds_number(&order.reason) && !holds_number(&order.document));
            }
        }
        Err(failure) => {
            for field in &failure.fields {
                assert!(field.field.is_ascii() && field.field.len() <= 200);
            }
        }
    }
    if let Ok(new) = read_json::<NewVenue>(data) {
        let _ = new.parse(&REGIONS);
    }
}

/// A service of its own, to import into.
struct World {
    runtime: tokio::runtime::Runtime,
    import: Import,
    dir: tempfile::TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let overrides = Overrides {
        data_dir: Some(dir.path().to_owned()),
        ..Overrides::default()
    };
    let settings = Settings::load(&overrides, std::collections::BTreeMap::new()).unwrap();
    let app = runtime
        .block_on(App::open(settings, Clock::manual(NOW), Random::seeded(1)))
        .unwrap();
    let import = Import {
        db: app.db.clone(),
        directory: Arc::clone(&app.directory),
        keys: Arc::clone(&app.keys),
        clock: app.clock.clone(),
        random: app.random.clone(),
        retention_days: app.settings.retention_days,
    };
    World {
        runtime,
        import,
        dir,
    }
});

/// Take away what the imports left on the disk.
pub fn tidy() {
    std::fs::remove_dir_all(WORLD.dir.path()).unwrap();
}

/// A list from paper: whatever the file holds, its rows are kept or given back, and none is lost.
pub fn import_rows(data: &[u8]) {
    let world = &*WORLD;
    let file = world.dir.path().join("list.csv");
    std::fs::write(&file, data).unwrap();
    let done = import::check_ins(&world.import, &file, |_| ());
    if let Ok(report) = world.runtime.block_on(done) {
        assert_eq!(report.rows, report.kept + report.rejected);
        assert_eq!(report.stays, report.added + report.known);
    }
}
