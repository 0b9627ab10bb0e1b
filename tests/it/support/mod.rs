//! What tests stand on.
#![allow(dead_code)]

pub(crate) mod app;
pub(crate) mod cluster;
pub(crate) mod documents;
pub(crate) mod github;
pub(crate) mod http;
pub(crate) mod issuer;
pub(crate) mod killed;
pub(crate) mod localstripe;
pub(crate) mod moto;
pub(crate) mod pdf;
pub(crate) mod picture;
pub(crate) mod plans;
pub(crate) mod process;
pub(crate) mod push_services;
pub(crate) mod redis;
pub(crate) mod schema;
pub(crate) mod smtp;
pub(crate) mod socket;
pub(crate) mod timing;

use std::time::Duration;

pub(crate) use app::{TestApp, User};
use socket::PATIENCE;
use tokio::time::{sleep, timeout};

/// Waits until `done`, and panics if that does not happen.
pub(crate) async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// How often a test of faults goes round: `times`, or as many times more often as `make faults` says.
pub(crate) fn rounds(times: usize) -> usize {
    static FACTOR: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let factor = || std::env::var("LYCEUM_TEST_FAULTS").map_or(1, |factor| factor.parse().expect("a number"));
    times * FACTOR.get_or_init(factor)
}
