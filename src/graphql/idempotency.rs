//! The input field `idempotencyKey`, which every mutation that creates something has.

use async_graphql::{InputObject, InputType};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::Check;
use super::{Entity, Error, Id, Result, UserErrorCode};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::idempotency::{self, Claim};

const FIELD: &str = "idempotencyKey";
const LONGEST_KEY: usize = 100;

/// Identifies a request that may be sent again.
#[derive(Clone, Debug, Default, InputObject)]
pub struct Idempotency {
    /// A key of your choice for this request, 1 to 100 characters, such as a random UUID. If the same request is sent
    /// again within 24 hours, it creates nothing and returns the same object. A key that was used with another input is
    /// rejected.
    pub idempotency_key: Option<String>,
}

/// A claimed key, or no key at all.
#[must_use]
pub struct Claimed<'a>(Option<(Uuid, &'a str)>);

/// What a request with an idempotency key has to do.
pub enum Turn<'a, T> {
    /// Create the object, and then call [`Claimed::keep`].
    Create(Claimed<'a>),
    /// Return the object that an earlier request created.
    Repeat(Id<T>),
}

impl Idempotency {
    /// Claims the key, if there is one, for this mutation of the user with this input.
    ///
    /// Call it first in the transaction that creates.
    ///
    /// # Errors
    /// The key is too long or blank, or was used with another input; the database failed.
    pub async fn claim<T: Entity>(
        &self,
        tx: &mut Tx,
        app: &App,
        user: Uuid,
        mutation: &str,
        input: &impl InputType,
    ) -> Result<Turn<'_, T>> {
        let Some(key) = &self.idempotency_key else { return Ok(Turn::Create(Claimed(None))) };
        let mut check = Check::new();
        check.required(FIELD, key, LONGEST_KEY);
        check.finish()?;
        let mut hash = Sha256::new_with_prefix(mutation);
        hash.update(input.to_value().to_string());
        match idempotency::claim(tx, user, key, &hash.finalize(), app.clock.now()).await? {
            Claim::New => Ok(Turn::Create(Claimed(Some((user, key))))),
            Claim::Repeated(id) => Ok(Turn::Repeat(Id::new(id))),
            Claim::OtherInput => {
                let message = "This key was used with another input; choose a new one.";
                Err(Error::invalid(UserErrorCode::Taken, &[FIELD], message))
            }
        }
    }
}

impl Claimed<'_> {
    /// Keeps the id of what was created.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep(self, tx: &mut Tx, created: Uuid) -> Result<()> {
        if let Claimed(Some((user, key))) = self {
            idempotency::keep(tx, user, key, created).await?;
        }
        Ok(())
    }
}

/// Returns the error for an object that an earlier request created and that is gone.
pub fn gone() -> Error {
    let message = "What was created with this key has been deleted since; choose a new key to create it again.";
    Error::invalid(UserErrorCode::NotFound, &[FIELD], message)
}
