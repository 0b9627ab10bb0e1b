//! SQL of the accounts feature.

pub(crate) mod api_token;
pub(crate) mod audit;
pub(crate) mod deletion;
pub(crate) mod directory;
pub(crate) mod email_change;
pub(crate) mod export;
pub(crate) mod identity;
pub(crate) mod named;
pub(crate) mod profile;
pub(crate) mod registration;
pub(crate) mod retention;
pub(crate) mod second_factor;
pub(crate) mod session;
pub(crate) mod session_list;
pub(crate) mod team;
pub(crate) mod user;
