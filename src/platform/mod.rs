//! Adapters to what is outside: database, cache, objects, mail, time. They know nothing about courses.
//!
//! [`App`] bundles them; it is what every command and query is given. `app.rs` puts one together.

pub mod audit;
pub mod auth;
pub mod cache;
pub mod clock;
pub mod db;
pub mod embedded;
pub mod fault;
pub mod fetch;
pub mod ffmpeg;
pub mod identity;
pub mod image;
pub mod inbox;
pub mod jobs;
pub mod language;
pub mod mail;
pub mod markdown;
pub mod outbox;
pub mod pubsub;
pub mod redis;
pub mod storage;
pub mod telemetry;
pub mod throttle;
pub mod tls;

use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;

/// Everything that features use; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Services>);

/// The parts of an [`App`].
pub struct Services {
    /// What is set.
    pub config: Config,
    /// What time it is.
    pub clock: clock::Clock,
    /// PostgreSQL.
    pub db: db::Db,
    /// Values that may be lost.
    pub cache: cache::Cache,
    /// Attempts that may not be repeated endlessly.
    pub throttle: throttle::Throttle,
    /// Push between nodes.
    pub pubsub: pubsub::PubSub,
    /// Videos, images, files.
    pub storage: storage::Storage,
    /// The programs that look at videos and convert them, if they are there.
    pub ffmpeg: Option<ffmpeg::Ffmpeg>,
    /// Outgoing mail.
    pub mailer: mail::Mailer,
    /// Password hashing.
    pub passwords: auth::Passwords,
    /// Codes and links that are mailed.
    pub codes: auth::Codes,
    /// Access tokens.
    pub tokens: auth::Tokens,
    /// Encryption of stored secrets.
    pub seal: auth::Seal,
    /// Which access tokens are no longer good.
    pub revocations: auth::Revocations,
    /// Services that vouch for people.
    pub identity: identity::Providers,
    /// What is remembered of personal API tokens.
    pub api_tokens: auth::ApiTokens,
    /// Counters for `/metrics`.
    pub metrics: telemetry::Metrics,
    /// Background tasks: shutdown waits for them.
    pub tasks: TaskTracker,
    /// Cancelled when the program should end.
    pub stopping: CancellationToken,
}

impl App {
    /// Bundles `services`.
    pub fn new(services: Services) -> App {
        App(Arc::new(services))
    }
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}
