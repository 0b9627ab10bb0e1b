//! Lyceum: a GraphQL backend for online course platforms.
//!
//! # Layers
//!
//! A request enters at the top and goes down; no layer knows those above it (`tests/it/architecture/` enforces this):
//!
//! ```text
//! cli                    one file per subcommand; `app.rs` builds an App
//! http                   GraphQL over HTTP, WebSocket, console, playlists, storage events, health
//! graphql::schema        the one file that knows every feature
//! features               accounts < channels < media < entitlements < catalog < enrollments < discussions
//!                        < reviews < memberships < orders < live < notifications: each may use those before it
//! graphql                the kernel: errors, ids, pages, loaders, limits, execution; knows no feature
//! platform               adapters: database, outbox, jobs, pub/sub, cache, objects, mail, time
//! config                 every setting
//! ```
//!
//! `config`, `platform`, the kernel and each feature are crates of their own (`lyceum_catalog` is `src/catalog/lib.rs`), whose
//! paths are the same everywhere (`crate::catalog::Course`). What features have in the schema, in their `graphql/`, is in
//! this crate, because there they show each other: `src/catalog/mod.rs` is both together, and `src/graphql/mod.rs` the
//! kernel with the schema and the executor.
//!
//! **A query.** [`http`] authenticates the caller by the access token, without a database read. [`graphql::Executor`]
//! takes the parsed document from its cache, checks depth and cost, and lets async-graphql execute it. A resolver is a
//! few lines: it asks [`graphql::loaders::Loaders`] for a key; the keys of a level become one statement in the feature's
//! `query.rs`. What does not depend on the viewer is cached for a second, or until this node learns of a change
//! ([`platform::db::Invalidation`]). Objects are wrapped in [`graphql::Sequential`], which resolves plain fields without
//! a future for each.
//!
//! **A mutation.** A resolver calls one function of the feature's `command.rs`: validate, load, authorize (`policy.rs`),
//! write. All writes of a command are one transaction, proved by [`platform::db::Tx`], and events are recorded in it
//! ([`platform::outbox`]). What a user can fix comes back as `userErrors`, everything else as an error with a code
//! ([`graphql::Error`]).
//!
//! **A reaction.** After the commit the dispatcher gives the event its position, makes a job for each handler that
//! reacts to it (`job.rs` of a feature; [`platform::jobs`] leases, retries and buries jobs), and publishes it.
//!
//! **A push.** A subscription follows a topic ([`platform::outbox::feed`]): first the missed events, from the log, then
//! what [`platform::pubsub`] delivers, each event once and in order. The push is never the only copy.
//!
//! `docs/ARCHITECTURE.md` has the rules, and the test that holds each.

pub mod accounts;
pub mod app;
pub mod catalog;
pub mod channels;
pub mod cli;
pub mod discussions;
pub mod enrollments;
pub mod entitlements;
pub mod graphql;
pub mod http;
pub mod live;
pub mod media;
pub mod memberships;
pub mod notifications;
pub mod orders;
pub mod reviews;

pub use lyceum_config as config;
pub use lyceum_platform as platform;
