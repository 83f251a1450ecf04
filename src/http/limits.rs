//! Request limits: per address, per login, per account, per token, per checkpoint.
//!
//! A venue's visitors share one address and carriers share one among thousands. So nobody is shut out
//! for an address alone: who brings a declaration token of ours is judged by that token and the
//! checkpoint, and the address counts only for those who bring none, generously. Keys are hashed with
//! a key of this process: the tables hold no address. Limits are per process.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock,
};
use uuid::Uuid;

use crate::base::{Failure, Kind, Network};

/// Keys that one table holds apart. Beyond, keys share places: a flood of made-up keys, each used
/// once, then costs the others some of their ease and the process no memory. A table has at most
/// twice as many places.
const APART: usize = 1 << 17;

/// All limits, or none of them.
pub struct Limits {
    on: bool,
    hasher: RandomState,
    clock: DefaultClock,
    login_address: Table,
    login_name: Table,
    registration: Table,
    account: Table,
    token: Table,
    checkpoint: Table,
    address: Table,
    report: Table,
    code_worked: Table,
    code_waited: Table,
    code_tried: Table,
    own_data: Table,
}

/// One limit with what it remembers of each key.
struct Table {
    limiter: DefaultKeyedRateLimiter<u64>,
    /// No fewer than the keys in the table: counting them for every request would lock all of it.
    at_most: AtomicUsize,
}

impl Table {
    /// `burst` at once, then one every `every`.
    fn new(burst: u32, every: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(burst));
        Self {
            limiter: RateLimiter::keyed(quota.allow_burst(burst)),
            at_most: AtomicUsize::new(0),
        }
    }

    /// The place of a key: its own while there is room.
    fn place(&self, key: u64) -> u64 {
        if self.at_most.fetch_add(1, Ordering::Relaxed) < APART {
            return key;
        }
        let keys = self.limiter.len();
        self.at_most.store(keys, Ordering::Relaxed);
        if keys < APART {
            key
        } else {
            key % (APART as u64)
        }
    }

    /// Forget keys that are at rest.
    fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.at_most.store(self.limiter.len(), Ordering::Relaxed);
    }
}

impl Limits {
    /// The limits; with `on` false everything is let through.
    #[must_use]
    pub fn new(on: bool) -> Self {
        Self {
            on,
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            login_address: Table::new(60, Duration::from_secs(1)),
            login_name: Table::new(10, Duration::from_secs(6)),
            registration: Table::new(60, Duration::from_mins(1)),
            account: Table::new(600, Duration::from_millis(50)),
            token: Table::new(200, Duration::from_secs(1)),
            checkpoint: Table::new(2000, Duration::from_millis(10)),
            address: Table::new(4000, Duration::from_millis(5)),
            report: Table::new(30, Duration::from_secs(10)),
            code_worked: Table::new(30, Duration::from_secs(30)),
            code_waited: Table::new(3, Duration::from_mins(10)),
            code_tried: Table::new(60, Duration::from_secs(2)),
            own_data: Table::new(20, Duration::from_secs(5)),
        }
    }

    /// A login from `address` to `login`: 60 at once and one a second, 10 at once and ten a minute.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn login(&self, address: IpAddr, login: &str) -> Result<(), Failure> {
        self.check(&self.login_address, &Network::of_customer(address).first())?;
        self.check(&self.login_name, &login)
    }

    /// A registration from `address`: 60 at once and one a minute.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn registration(&self, address: IpAddr) -> Result<(), Failure> {
        self.check(&self.registration, &Network::of_customer(address).first())
    }

    /// Anything that an account does: 600 at once and 20 a second.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn account(&self, account: Uuid) -> Result<(), Failure> {
        self.check(&self.account, &account.as_u128())
    }

    /// A browser's report from `address`: 30 at once and six a minute.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn report(&self, address: IpAddr) -> Result<(), Failure> {
        self.check(&self.report, &Network::of_customer(address).first())
    }

    /// A check-in at a checkpoint from `address`, with a declaration token or without: 200 at once
    /// (two batches) and one a second by token, 2,000 and a hundred a second by checkpoint, 4,000 and
    /// two hundred a second by address. An address that has used up its share refuses only those
    /// whose token, by `is_ours`, is none of ours.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn check_in(
        &self,
        address: IpAddr,
        checkpoint: &[u8],
        token: Option<&str>,
        is_ours: impl FnOnce(&str) -> bool,
    ) -> Result<(), Failure> {
        let place = Network::of_customer(address).first();
        if let Err(refused) = self.check(&self.address, &place)
            && !token.is_some_and(is_ours)
        {
            return Err(refused);
        }
        self.check(&self.checkpoint, &checkpoint)?;
        match token {
            Some(token) => self.check(&self.token, &token),
            None => Ok(()),
        }
    }

    /// A code that is asked for from `address`: 30 at once and two a minute where the browser has
    /// `worked` for it, 3 at once and six an hour where it could not. A household or an office of
    /// people behind one address gets by with that; whoever wants thousands does not.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn code(&self, address: IpAddr, worked: bool) -> Result<(), Failure> {
        let limiter = if worked {
            &self.code_worked
        } else {
            &self.code_waited
        };
        self.check(limiter, &Network::of_customer(address).first())
    }

    /// A code that came back from `address`: 60 at once and one every two seconds.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn code_back(&self, address: IpAddr) -> Result<(), Failure> {
        self.check(&self.code_tried, &Network::of_customer(address).first())
    }

    /// A look at one's own data in the session `key`: 20 at once and one every five seconds. Each looks
    /// through all days that are kept.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn own_data(&self, key: &[u8]) -> Result<(), Failure> {
        self.check(&self.own_data, &key)
    }

    /// Forget keys that are at rest, so that the tables stay small. To be called every minute.
    pub fn sweep(&self) {
        for table in [
            &self.login_address,
            &self.login_name,
            &self.registration,
            &self.account,
            &self.token,
            &self.checkpoint,
            &self.address,
            &self.report,
            &self.code_worked,
            &self.code_waited,
            &self.code_tried,
            &self.own_data,
        ] {
            table.sweep();
        }
    }

    fn check(&self, table: &Table, key: &impl Hash) -> Result<(), Failure> {
        if !self.on {
            return Ok(());
        }
        let place = table.place(self.hasher.hash_one(key));
        table.limiter.check_key(&place).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now()).as_secs() + 1;
            Failure {
                retry_after: Some(u32::try_from(wait).unwrap_or(u32::MAX)),
                ..Kind::TooMany.into()
            }
        })
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Limits({})", if self.on { "on" } else { "off" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_does_not_use_up_another() {
        let limits = Limits::new(true);
        let one = IpAddr::from([192, 0, 2, 1]);
        let other = IpAddr::from([192, 0, 2, 2]);
        for _ in 0..10 {
            limits.login(one, "a").unwrap();
        }
        let refused = limits.login(one, "a").unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany);
        assert!((1..=7).contains(&refused.retry_after.unwrap()));
        limits.login(other, "b").unwrap();
        let off = Limits::new(false);
        for _ in 0..100 {
            off.login(one, "a").unwrap();
        }
    }

    #[test]
    fn a_venues_shared_address_is_never_shut_out() {
        let limits = Limits::new(true);
        let shared = IpAddr::from([192, 0, 2, 1]);
        let ours = |token: &str| token == "ours";
        let mut flood = 0_u32;
        while limits
            .check_in(shared, &flood.to_be_bytes(), None, ours)
            .is_ok()
        {
            flood += 1;
            assert!(flood < 10_000, "a flood from one address ends");
        }
        // Who brings no token of ours is told to wait a moment; who declared before comes in.
        let until = std::time::Instant::now() + Duration::from_secs(5);
        let refused = loop {
            match limits.check_in(shared, b"gate", Some("made up"), ours) {
                Err(refused) => break refused,
                // In between the address was given its next turn.
                Ok(()) => assert!(std::time::Instant::now() < until),
            }
        };
        assert!(refused.retry_after.unwrap() <= 2);
        limits
            .check_in(shared, b"gate", Some("ours"), ours)
            .unwrap();
        let elsewhere = IpAddr::from([192, 0, 2, 2]);
        limits.check_in(elsewhere, b"gate", None, ours).unwrap();
    }

    #[test]
    fn an_account_is_limited_wherever_it_calls_from() {
        let limits = Limits::new(true);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let passed = (0..2000).filter(|_| limits.account(one).is_ok()).count();
        assert!((600..900).contains(&passed), "{passed}");
        limits.account(other).unwrap();
    }

    #[test]
    fn a_million_made_up_keys_take_no_more_than_the_bound() {
        let limits = Limits::new(true);
        let address = |n: u32| IpAddr::from(std::net::Ipv6Addr::from_bits(u128::from(n) << 64));
        for n in 0..1_000_000 {
            // Whether it is let through does not matter here.
            let _ = limits.registration(address(n));
        }
        let size = limits.registration.limiter.len();
        assert!(size <= 2 * APART, "{size}");
        assert!(size > APART, "the flood filled the table: {size}");
        // A newcomer finds a place, which it shares with about seven of the flood.
        let newcomers = (0..100)
            .filter(|n| limits.registration(IpAddr::from([192, 0, 2, *n])).is_ok())
            .count();
        assert_eq!(newcomers, 100);
    }
}
