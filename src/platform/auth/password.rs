//! Password hashing with Argon2id on a bounded pool.
//!
//! Hashing takes tens of milliseconds of CPU time on purpose, so it never runs on an async thread. A burst of sign-ins
//! waits in a bounded queue instead of starving other work; when the queue is full, requests are rejected with a time
//! to retry after.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::platform::internal_error::{Context, InternalError};
use crate::platform::throttle::{Failure, Wait};

/// The length of the queue for each hashing thread: one or two seconds of work.
const LINE: usize = 32;
/// When to retry if the queue is full.
const COME_BACK: Duration = Duration::from_secs(2);

/// The result of verifying a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// The password is right, but its hash is weaker than the current parameters. Store a new one.
    Outdated,
    /// The password is wrong.
    Wrong,
}

/// Hashes and verifies passwords; cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Slots in the queue, including the running hashes.
    line: Arc<Semaphore>,
    computed: Arc<AtomicU64>,
    params: Params,
    /// The hash to verify against if there is no such user. So the response takes the same time.
    decoy: Arc<str>,
}

impl Passwords {
    /// Returns a pool that runs `threads` hashes at a time.
    ///
    /// Memory and passes follow OWASP's recommendation for Argon2id (19 MiB, two passes, one lane; Password Storage
    /// Cheat Sheet).
    ///
    /// # Errors
    /// Argon2 rejects the parameters.
    pub fn new(threads: usize) -> Result<Passwords, InternalError> {
        Passwords::with(threads, Params::new(19 * 1024, 2, 1, None).context("Argon2 parameters")?)
    }

    /// Returns a pool with insecure, fast hashes, for tests that are not about passwords.
    ///
    /// # Errors
    /// Argon2 rejects the parameters.
    pub fn cheap(threads: usize) -> Result<Passwords, InternalError> {
        Passwords::with(threads, Params::new(Params::MIN_M_COST, 1, 1, None).context("Argon2 parameters")?)
    }

    fn with(threads: usize, params: Params) -> Result<Passwords, InternalError> {
        let decoy = hash(&params, "nobody has this password")?;
        let (turns, line) = (Semaphore::new(threads), Semaphore::new(threads * (LINE + 1)));
        Ok(Passwords {
            turns: Arc::new(turns),
            line: Arc::new(line),
            computed: Arc::default(),
            params,
            decoy: decoy.into(),
        })
    }

    /// Returns the PHC string to store for `password`.
    ///
    /// # Errors
    /// The queue is full.
    pub async fn hash(&self, password: String) -> Result<String, Failure> {
        let params = self.params.clone();
        self.in_turn(move || hash(&params, &password)).await
    }

    /// Verifies `password` against a stored PHC string.
    ///
    /// With `None` (no such user) it takes the same time and returns [`Verdict::Wrong`].
    ///
    /// # Errors
    /// The queue is full, or the stored string is not a PHC string.
    pub async fn check(&self, password: String, stored: Option<String>) -> Result<Verdict, Failure> {
        let (params, decoy) = (self.params.clone(), self.decoy.clone());
        self.in_turn(move || {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(&decoy);
            let parsed = PasswordHash::new(stored).context("a stored password hash is unreadable")?;
            if argon2(&params).verify_password(password.as_bytes(), &parsed).is_err() || !known {
                return Ok(Verdict::Wrong);
            }
            let same = Params::try_from(&parsed)
                .is_ok_and(|used| used.m_cost() >= params.m_cost() && used.t_cost() >= params.t_cost());
            Ok(if same { Verdict::Right } else { Verdict::Outdated })
        })
        .await
    }

    /// The number of hashes computed so far, for new passwords and for verification.
    pub fn computed(&self) -> u64 {
        AtomicU64::load(&self.computed, Ordering::Relaxed)
    }

    async fn in_turn<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, InternalError> + Send + 'static,
    ) -> Result<R, Failure> {
        let place = self.line.clone().try_acquire_owned().map_err(|_| Failure::Limited(Wait(COME_BACK)))?;
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.context("the password pool is closed")?;
        self.computed.fetch_add(1, Ordering::Relaxed);
        let working = tokio::task::spawn_blocking(move || {
            let _until_done = (place, turn);
            work()
        });
        let done = working.await.context("a password check was interrupted").and_then(|outcome| outcome);
        Ok(done?)
    }
}

fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(params: &Params, password: &str) -> Result<String, InternalError> {
    Ok(argon2(params).hash_password(password.as_bytes()).context("cannot hash a password")?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let passwords = Passwords::new(1).unwrap();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(passwords.check("correct horse".into(), Some(stored.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(passwords.check("wrong horse".into(), Some(stored)).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.check("nobody has this password".into(), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_full_line_turns_newcomers_away_at_once_and_empties_again() {
        let passwords = Passwords::new(1).unwrap();
        let crowd = (0..LINE + 11).map(|_| passwords.check("somebody".into(), None));
        let answers = futures_util::future::join_all(crowd).await;
        let busy = answers.iter().filter(|answer| matches!(answer, Err(Failure::Limited(_)))).count();
        let checked = answers.iter().filter(|answer| matches!(answer, Ok(Verdict::Wrong))).count();
        assert_eq!((checked, busy), (LINE + 1, 10));
        assert_eq!(passwords.check("somebody".into(), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_reported() {
        let weak = hash(&Params::new(8 * 1024, 1, 1, None).unwrap(), "correct horse").unwrap();
        let passwords = Passwords::new(1).unwrap();
        assert_eq!(passwords.check("correct horse".into(), Some(weak)).await.unwrap(), Verdict::Outdated);
    }
}
