//! The accounts' SQL.

pub(super) mod api_token;
pub(super) mod identity;
pub(super) mod second_factor;
pub(super) mod session;
pub(super) mod user;
