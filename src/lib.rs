//! Lyceum: a GraphQL backend for online course platforms.
//!
//! # A walk through the house
//!
//! A request comes in at the top and goes down; nothing below knows what is above (`tests/it/architecture.rs` holds
//! us to that):
//!
//! ```text
//! cli                    one file per subcommand; `app.rs` puts an App together
//! http                   the edge: GraphQL over HTTP, WebSocket, console, playlists, the store's events, health
//! graphql::schema        the one file that knows every feature
//! accounts channels catalog enrollments media    the features
//! graphql                the kernel: errors, ids, pages, loaders, limits, execution; knows no feature
//! platform               adapters: database, outbox, jobs, pub/sub, cache, objects, mail, time; knows no course
//! config                 every setting
//! ```
//!
//! **A query.** [`http`] finds out who asks from the access token, without a database read. [`graphql::Executor`] takes
//! the parsed document from its cache, checks depth and cost, and lets async-graphql execute it. A resolver is a few
//! lines: it asks [`graphql::loaders::Loaders`] for a key; all keys of a level become one statement in the feature's
//! `query.rs`, and what does not depend on the viewer is kept for a second, or until this node hears of a change
//! ([`platform::db::Changes`]). Objects are wrapped in [`graphql::Sequential`], which resolves plain fields without a future for each.
//!
//! **A mutation.** A resolver calls one function of the feature's `command.rs`: validate, load, authorise (`policy.rs`),
//! write. All writes of a command are one transaction, proved by [`platform::db::Tx`], and what happened is recorded
//! in it ([`platform::outbox`]). What a person can mend comes back as `userErrors`, everything else as an error with
//! a code ([`graphql::Error`]).
//!
//! **A reaction.** After the commit the dispatcher gives the event its position, makes a job for each handler that
//! reacts to it (`job.rs` of a feature; [`platform::jobs`] leases, retries, buries), and pushes it.
//!
//! **A push.** A subscription follows a topic ([`platform::outbox::feed`]): first what it missed, from the log, then
//! what [`platform::pubsub`] delivers, each event once and in order. The push is never the only copy.
//!
//! # Where a line belongs
//!
//! Inside a feature every file has the same name and job: `model.rs` rows and inputs, `query.rs` SQL, `command.rs` use
//! cases, `policy.rs` who may, `event.rs` public facts, `error.rs` what a caller can act on, `loader.rs` batches,
//! `graphql` types and resolvers, `job.rs` reactions. A feature uses another one only through what its `mod.rs`
//! re-exports, and never calls another one's command.

pub mod accounts;
pub mod app;
pub mod catalog;
pub mod channels;
pub mod cli;
pub mod config;
pub mod enrollments;
pub mod entitlements;
pub mod graphql;
pub mod http;
pub mod media;
pub mod platform;
