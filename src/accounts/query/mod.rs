//! The accounts' SQL.

pub(super) mod audit;
pub(super) mod directory;
pub(super) mod identity;
pub(super) mod second_factor;
pub(super) mod session;
pub(super) mod user;
