//! The accounts' SQL.

pub(super) mod session;
pub(super) mod user;
