//! What people may ask about their own data: to see, correct, take along, withdraw, erase.
//!
//! Luật 91/2025/QH15 and NĐ 356/2025/NĐ-CP give these rights and the days in which they are granted.
//! Nearly all of it a person does alone, at once, after a code has proved the number
//! ([`session`]); each is noted as a request all the same ([`request`]), because the law counts days
//! and because what a case holds, and what somebody asks in other words, is left for people to do.
//!
//! What is proved is a number, so what is shown and erased is what stands under that number's
//! pseudonym. The number of a card that a declaration names is not proved by it: whoever declares with
//! another's card number must not see where the other has been. People without a phone turn to the
//! health office with their papers.
//!
//! A case may hold what it needs ([`hold`]): it is then kept to its usual end, and the person is told
//! until when, and not whose case it is.

pub mod correct;
pub mod due;
pub mod erase;
pub mod hold;
pub mod opens;
pub mod request;
pub mod seen;
pub mod session;
pub mod step;

pub use correct::{Correction, correct};
pub use erase::{Erased, erase, resume};
pub use opens::Opens;
pub use request::{Kind, State};
pub use seen::{Declared, Kept, Stay};
pub use session::{Session, Way};
pub use step::Step;

use crate::{
    base::{Timestamp, failure::Result},
    checkins::{Door, withdrawn},
    config::Deadlines,
    privacy::audit,
    store::Error,
};

/// What granting a right needs, in one hand.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// Store, keys, journal, clock and pseudonyms.
    pub door: &'a Door,
    /// Days for which check-ins are kept.
    pub retention_days: u16,
    /// By when requests are answered.
    pub deadlines: Deadlines,
}

/// Take back the consent of the person of `session`: no declaration made until now lets them in any
/// more, nor does a personal code. Says when.
///
/// # Errors
///
/// Those of the store.
pub async fn withdraw(desk: &Desk<'_>, session: &Session) -> Result<Timestamp> {
    let door = desk.door;
    let at = door
        .db
        .write(async |tx| {
            let request = request::done(tx, desk, Kind::Withdraw).await?;
            withdrawn::withdraw(tx, session.person).await?;
            let entry = audit::Entry {
                action: "rights.withdrawn",
                subject: request.to_string(),
                people: Some(1),
                ..audit::Entry::default()
            };
            audit::append(tx, entry).await?;
            Ok::<_, Error>(tx.now())
        })
        .await?;
    door.withdrawn.refresh(&door.db).await?;
    Ok(at)
}
