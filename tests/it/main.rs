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
mod catalog;
mod channels;
mod clients;
mod console;
mod deliveries;
mod discussions;
mod docs;
mod enrollments;
mod http;
mod idempotency;
mod identity;
mod jobs;
mod live;
mod loaders;
mod mail;
mod media;
mod memberships;
mod migrations;
mod nodes;
mod notifications;
mod null_propagation;
mod orders;
mod postgres;
mod pubsub;
mod push;
mod redis;
mod retention;
mod reviews;
mod row_cache;
mod schema;
mod screens;
mod sequential;
mod storage;
mod streaming;
mod throttle;
mod transactions;
mod websocket;
