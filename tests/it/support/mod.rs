//! What tests stand on.
#![allow(dead_code)]

pub(crate) mod app;
pub(crate) mod cluster;
pub(crate) mod documents;
pub(crate) mod github;
pub(crate) mod issuer;
pub(crate) mod moto;
pub(crate) mod process;
pub(crate) mod redis;
pub(crate) mod socket;

pub(crate) use app::{TestApp, User};
