//! `demo`: a made-up province that tells a story.
//!
//! Two weeks of a province in which nobody is real: a market, a factory, a hospital, a school, a bus
//! line, offices and restaurants, and an outbreak that one can find with a lookup. Everything goes
//! through the rooms that the service itself uses, so what is shown is what would be there. The same
//! seed and the same day give the same story; keys and nonces are of the machine's own randomness.

mod days;
mod dice;
mod outbreak;
mod people;
mod places;
mod write;

use std::{fmt::Write as _, net::TcpListener, time::Duration};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use self::{
    days::{Calendar, DAYS, Days},
    dice::Dice,
    people::{Part, Somebody},
    places::{PROVINCE, Places, Spot},
};
use crate::{
    accounts::{self, Account, Login, NewAccount, Role, Strength, TotpSecret},
    base::{Failure, Timestamp},
    cases::{self, Case},
    checkins::door::PSEUDONYM_VERSION,
    cli::{CliError, open, serve},
    config::{Carrier, Settings},
    http::App,
    identity::Pseudonymizer,
    store::Error,
};

/// The password of every account of the demo.
const PASSWORD: &str = "demo-kiem-dich";

/// The accounts beside those of the venues.
const STAFF: [(&str, Role); 6] = [
    ("cdc.tayninh", Role::HealthOfficer),
    ("truongphong.cdc", Role::HealthLead),
    ("baove.cho", Role::Gatekeeper),
    ("giamsat.tinh", Role::Overseer),
    ("tongdai.1022", Role::HotlineAgent),
    ("vanhanh", Role::Operator),
];

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Another number tells another story of the same kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What was made, to say where to click.
struct Story {
    places: Places,
    people: usize,
    check_ins: u64,
    cases: Vec<Case>,
    /// Logins that need a one-time password, and the secrets of these.
    secrets: Vec<(&'static str, TotpSecret)>,
}

pub(super) async fn run(settings: Settings, options: Options) -> Result<(), CliError> {
    // Before anything is written: an address that is taken would leave a filled store and no server.
    let listen = settings.listen;
    TcpListener::bind(listen).map_err(|error| {
        CliError::other(format!(
            "cannot listen on {listen}: {error}; give another address with --listen"
        ))
    })?;
    let mut settings = settings;
    if settings.messages.carrier == Carrier::Off {
        // The demo has no gateway; its codes are read in this file.
        let path = settings.data_dir.join("messages.jsonl");
        settings.messages.carrier = Carrier::File(path);
    }
    let app = open(settings).await?;
    if !is_empty(&app).await? {
        app.db.close().await;
        return Err(CliError::other(
            "the database is not empty, and the demo fills only an empty one; serve what is there \
             with `diem-kiem-dich serve`, or give an empty folder with --data-dir",
        ));
    }
    let story = fill(&app, options.seed).await?;
    tell(&app, &story);
    serve::serve(app).await
}

async fn is_empty(app: &App) -> Result<bool, Error> {
    app.db
        .read(async |tx| {
            let visited: Option<(i64,)> = tx
                .query("SELECT checkpoint_id FROM check_ins LIMIT 1")
                .optional()
                .await?;
            Ok(visited.is_none() && accounts::is_empty(tx).await?)
        })
        .await
}

async fn fill(app: &App, seed: u64) -> Result<Story, Failure> {
    let now = app.clock.now();
    let dice = Dice::new(seed);
    let bar = progress();
    bar.set_message("tài khoản, địa điểm / accounts, venues");
    let (officer, secrets) = staff(app).await?;
    let owners = app.passwords.hash(PASSWORD.into(), Strength::Usual).await?;
    let places = places::build(app, &dice, &owners).await?;
    bar.inc(1);
    bar.set_message("người / people");
    let pseudonymizer = Pseudonymizer::new(app.keys.pseudonym().bytes(), PSEUDONYM_VERSION);
    let people = people::everybody(&app.regions, &pseudonymizer, &dice, now)?;
    bar.inc(1);
    let calendar = Calendar::ending(now.as_ms());
    let days = Days {
        calendar,
        dice: &dice,
        places: &places,
    };
    let mut check_ins = 0;
    for day in 0..DAYS {
        let date = Timestamp::from_ms(calendar.midnight(day)).local_date();
        bar.set_message(format!("lượt khai báo / check-ins, {date}"));
        let stays = days.stays(&people, day);
        check_ins += write::day(app, &dice, &people, stays, day, now).await?;
        bar.inc(1);
    }
    bar.set_message("ca bệnh / cases");
    let cases = report(app, &officer, &pseudonymizer, &people, calendar).await?;
    bar.finish_and_clear();
    Ok(Story {
        places,
        people: people.len(),
        check_ins,
        cases,
        secrets,
    })
}

/// Steps: venues, people, the days, the cases.
fn progress() -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(DAYS).unwrap_or(0) + 3);
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Make the accounts of the health department and the others; gives the officer's, and the secrets of
/// those who have a second factor.
async fn staff(app: &App) -> Result<(Account, Vec<(&'static str, TotpSecret)>), Failure> {
    let hash = app
        .passwords
        .hash(PASSWORD.into(), Strength::Officer)
        .await?;
    let mut officer = None;
    let mut secrets = Vec::new();
    for (login, role) in STAFF {
        let of_province = matches!(
            role,
            Role::HealthOfficer | Role::HealthLead | Role::Overseer
        );
        let new = NewAccount {
            login: Login::parse(login)?,
            role,
            province: of_province.then(|| PROVINCE.to_owned()),
            password_hash: hash.clone(),
        };
        let account = app
            .db
            .write(async |tx| accounts::create(tx, &app.keys, &app.random, &new).await)
            .await?;
        if role.has_second_factor() {
            let enrol =
                async |tx: &mut _| accounts::enrol(tx, &app.keys, &app.random, account.id).await;
            secrets.push((login, app.db.write(enrol).await?));
        }
        if role == Role::HealthOfficer {
            officer = Some(account);
        }
    }
    let officer = officer.ok_or_else(|| Failure::internal("no officer among the staff"))?;
    Ok((officer, secrets))
}

async fn report(
    app: &App,
    officer: &Account,
    pseudonymizer: &Pseudonymizer,
    people: &[Somebody],
    calendar: Calendar,
) -> Result<Vec<Case>, Failure> {
    let mut reported = Vec::new();
    for (part, course) in outbreak::CASES {
        let Some(somebody) = people.iter().find(|person| person.part == Some(part)) else {
            continue;
        };
        let new = outbreak::report(somebody, course, calendar)
            .parse(&app.regions, pseudonymizer, app.clock.now())
            .map_err(Failure::invalid)?;
        reported.push(cases::report(&app.db, &app.keys, &app.random, officer, &new).await?);
    }
    Ok(reported)
}

/// Say what there is and where to click.
fn tell(app: &App, story: &Story) {
    let url = app.public_url();
    let code = |spot| {
        let places = story.places.of(spot);
        let first = places.first();
        first.map_or_else(String::new, |place| place.code.clone())
    };
    let number = |part: Part| {
        let position = outbreak::CASES.iter().position(|(who, _)| *who == part);
        let case = position.and_then(|at| story.cases.get(at));
        case.map_or("", |case| case.number.as_str())
    };
    // As the newcomer called it, so that the line can be copied.
    let program = std::env::args().next();
    let program = program.as_deref().unwrap_or("diem-kiem-dich");
    let mut otps = String::new();
    for (login, secret) in &story.secrets {
        let secret = secret.base32();
        // Writing to a string does not fail.
        let _ = writeln!(otps, "  {login:<22}  {program} otp {}", secret.as_str());
    }
    println!(
        "
A made-up province: {people} people, {checkpoints} checkpoints, {check_ins} check-ins in {DAYS} days.
Nobody in it is real; the phone numbers are of a block that no operator has (0992).

Logins, all with the password {PASSWORD}
  owner of the market     {owner:<16} of the factory {factory}, of the buses {buses}
  health officer          cdc.tayninh      the second person: truongphong.cdc
  others                  baove.cho (gatekeeper), giamsat.tinh (overseer),
                          tongdai.1022 (hotline), vanhanh (operator)

These also need a one-time password. This prints the one of the moment, each good once; or type the
secret, the last word, into an authenticator app:
{otps}
Where to click
  a visitor's page        {url}/c/{market}
  on the bus              {url}/c/{bus}
  owner and officer       {url}/login
  a person's own data     {url}/du-lieu-cua-toi, with the number of anybody who checked in; the code
                          that is sent stands in {messages}
  the API                 {url}/docs

The story
  Case {first} sells fish at the market. Look up who was there with her: reason and document are
  asked, and any text will do here. One bus links her to case {clerk}, who never went to the market,
  and to a teacher who began to cough and is not tested yet. Case {sewer} bought her fish and sews
  at line 2, where the next ones have a fever. Case {traveller} has nothing to do with any of them.
",
        messages = match &app.settings.messages.carrier {
            Carrier::File(path) => path.display().to_string(),
            _ => "the message that your gateway sends".to_owned(),
        },
        people = story.people,
        checkpoints = story.places.len(),
        check_ins = story.check_ins,
        owner = places::owner_phone(0),
        factory = places::owner_phone(1),
        buses = places::owner_phone(4),
        market = code(Spot::Market),
        bus = code(Spot::Bus(2)),
        first = number(Part::FishSeller),
        clerk = number(Part::Clerk),
        sewer = number(Part::Sewer),
        traveller = number(Part::Traveller),
    );
}
