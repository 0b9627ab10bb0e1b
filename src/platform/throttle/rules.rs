//! The limits and keys of the counters.

use std::net::{IpAddr, Ipv6Addr};

use sha2::{Digest, Sha256};

/// The kind of an attempt. Each purpose has its own counters.
///
/// Exchanging refresh tokens has none: 256 bits cannot be guessed, an exchange costs one indexed read, and a wait would
/// sign out everyone behind a shared IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A sign-in with an email address and a password.
    SignIn,
    /// Starting a sign-in with an identity provider. This inserts a row and may send a request to the provider. Success
    /// removes the attempt, so that many users behind one IP address do not block each other.
    SocialSignIn,
    /// Creating an account. Success counts like failure, to limit the number of new accounts.
    Registration,
    /// Activating an account with a link or code, or requesting another one.
    Activation,
    /// Requesting a password reset, which sends an email, or setting the new password.
    PasswordReset,
    /// The second-factor code after the correct password. The wide counter is per account across all IP addresses, so
    /// that a leaked password does not open the account to an attacker with many addresses. One address cannot fill it,
    /// because the narrow counter stops it first. Many addresses can limit the owner to one attempt a minute until the
    /// password is changed.
    SecondFactor,
    /// Looking up a potential personal API token. Tokens cannot be guessed; the limit protects the database.
    ApiToken,
}

/// The number of free attempts, and the wait after each further one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The number of attempts without a wait.
    pub free: u64,
    /// The wait after the last free attempt in milliseconds; it doubles after each further one.
    pub first_wait: u64,
    /// The maximum wait in milliseconds, which is also the time in which one attempt decays.
    pub longest_wait: u64,
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;

impl Purpose {
    /// Returns the name in keys.
    fn name(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign-in",
            Purpose::SocialSignIn => "social-sign-in",
            Purpose::Registration => "registration",
            Purpose::Activation => "activation",
            Purpose::PasswordReset => "password-reset",
            Purpose::SecondFactor => "second-factor",
            Purpose::ApiToken => "api-token",
        }
    }

    /// Returns the rule of the wide counter.
    ///
    /// It is per IP address or, for the second factor, per account across all addresses.
    pub fn wide(self) -> Rule {
        let (free, first_wait) = match self {
            Purpose::SignIn | Purpose::Activation => (30, SECOND),
            Purpose::SocialSignIn => (100, SECOND),
            Purpose::Registration => (50, 5 * SECOND),
            Purpose::PasswordReset => (20, 5 * SECOND),
            Purpose::SecondFactor => (50, SECOND),
            Purpose::ApiToken => (100, SECOND),
        };
        Rule { free, first_wait, longest_wait: MINUTE }
    }

    /// Returns the rule of the narrow counter: per account and IP address.
    pub fn narrow(self) -> Rule {
        let (free, first_wait, longest_wait) = match self {
            Purpose::SignIn
            | Purpose::SocialSignIn
            | Purpose::Activation
            | Purpose::SecondFactor
            | Purpose::ApiToken => (5, SECOND, 15 * MINUTE),
            Purpose::Registration => (5, 5 * SECOND, 15 * MINUTE),
            Purpose::PasswordReset => (3, MINUTE, 60 * MINUTE),
        };
        Rule { free, first_wait, longest_wait }
    }
}

impl Rule {
    /// Returns the wait in milliseconds after `attempts` that have not decayed.
    pub(super) fn wait(self, attempts: u64) -> u64 {
        let Some(doublings) = attempts.checked_sub(self.free) else { return 0 };
        let factor = u32::try_from(doublings).ok().and_then(|doublings| 2_u64.checked_pow(doublings));
        factor.map_or(self.longest_wait, |factor| factor.saturating_mul(self.first_wait).min(self.longest_wait))
    }

    /// Returns the number of attempts after which the wait is the longest; more are not counted.
    pub(super) fn most(self) -> u64 {
        (self.free..self.free + 64).find(|attempts| self.wait(*attempts) == self.longest_wait).unwrap_or(self.free)
    }
}

/// A counter of an attempt.
pub(super) struct Counter {
    /// The key. The part in braces is the same for all counters of an attempt, so that they are on the same node of a
    /// Redis cluster (hash tag).
    pub(super) key: String,
    pub(super) rule: Rule,
    /// Whether success resets the counter, instead of removing one attempt.
    pub(super) emptied: bool,
}

/// Returns the counters of an attempt.
pub(super) fn counters(purpose: Purpose, ip: IpAddr, account: Option<&str>) -> Vec<Counter> {
    let (name, address) = (purpose.name(), network(ip));
    let wide = |key| Counter { key, rule: purpose.wide(), emptied: false };
    let narrow = |key| Counter { key, rule: purpose.narrow(), emptied: true };
    let Some(account) = account.map(digest) else { return vec![wide(format!("{{{address}}}:{name}"))] };
    if purpose == Purpose::SecondFactor {
        return vec![wide(format!("{{{account}}}:{name}")), narrow(format!("{{{account}}}:{name}:{address}"))];
    }
    vec![wide(format!("{{{address}}}:{name}")), narrow(format!("{{{address}}}:{name}:{account}"))]
}

/// The limit of emails to one address, from all senders together.
const EMAILS: Rule = Rule { free: 10, first_wait: MINUTE, longest_wait: 15 * MINUTE };

/// Returns the counter of the emails to an address.
pub(super) fn email_counter(address: &str) -> Counter {
    Counter { key: format!("{{{}}}:email", digest(address)), rule: EMAILS, emptied: false }
}

/// Returns the network of one site, as a part of keys.
///
/// That is an IPv4 address, or the /64 prefix of an IPv6 address (RFC 6177).
pub fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{}/64", Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Returns the digest of an account for a key: of fixed length, and without personal data.
fn digest(account: &str) -> String {
    hex::encode(Sha256::digest(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Purpose; 7] = [
        Purpose::SignIn,
        Purpose::SocialSignIn,
        Purpose::Registration,
        Purpose::Activation,
        Purpose::PasswordReset,
        Purpose::SecondFactor,
        Purpose::ApiToken,
    ];

    #[test]
    fn waits_double_up_to_the_longest() {
        let rule = Rule { free: 3, first_wait: 1000, longest_wait: 6000 };
        let waits: Vec<u64> = (0..9).map(|attempts| rule.wait(attempts)).collect();
        assert_eq!(waits, [0, 0, 0, 1000, 2000, 4000, 6000, 6000, 6000]);
        assert_eq!((rule.most(), rule.wait(u64::MAX)), (6, 6000));
    }

    #[test]
    fn an_account_is_watched_more_closely_than_an_address() {
        for purpose in ALL {
            let (wide, narrow) = (purpose.wide(), purpose.narrow());
            assert!(wide.free >= 4 * narrow.free && wide.longest_wait < narrow.longest_wait, "{purpose:?}");
            for rule in [wide, narrow] {
                assert_eq!(rule.wait(rule.most()), rule.longest_wait, "{purpose:?}: the end is reached");
            }
        }
    }

    /// One IP address cannot make attempts faster than they decay in the wide counter.
    ///
    /// The narrow counter allows one IP address its maximum at once and then fewer and fewer attempts, while one
    /// attempt per minute decays in the wide counter.
    #[test]
    fn one_address_cannot_fill_the_second_factors_wide_counter() {
        let (wide, narrow) = (Purpose::SecondFactor.wide(), Purpose::SecondFactor.narrow());
        assert!(narrow.most() < wide.free && narrow.longest_wait > wide.longest_wait);
    }

    #[test]
    fn what_counts_together_has_one_key() {
        let keys = |purpose, ip: &str, account| -> Vec<String> {
            counters(purpose, ip.parse().unwrap(), account).into_iter().map(|counter| counter.key).collect()
        };
        let first = |ip: &str| keys(Purpose::SignIn, ip, None).remove(0);
        assert_eq!(first("203.0.113.7"), "{203.0.113.7}:sign-in");
        assert_eq!(first("::ffff:203.0.113.7"), first("203.0.113.7"));
        assert_eq!(first("2001:db8:1:2:3:4:5:6"), "{2001:db8:1:2::/64}:sign-in");
        assert_eq!(first("2001:db8:1:2:ffff::"), first("2001:db8:1:2::1"));
        assert_ne!(first("2001:db8:1:3::1"), first("2001:db8:1:2::1"));

        let ada = digest("ada");
        assert_eq!(ada.len(), 64);
        let expected = ["{203.0.113.7}:sign-in".to_owned(), format!("{{203.0.113.7}}:sign-in:{ada}")];
        assert_eq!(keys(Purpose::SignIn, "203.0.113.7", Some("ada")), expected);
        let expected = [format!("{{{ada}}}:second-factor"), format!("{{{ada}}}:second-factor:203.0.113.7")];
        assert_eq!(keys(Purpose::SecondFactor, "203.0.113.7", Some("ada")), expected);
        let mut all: Vec<String> = ALL.into_iter().flat_map(|purpose| keys(purpose, "::1", Some("ada"))).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 2 * ALL.len());
    }
}
