//! Accounts, roles, passwords, sessions and tokens.
//!
//! A login is a phone number for venues and a name for everybody else; neither stands in the
//! database: a keyed hash finds the row, and a sealed copy shows it to its owner. The role is read
//! with every request, so that a change applies at once. Officers and operators have a second factor,
//! and what opens names asks them to prove themselves again after a quarter of an hour.

mod factor;
mod login;
mod own;
mod passwords;
mod sessions;
mod store;
pub mod totp;

pub use factor::{Worth, enrol, spend};
pub use login::Login;
pub use own::{Open, end_one, list};
pub use passwords::{Passwords, Strength};
pub use sessions::{
    ACCESS_SECONDS, AccessTokens, Alive, BROWSER_IDLE_MS, BROWSER_MAX_MS, PROOF_MS, REFRESH_MAX_MS,
    Secret, account_of_access, account_of_browser, end_all, end_browser, end_family, open_browser,
    open_family, proved, refresh, renew, sweep, touch,
};
pub use store::{
    NewAccount, create, find_login, is_empty, login_of, password_hash_of, set_password_hash,
};
pub use totp::TotpSecret;

use uuid::Uuid;

/// What an account may do; see the table of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Own venues: checkpoints, posters, gatekeepers, counts, masked arrivals.
    VenueOwner,
    /// Check people in and out at the checkpoints given to them.
    Gatekeeper,
    /// Cases, lookups and follow-up inside the jurisdiction.
    HealthOfficer,
    /// The second person: releases notices and large exports; everything of an officer.
    HealthLead,
    /// Statistics, targets, daily report. No personal data.
    Overseer,
    /// Tickets.
    HotlineAgent,
    /// Accounts, keys, configuration, health of the service. No personal data.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::VenueOwner,
        Self::Gatekeeper,
        Self::HealthOfficer,
        Self::HealthLead,
        Self::Overseer,
        Self::HotlineAgent,
        Self::Operator,
    ];

    /// As written in the command line and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VenueOwner => "venue-owner",
            Self::Gatekeeper => "gatekeeper",
            Self::HealthOfficer => "health-officer",
            Self::HealthLead => "health-lead",
            Self::Overseer => "overseer",
            Self::HotlineAgent => "hotline-agent",
            Self::Operator => "operator",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it logs in with a one-time password too: those who read about people, and those who
    /// could give themselves the right to.
    #[must_use]
    pub const fn has_second_factor(self) -> bool {
        matches!(
            self,
            Self::HealthOfficer | Self::HealthLead | Self::Operator
        )
    }

    /// How dear its password is to guess: officers read what others must not.
    #[must_use]
    pub const fn strength(self) -> Strength {
        match self {
            Self::VenueOwner | Self::Gatekeeper => Strength::Usual,
            _ => Strength::Officer,
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// Its role.
    pub role: Role,
    /// Code of the province it works for, of today's catalogue; `None` for the whole country.
    pub province: Option<String>,
}
