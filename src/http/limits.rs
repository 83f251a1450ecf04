//! Request limits: per address, per login, per token, per checkpoint.
//!
//! A venue's visitors share one address and carriers share one among thousands, so check-ins are
//! limited by address only softly; what a single phone or a single checkpoint can do is limited by
//! token and by code. Keys are hashed: the table holds no address. Limits are per process.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock,
};

use crate::base::{Failure, Kind};

type Limiter = DefaultKeyedRateLimiter<u64>;

/// All limits, or none of them.
pub struct Limits {
    on: bool,
    hasher: RandomState,
    clock: DefaultClock,
    login_address: Limiter,
    login_name: Limiter,
    registration: Limiter,
    token: Limiter,
    checkpoint: Limiter,
    address: Limiter,
    code_worked: Limiter,
    code_waited: Limiter,
    code_tried: Limiter,
    own_data: Limiter,
}

/// `burst` at once, then one every `every`.
fn limiter(burst: u32, every: Duration) -> Limiter {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(every).unwrap_or(Quota::per_second(burst));
    RateLimiter::keyed(quota.allow_burst(burst))
}

impl Limits {
    /// The limits; with `on` false everything is let through.
    #[must_use]
    pub fn new(on: bool) -> Self {
        Self {
            on,
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            login_address: limiter(60, Duration::from_secs(1)),
            login_name: limiter(10, Duration::from_secs(6)),
            registration: limiter(60, Duration::from_mins(1)),
            token: limiter(200, Duration::from_secs(1)),
            checkpoint: limiter(2000, Duration::from_millis(10)),
            address: limiter(4000, Duration::from_millis(5)),
            code_worked: limiter(30, Duration::from_secs(30)),
            code_waited: limiter(3, Duration::from_mins(10)),
            code_tried: limiter(60, Duration::from_secs(2)),
            own_data: limiter(20, Duration::from_secs(5)),
        }
    }

    /// A login from `address` to `login`: 60 at once and one a second, 10 at once and ten a minute.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn login(&self, address: IpAddr, login: &str) -> Result<(), Failure> {
        self.check(&self.login_address, &prefix(address))?;
        self.check(&self.login_name, &login)
    }

    /// A registration from `address`: 60 at once and one a minute.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn registration(&self, address: IpAddr) -> Result<(), Failure> {
        self.check(&self.registration, &prefix(address))
    }

    /// A check-in at a checkpoint from `address`, with a declaration token or without: 200 at once
    /// (two batches) and one a second by token, 2,000 and a hundred a second by checkpoint, 4,000 and two hundred
    /// a second by address.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn check_in(
        &self,
        address: IpAddr,
        checkpoint: &[u8],
        token: Option<&str>,
    ) -> Result<(), Failure> {
        self.check(&self.address, &prefix(address))?;
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
        self.check(limiter, &prefix(address))
    }

    /// A code that came back from `address`: 60 at once and one every two seconds.
    ///
    /// # Errors
    ///
    /// [`Kind::TooMany`] with the seconds to wait.
    pub fn code_back(&self, address: IpAddr) -> Result<(), Failure> {
        self.check(&self.code_tried, &prefix(address))
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
        for limiter in [
            &self.login_address,
            &self.login_name,
            &self.registration,
            &self.token,
            &self.checkpoint,
            &self.address,
            &self.code_worked,
            &self.code_waited,
            &self.code_tried,
            &self.own_data,
        ] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn check(&self, limiter: &Limiter, key: &impl std::hash::Hash) -> Result<(), Failure> {
        if !self.on {
            return Ok(());
        }
        limiter
            .check_key(&self.hasher.hash_one(key))
            .map_err(|until| {
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

/// An IPv4 address, or the /64 of an IPv6 one: what one household or phone is given.
fn prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => std::net::Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        },
        v4 @ IpAddr::V4(_) => v4,
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
    fn a_household_is_one_key() {
        let ip = |text: &str| prefix(text.parse().unwrap());
        assert_eq!(ip("2001:db8::1"), ip("2001:db8::ffff"));
        assert_ne!(ip("2001:db8::1"), ip("2001:db8:0:1::1"));
        assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    }
}
