//! The application's state, built once by the server and by the tests alike.

use std::{
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use actix_web::web;

use crate::{
    accounts::{AccessTokens, Passwords},
    base::{Clock, Day, Random},
    checkins::{Door, Journal, retention::first_kept},
    config::{MasterKey, Settings},
    http::{Leaving, Limits, Offload, RequestIds},
    messages::{self, Carry},
    privacy::{KeyRing, Master, NoKey, NoMaster, transparency::Board},
    regions::{Regions, RegionsError},
    rights,
    store::{self, Daily, Db, Target},
    venues::Directory,
};

/// The state that every handler is handed.
pub type Shared = web::Data<App>;

/// Days after today, so that midnight finds everything ready.
const DAYS_AHEAD: i32 = 2;

/// Posters drawn at the same time, and requests that may wait for it.
const POSTERS_AT_ONCE: usize = 2;
const POSTERS_WAITING: usize = 32;

/// Everything that handlers share.
#[derive(Debug)]
pub struct App {
    /// The settings.
    pub settings: Settings,
    /// The store.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub random: Random,
    /// The keys.
    pub keys: Arc<KeyRing>,
    /// Signs and reads access tokens.
    pub access: AccessTokens,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Provinces and wards.
    pub regions: Arc<Regions>,
    /// Request limits.
    pub limits: Limits,
    /// Makes the ids of requests.
    pub request_ids: RequestIds,
    /// All checkpoints.
    pub directory: Arc<Directory>,
    /// What a check-in needs, with the journal.
    pub door: Door,
    /// What carries messages to people; `None` where none can be sent.
    pub carrier: Option<Arc<dyn Carry>>,
    /// Draws posters.
    pub posters: Offload,
    /// Counts what the public is told.
    pub board: Board,
    /// Whether the service is about to go.
    pub leaving: Leaving,
}

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened or brought up to date.
    #[error("{0}{cause}", cause = cause(.0))]
    Store(#[from] store::Error),
    /// The keys do not open.
    #[error("{0}")]
    Keys(#[from] NoKey),
    /// There is no thread for the journal.
    #[error("the journal's writer cannot be started: {0}")]
    Journal(#[source] std::io::Error),
    /// The data files of the regions are broken.
    #[error("{0}")]
    Regions(#[from] RegionsError),
    /// A file or folder cannot be made or read.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// The master key cannot be read.
    #[error("{0}")]
    MasterKey(#[from] NoMaster),
    /// The master key is gone but the database is there.
    #[error(
        "{path} is missing, and without it nothing in the database opens; put the key file back, or start with an empty data directory",
        path = .0.display()
    )]
    MasterKeyLost(PathBuf),
}

fn cause(error: &store::Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"))
}

impl App {
    /// Open the store, bring it up to date, open or make the keys, load what is kept in memory.
    ///
    /// # Errors
    ///
    /// When something cannot be opened; the text says what to do.
    pub async fn open(
        settings: Settings,
        clock: Clock,
        random: Random,
    ) -> Result<Self, StartError> {
        prepare(&settings.database)?;
        let db = Db::open(&settings.database, clock.clone()).await?;
        Self::on(db, settings, clock, random).await
    }

    /// As [`Self::open`], on a store that is open.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub async fn on(
        db: Db,
        settings: Settings,
        clock: Clock,
        random: Random,
    ) -> Result<Self, StartError> {
        db.migrate().await?;
        let is_new = KeyRing::is_empty(&db).await?;
        let masters = master_keys(&settings.master_key, is_new, &random)?;
        let source = settings.master_key.clone();
        let keys = Arc::new(KeyRing::open(&db, source, masters, &random).await?);
        let regions = Arc::new(Regions::load()?);
        let directory = Arc::new(Directory::load(&db).await?);
        let door = Door::new(
            db.clone(),
            Arc::clone(&directory),
            Arc::clone(&regions),
            Arc::clone(&keys),
            Journal::start(db.clone()).map_err(StartError::Journal)?,
            clock.clone(),
            random.clone(),
        );
        let app = Self {
            access: AccessTokens::new(&keys),
            passwords: Passwords::new(random.clone()),
            regions,
            directory,
            door,
            carrier: messages::carrier(&settings.messages.carrier),
            posters: Offload::new(POSTERS_AT_ONCE, POSTERS_WAITING),
            limits: Limits::new(settings.rate_limits),
            board: Board::default(),
            leaving: Leaving::default(),
            request_ids: RequestIds::new(&random),
            settings,
            db,
            clock,
            random,
            keys,
        };
        app.prepare_days().await?;
        app.door.withdrawn.refresh(&app.db).await?;
        Ok(app)
    }

    /// What granting people their rights needs, in one hand.
    #[must_use]
    pub fn rights(&self) -> rights::Desk<'_> {
        rights::Desk {
            door: &self.door,
            retention_days: self.settings.retention_days,
            deadlines: self.settings.rights,
        }
    }

    /// Make the day keys and partitions around today that are missing: back to what an import may
    /// still bring, and ahead so that midnight finds everything ready.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn prepare_days(&self) -> Result<(), StartError> {
        let today = Day::of(self.clock.now());
        let from = first_kept(today, self.settings.retention_days);
        let to = today.plus(DAYS_AHEAD);
        self.keys
            .ensure_days(&self.db, from, to, &self.random)
            .await?;
        let check_ins = store::partition_days(&self.db, Daily::CheckIns).await?;
        let declarations = store::partition_days(&self.db, Daily::Declarations).await?;
        for day in (from.number()..=to.number()).map(Day::from_number) {
            if !(check_ins.contains(&day) && declarations.contains(&day)) {
                store::ensure_partitions(&self.db, day).await?;
            }
        }
        Ok(())
    }

    /// How the outside reaches the service, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.settings
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.settings.listen))
    }

    /// Whether the outside reaches the service by HTTPS only.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.settings
            .public_url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"))
    }

    /// The name of a cookie: over HTTPS bound to this host by the browser.
    #[must_use]
    pub fn cookie_name(&self, name: &str) -> String {
        if self.is_secure() {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }
}

/// Make the folder of a SQLite file, which nobody else can look into.
///
/// # Errors
///
/// When it cannot be made.
pub fn prepare(database: &Target) -> Result<(), StartError> {
    match database {
        Target::Sqlite(path) => path.parent().map_or(Ok(()), make_private_dir),
        Target::Postgres(..) => Ok(()),
    }
}

/// Make a folder that nobody else can look into.
fn make_private_dir(path: &Path) -> Result<(), StartError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StartError::File(path.to_owned(), error))
}

fn master_keys(from: &MasterKey, is_new: bool, random: &Random) -> Result<Vec<Master>, StartError> {
    match from {
        MasterKey::Own(path) if path.exists() => {}
        MasterKey::Own(path) if !is_new => return Err(StartError::MasterKeyLost(path.clone())),
        MasterKey::Own(path) => return Ok(vec![make_master_key(path, random)?]),
        _ => {}
    }
    Ok(Master::read(from)?)
}

/// Make the master key's file, readable by its owner alone, and have it on the disk before any key
/// is wrapped by it.
fn make_master_key(path: &Path, random: &Random) -> Result<Master, StartError> {
    use std::io::Write as _;
    if let Some(parent) = path.parent() {
        make_private_dir(parent)?;
    }
    let master = Master::new(random);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(master.hex().as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .map_err(|error| StartError::File(path.to_owned(), error))?;
    tracing::info!(file = %path.display(), "made the master key; keep a copy apart from the database");
    Ok(master)
}
