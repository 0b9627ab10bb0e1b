//! The accounts' SQL.

pub(super) mod email_change;
pub(super) mod identity;
pub(super) mod registration;
pub(super) mod second_factor;
pub(super) mod session;
pub(super) mod user;
