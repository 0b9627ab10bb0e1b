//! Argon2id on a bounded pool: hashing takes tens of milliseconds of a core on purpose, so it never runs on an async
//! thread, and a flood of sign-ins waits in line instead of starving everything else.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::platform::fault::{Context, Fault};

/// How long a sign-in waits for a turn before it is told that the server is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// The password is right, and its hash is weaker than today's settings: store a new one.
    Outdated,
    /// The password is wrong.
    Wrong,
}

/// Hashes and checks passwords; cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    params: Params,
    /// Checked when there is no such user, so that the answer takes as long.
    decoy: Arc<str>,
}

impl Passwords {
    /// A pool with `threads` hashes at a time. Memory and passes are OWASP's recommendation for Argon2id (19 MiB, two
    /// passes, one lane; Password Storage Cheat Sheet).
    ///
    /// # Errors
    /// Argon2 refuses the parameters.
    pub fn new(threads: usize) -> Result<Passwords, Fault> {
        let params = Params::new(19 * 1024, 2, 1, None).context("Argon2 parameters")?;
        let decoy = hash(&params, "nobody has this password")?;
        Ok(Passwords { turns: Arc::new(Semaphore::new(threads)), params, decoy: decoy.into() })
    }

    /// The PHC string to store for `password`.
    ///
    /// # Errors
    /// The server was too busy to hash for ten seconds.
    pub async fn hash(&self, password: String) -> Result<String, Fault> {
        let params = self.params.clone();
        self.in_turn(move || hash(&params, &password)).await
    }

    /// Compares `password` with a stored PHC string; with `None` (no such user) takes the same time and says
    /// [`Verdict::Wrong`].
    ///
    /// # Errors
    /// The server was too busy for ten seconds, or the stored string is not a PHC string.
    pub async fn check(&self, password: String, stored: Option<String>) -> Result<Verdict, Fault> {
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

    async fn in_turn<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, Fault> + Send + 'static,
    ) -> Result<R, Fault> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned())
            .await
            .context("too many passwords to check at once")?
            .context("the password pool is closed")?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .context("a password check was interrupted")?
    }
}

fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(params: &Params, password: &str) -> Result<String, Fault> {
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
    async fn a_weaker_hash_is_reported() {
        let weak = hash(&Params::new(8 * 1024, 1, 1, None).unwrap(), "correct horse").unwrap();
        let passwords = Passwords::new(1).unwrap();
        assert_eq!(passwords.check("correct horse".into(), Some(weak)).await.unwrap(), Verdict::Outdated);
    }
}
