//! Adapters to infrastructure: database, object storage, mail, time. They contain no domain logic.
//!
//! [`App`] bundles them and is passed to every command and query. `app.rs` constructs it.

// Paths are the same in all crates, but for `pub(in …)`, which wants the real one.
use crate as platform;
use lyceum_config as config;

pub mod access_token;
pub mod audit;
pub mod auth;
pub mod clock;
pub mod csv;
pub mod db;
pub mod embedded;
pub mod fetch;
pub mod ffmpeg;
pub mod google;
pub mod hooks;
pub mod idempotency;
pub mod identity;
pub mod image;
pub mod inbox;
pub mod internal_error;
pub mod jobs;
pub mod language;
pub mod mail;
pub mod markdown;
pub mod origins;
pub mod outage;
pub mod outbox;
pub mod payments;
pub mod pdf;
pub mod picture;
pub mod pubsub;
pub mod push;
pub mod redis;
pub mod retention;
pub mod seeding;
pub mod shares;
pub mod storage;
pub mod telemetry;
pub mod throttle;
pub mod tls;

use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::config::Config;

/// The shared services of the application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Services>);

/// The services of an [`App`].
pub struct Services {
    /// The id of this process, for leases.
    pub node: Uuid,
    /// The configuration.
    pub config: Config,
    /// The clock.
    pub clock: clock::Clock,
    /// PostgreSQL.
    pub db: db::Db,
    /// The rate limiter.
    pub throttle: throttle::Throttle,
    /// Publish and subscribe between nodes.
    pub pubsub: pubsub::PubSub,
    /// Object storage for videos, images, and files.
    pub storage: storage::Storage,
    /// `ffmpeg` and `ffprobe`, if they are installed.
    pub ffmpeg: Option<ffmpeg::Ffmpeg>,
    /// Outgoing mail.
    pub mailer: mail::Mailer,
    /// Payment providers.
    pub payments: payments::Payments,
    /// Push messages to devices.
    pub pusher: push::Pusher,
    /// Password hashing.
    pub passwords: auth::Passwords,
    /// Emailed codes and links.
    pub codes: auth::Codes,
    /// Access tokens.
    pub tokens: auth::Tokens,
    /// Encryption of stored secrets.
    pub seal: auth::Seal,
    /// The revoked access tokens.
    pub revocations: auth::Revocations,
    /// The epoch of the event log.
    pub epoch: outbox::Epoch,
    /// External identity providers.
    pub identity: identity::Providers,
    /// The cache of personal API tokens.
    pub api_tokens: auth::ApiTokens,
    /// Functions that features call and later ones provide.
    pub hooks: hooks::Hooks,
    /// Metrics for `/metrics`.
    pub metrics: telemetry::Metrics,
    /// The open connections of each client.
    pub connections: shares::Shares,
    /// The open WebSockets of each client.
    pub sockets: shares::Shares,
    /// Background tasks; shutdown waits for them.
    pub tasks: TaskTracker,
    /// Canceled when the process is about to shut down: load balancers should send requests elsewhere.
    pub draining: CancellationToken,
    /// Canceled when the process should shut down.
    pub stopping: CancellationToken,
}

impl App {
    /// Bundles the services.
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
