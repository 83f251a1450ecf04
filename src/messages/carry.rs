//! What carries messages away: a file that a gateway reads, or a program that is run for each.
//!
//! A trait object, because which one it is, is a setting. Both take a message as one line of JSON, so
//! that a gateway for SMS or ZNS is a script of a few lines that this program need not know.

use std::{
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;
use uuid::Uuid;

use super::{Language, Message};
use crate::config;

/// How long a program may take for one message.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Where programs that the carrier's program starts are looked for. Nothing else of our environment is
/// handed on, for it may hold secrets.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A message as it leaves.
#[derive(Serialize)]
pub struct Outgoing {
    /// Its id: the same when it is sent again, so that a gateway can tell.
    pub id: Uuid,
    /// The number, in E.164.
    pub to: String,
    /// The name of the template.
    pub template: &'static str,
    /// The language.
    pub language: Language,
    /// What it says.
    pub text: String,
}

impl Outgoing {
    /// `message` as it leaves under this id.
    #[must_use]
    pub fn new(id: Uuid, message: &Message) -> Self {
        Self {
            id,
            to: message.to.e164().to_owned(),
            template: message.template.name(),
            language: message.language,
            text: message.template.text(message.language),
        }
    }

    /// One line of JSON with its end.
    fn line(&self) -> zeroize::Zeroizing<Vec<u8>> {
        // A struct of texts is always JSON.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        zeroize::Zeroizing::new(line)
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({}, {})", self.id, self.template)
    }
}

/// A message was not taken. It will be tried again.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The file cannot be written, or the program cannot be run.
    #[error("the message could not be handed over: {0}")]
    Io(#[from] std::io::Error),
    /// The program said no.
    #[error("the program that sends messages ended with {0}")]
    Refused(std::process::ExitStatus),
    /// The program did not end.
    #[error("the program that sends messages took too long")]
    Late,
}

/// Takes messages away. It may wait, so it is called on a thread of its own.
pub trait Carry: std::fmt::Debug + Send + Sync {
    /// Take `message`, or say why not.
    ///
    /// # Errors
    ///
    /// [`NotSent`]; the message is tried again.
    fn carry(&self, message: &Outgoing) -> Result<(), NotSent>;
}

/// What the settings name; `None` where messages cannot be sent.
#[must_use]
pub fn carrier(carrier: &config::Carrier) -> Option<Arc<dyn Carry>> {
    match carrier {
        config::Carrier::Off => None,
        config::Carrier::File(path) => Some(Arc::new(File::new(path.clone()))),
        config::Carrier::Command(words) => Some(Arc::new(Command(words.clone()))),
    }
}

/// Adds messages to a file that only its owner reads.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    /// One line after the other.
    turn: Mutex<()>,
}

impl File {
    /// Adds to the file at `path`, which is made when it is not there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Mutex::new(()),
        }
    }
}

impl Carry for File {
    fn carry(&self, message: &Outgoing) -> Result<(), NotSent> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(&message.line())?;
        Ok(())
    }
}

/// Runs a program for each message.
#[derive(Debug)]
pub struct Command(pub Vec<String>);

impl Carry for Command {
    fn carry(&self, message: &Outgoing) -> Result<(), NotSent> {
        let (program, arguments) = self
            .0
            .split_first()
            .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
        let mut child = std::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let handed = match child.stdin.take() {
            // A line is much shorter than what a pipe holds, so this does not wait for the program.
            Some(mut input) => input.write_all(&message.line()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        let ended = wait(&mut child)?;
        if !ended.success() {
            return Err(NotSent::Refused(ended));
        }
        Ok(handed?)
    }
}

/// Wait for the end of a program, but not for ever.
fn wait(child: &mut Child) -> Result<std::process::ExitStatus, NotSent> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if began.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(NotSent::Late);
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Random, identity::Phone, messages::Pin, messages::Template};

    fn outgoing() -> Outgoing {
        let message = Message {
            to: Phone::parse("0901234567").unwrap(),
            language: Language::Vi,
            template: Template::Code {
                pin: Pin::new(&Random::seeded(1)),
            },
        };
        Outgoing::new(Uuid::from_u128(7), &message)
    }

    #[test]
    fn a_file_gets_one_line_for_each_and_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.jsonl");
        let file = File::new(path.clone());
        file.carry(&outgoing()).unwrap();
        file.carry(&outgoing()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["to"], "+84901234567");
        assert_eq!(lines[0]["template"], "code");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&path).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{:?}", outgoing()).contains("0901234567"));
    }

    #[test]
    fn a_program_gets_the_line_without_a_shell_and_says_no_by_its_code() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("got");
        let tee = |to: &std::path::Path| {
            let words = ["/usr/bin/tee", to.to_str().unwrap()];
            Command(words.map(str::to_owned).to_vec())
        };
        tee(&to).carry(&outgoing()).unwrap();
        let got = std::fs::read_to_string(&to).unwrap();
        assert!(
            got.contains("+84901234567") && got.ends_with("}\n"),
            "{got}"
        );
        // What a shell would make of it is a name of a file here.
        let odd = dir.path().join("a;b $(c)");
        tee(&odd).carry(&outgoing()).unwrap();
        assert!(odd.exists());
        let refused = Command(vec!["/bin/false".to_owned()]).carry(&outgoing());
        assert!(refused.is_err());
        let missing = Command(vec!["/nowhere/at/all".to_owned()]).carry(&outgoing());
        assert!(matches!(missing, Err(NotSent::Io(_))));
    }
}
