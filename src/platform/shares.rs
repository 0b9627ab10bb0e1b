//! Bounds what one client has in use at a time, so that it does not keep the others waiting.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::throttle::network;

/// Counts the uses of one resource by client network.
#[derive(Clone)]
pub struct Shares {
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// One use of the resource, until it is dropped.
pub struct Share {
    shares: Shares,
    network: String,
}

impl Shares {
    /// Returns shares of which each client network has at most `most` in use.
    pub fn new(most: usize) -> Shares {
        Shares { most, taken: Arc::default() }
    }

    /// Takes a share for the client at `ip`; `None` if its network has all of its shares in use.
    pub fn take(&self, ip: IpAddr) -> Option<Share> {
        let network = network(ip);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), network })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_bounded_number_of_shares_and_others_have_theirs() {
        let shares = Shares::new(3);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut taken: Vec<Share> = (0..3).map(|_| shares.take(ip("2001:db8::1")).unwrap()).collect();
        assert!(shares.take(ip("2001:db8::2")).is_none(), "the same network");
        assert!(shares.take(ip("2001:db8:0:1::1")).is_some());
        taken.pop();
        assert!(shares.take(ip("2001:db8::2")).is_some());
        drop(taken);
        assert!(shares.taken.lock().unwrap().is_empty());
    }
}
