//! Recognizes the errors of an unavailable or overloaded database.

use std::error::Error as StdError;

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::pooled_connection::PoolError as ConnectionError;
use diesel_async::pooled_connection::deadpool::PoolError;

/// Why an operation that is correct has failed. It can be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The database is away, restarting, full, or read-only until it is promoted, or all connections stayed busy.
    Unavailable,
    /// A statement took too long.
    Timeout,
}

/// The messages of PostgreSQL in such a case; diesel does not tell the SQLSTATE.
const MESSAGES: [(&str, Outage); 6] = [
    ("due to statement timeout", Outage::Timeout),
    ("due to lock timeout", Outage::Timeout),
    ("No space left on device", Outage::Unavailable),
    ("the database system is", Outage::Unavailable),
    ("terminating connection", Outage::Unavailable),
    ("connection slots are reserved", Outage::Unavailable),
];

/// Returns whether an error is an outage of the database.
pub fn outage(error: &(dyn StdError + 'static)) -> Option<Outage> {
    if error.is::<PoolError>() || error.is::<ConnectionError>() {
        return Some(Outage::Unavailable);
    }
    match error.downcast_ref::<Error>()? {
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction,
            _,
        )
        | Error::BrokenTransactionManager => Some(Outage::Unavailable),
        Error::DatabaseError(_, info) => {
            MESSAGES.iter().find(|(text, _)| info.message().contains(text)).map(|(_, outage)| *outage)
        }
        _ => None,
    }
}
