//! Everything through the real router, a real PostgreSQL and, where it is the point, a real Redis, S3, SMTP and
//! browser. Modules mirror the features.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that cannot go on should stop where it stands"
)]

mod support;

mod accounts;
mod architecture;
mod cache;
mod catalog;
mod console;
mod docs;
mod http;
mod identity;
mod inline;
mod jobs;
mod kept;
mod loaders;
mod mail;
mod media;
mod migrations;
mod nodes;
mod nulls;
mod postgres;
mod pubsub;
mod push;
mod schema;
mod storage;
mod throttle;
mod websocket;
