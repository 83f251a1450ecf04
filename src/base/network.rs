//! A part of the address space: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de::Error as _};

/// The addresses that share their first bits. An IPv4 address that is written as an IPv6 one
/// (`::ffff:192.0.2.1`) is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// It is no network: neither an address nor an address, a slash and a number of bits, with nothing
/// set behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or its first address, a slash and a number of bits: 10.0.0.0/8")]
pub struct NoNetwork;

impl Network {
    /// The network of `bits` bits around `address`. More bits than the address has are all of them.
    #[must_use]
    pub fn around(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self {
                    first: Ipv4Addr::from_bits(v4.to_bits() & mask).into(),
                    bits,
                }
            }
            IpAddr::V6(v6) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self {
                    first: Ipv6Addr::from_bits(v6.to_bits() & mask).into(),
                    bits,
                }
            }
        }
    }

    /// What one household, one phone or one venue's router is given: an IPv4 address, or the /64 of
    /// an IPv6 one (RFC 6177).
    #[must_use]
    pub fn of_customer(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self::around(v4, 32),
            v6 @ IpAddr::V6(_) => Self::around(v6, 64),
        }
    }

    /// Its first address.
    #[must_use]
    pub const fn first(self) -> IpAddr {
        self.first
    }

    /// Whether `address` is one of it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::around(address, self.bits) == self
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| NoNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = match bits {
            Some(bits) => bits.trim().parse().map_err(|_| NoNetwork)?,
            None => most,
        };
        let is_mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
        let bits = match (bits > most, is_mapped) {
            (true, _) => return Err(NoNetwork),
            (false, true) => bits.checked_sub(96).ok_or(NoNetwork)?,
            (false, false) => bits,
        };
        let network = Self::around(address, bits);
        // Bits behind the prefix mean that somebody wrote another network than they thought.
        (network.first == address.to_canonical())
            .then_some(network)
            .ok_or(NoNetwork)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_ends_where_its_bits_say() {
        for (of, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("172.30.80.0/30", "172.30.80.3", "172.30.80.4"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
        ] {
            assert!(network(of).contains(ip(inside)), "{of} {inside}");
            assert!(!network(of).contains(ip(outside)), "{of} {outside}");
        }
        assert!(network("192.0.2.0/24").contains(ip("::ffff:192.0.2.7")));
        assert_eq!(network("::ffff:192.0.2.0/120"), network("192.0.2.0/24"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/8",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0.0/-1",
            "10.0.0/8",
            "2001:db8::/129",
            "::ffff:192.0.2.0/64",
            "localhost",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text}");
        }
    }

    #[test]
    fn a_household_is_one_network() {
        let of = |text: &str| Network::of_customer(ip(text));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1").to_string(), "192.0.2.1/32");
    }
}
