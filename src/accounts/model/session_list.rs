//! Which sessions administrators list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use async_graphql::InputObject;

use super::UserId;
use crate::graphql::Time;

/// Selects sessions. The fields are combined with AND; omitted fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, InputObject)]
pub struct SessionFilter {
    /// Only sessions of this user.
    pub user_id: Option<UserId>,
    /// Only sessions whose last IP address is this one, or is in this network, such as `192.0.2.0/24` or
    /// `2001:db8::/32`.
    pub ip: Option<String>,
    /// If true, only sessions that have neither ended nor expired; if false, only the others.
    pub is_active: Option<bool>,
    /// Only sessions that began at this time or later.
    pub created_from: Option<Time>,
    /// Only sessions that began before this time.
    pub created_to: Option<Time>,
}

impl SessionFilter {
    /// Returns the network of the filter; `None` if there is none or the text is not one.
    pub fn network(&self) -> Option<Network> {
        self.ip.as_deref().and_then(Network::parse)
    }
}

/// The addresses of a network, or a single one: all from the first to the last, which are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub first: IpAddr,
    pub last: IpAddr,
}

impl Network {
    /// Parses an IP address, or a network in CIDR notation. The bits after the prefix do not matter.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        match (address.parse().ok()?, length) {
            (IpAddr::V4(ip), length) => {
                let rest = u32::BITS.checked_sub(length.unwrap_or(u32::BITS))?;
                let hosts = u32::MAX.checked_shr(u32::BITS - rest).unwrap_or(0);
                let (first, last) = (ip.to_bits() & !hosts, ip.to_bits() | hosts);
                Some(Network { first: Ipv4Addr::from_bits(first).into(), last: Ipv4Addr::from_bits(last).into() })
            }
            // The address of a client is stored in its canonical form.
            (IpAddr::V6(ip), None) => Some(Network { first: ip.to_canonical(), last: ip.to_canonical() }),
            (IpAddr::V6(ip), Some(length)) => {
                let rest = u128::BITS.checked_sub(length)?;
                let hosts = u128::MAX.checked_shr(u128::BITS - rest).unwrap_or(0);
                let (first, last) = (ip.to_bits() & !hosts, ip.to_bits() | hosts);
                Some(Network { first: Ipv6Addr::from_bits(first).into(), last: Ipv6Addr::from_bits(last).into() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        for (text, first, last) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7/32", "192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0", "192.0.2.255"),
            ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
            ("1.2.3.4/0", "0.0.0.0", "255.255.255.255"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::1"),
            ("2001:db8::1/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ] {
            let expected = Network { first: first.parse().unwrap(), last: last.parse().unwrap() };
            assert_eq!(Network::parse(text), Some(expected), "{text}");
        }
        for text in ["", "192.0.2", "192.0.2.7/33", "192.0.2.7/-1", "192.0.2.7/", "::/129", "localhost", "a/b"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
