//! SQL of the accounts feature.

pub(super) mod api_token;
pub(super) mod audit;
pub(super) mod deletion;
pub(super) mod directory;
pub(super) mod email_change;
pub(super) mod export;
pub(super) mod identity;
pub(super) mod named;
pub(super) mod profile;
pub(super) mod registration;
pub(super) mod retention;
pub(super) mod second_factor;
pub(super) mod session;
pub(super) mod session_list;
pub(super) mod team;
pub(super) mod user;
