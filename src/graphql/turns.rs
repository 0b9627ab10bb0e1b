//! Bounds the expensive reads that one client has in flight, so that it does not keep the others waiting.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Error, Result};
use crate::platform::throttle::network;

/// The maximum number of expensive reads in flight per client network.
const MOST: usize = 16;

/// The expensive reads in flight, by client network.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<String, usize>>>);

/// The right to one expensive read, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    network: String,
}

impl Turns {
    /// Takes a turn for the client at `ip`.
    ///
    /// # Errors
    /// `RATE_LIMITED`: the client has too many reads in flight.
    pub(super) fn take(&self, ip: IpAddr) -> Result<Turn> {
        let network = network(ip);
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = turns.entry(network.clone()).or_default();
        if *taken >= MOST {
            return Err(Error::RateLimited { wait: Duration::from_secs(1) });
        }
        *taken += 1;
        Ok(Turn { turns: self.clone(), network })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.get_mut(&self.network) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => drop(turns.remove(&self.network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_bounded_number_of_turns_and_others_have_theirs() {
        let turns = Turns::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut taken: Vec<Turn> = (0..MOST).map(|_| turns.take(ip("2001:db8::1")).unwrap()).collect();
        assert!(matches!(turns.take(ip("2001:db8::2")), Err(Error::RateLimited { .. })), "the same network");
        assert!(turns.take(ip("2001:db8:0:1::1")).is_ok());
        taken.pop();
        assert!(turns.take(ip("2001:db8::2")).is_ok());
        drop(taken);
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
