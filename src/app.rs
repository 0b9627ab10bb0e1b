//! The composition root: starts and stops an [`App`] with its embedded services.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::config::Config;
use crate::platform::auth::{ApiTokens, Codes, Passwords, Revocations, Seal, Tokens, derived};
use crate::platform::clock::Clock;
use crate::platform::db::{self, Db, migrations};
use crate::platform::embedded::objects::{self, Objects};
use crate::platform::embedded::postgres::{self, Postgres};
use crate::platform::ffmpeg::Ffmpeg;
use crate::platform::hooks::Hooks;
use crate::platform::identity::Providers;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::jobs::{Handler, Registry, cron, worker::Worker};
use crate::platform::mail::suppression;
use crate::platform::mail::{Mailer, Sample};
use crate::platform::origins::PageOrigins;
use crate::platform::outbox::dispatcher;
use crate::platform::payments::Payments;
use crate::platform::payments::sandbox::{self, Sandbox};
use crate::platform::pubsub::PubSub;
use crate::platform::push::Pusher;
use crate::platform::redis::RedisLink;
use crate::platform::shares::Shares;
use crate::platform::storage::{self, Storage};
use crate::platform::telemetry::Metrics;
use crate::platform::throttle::{self, Throttle};
use crate::platform::tls;
use crate::platform::{App, Services};
use crate::platform::{idempotency, retention};
use crate::{
    accounts, catalog, channels, discussions, enrollments, live, media, memberships, notifications, orders, reviews,
};

/// The capacity of the queue for events of the embedded store.
const STORE_EVENTS: usize = 1024;

/// Returns all job handlers of the program.
///
/// # Errors
/// Two handlers have the same name.
pub fn registry() -> Result<Registry, InternalError> {
    let platform = retention::handlers().into_iter().chain(idempotency::handlers()).chain([suppression::handler()]);
    let platform = platform.chain(sandbox::handlers());
    let features: [Vec<Handler>; 11] = [
        accounts::handlers(),
        catalog::handlers(),
        channels::handlers(),
        discussions::handlers(),
        enrollments::handlers(),
        live::handlers(),
        media::handlers(),
        memberships::handlers(),
        notifications::handlers(),
        orders::handlers(),
        reviews::handlers(),
    ];
    Registry::new(platform.into_iter().chain(features.into_iter().flatten()))
}

/// Returns the functions that features call and later features provide.
pub fn hooks() -> Hooks {
    Hooks::default().with(vec![reviews::post_hook()])
}

/// Returns examples of all emails of the program, for the preview.
pub fn mails() -> Vec<Sample> {
    let features =
        [accounts::mails(), channels::mails(), memberships::mails(), orders::mails(), notifications::mails()];
    features.into_iter().flatten().collect()
}

/// A running program.
pub struct Running {
    /// The application.
    pub app: App,
    /// The embedded services, for the banner: the kind of each, and how to replace it.
    pub embedded: Vec<(&'static str, String)>,
    postgres: Option<Postgres>,
}

/// Starts the embedded services and connects to the external ones.
///
/// # Errors
/// Something cannot be reached or started.
pub async fn start(config: Config) -> Result<Running, InternalError> {
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    let clock = Clock::System;
    let mut embedded = Vec::new();
    let secret = secret(&config)?;

    let (database_url, postgres) = match &config.database_url {
        Some(url) => (url.clone(), None),
        None => {
            let folder = config.data.join("postgres");
            let options = postgres::Options { folder, durable: true, search_path: config.path.clone() };
            let postgres = Postgres::start(options).await?;
            let what = if postgres.owns() { "" } else { ", owned by another lyceum process" };
            embedded.push(("database", format!("PostgreSQL {}{what}; set DATABASE_URL", postgres.version())));
            (postgres.url().to_owned(), Some(postgres))
        }
    };
    let settings = db::Settings {
        url: database_url,
        connections: config.db_connections,
        timeout: config.limits.timeout,
        schema: None,
    };
    let db = Db::new(&settings)?;

    let (throttle, pubsub) = match &config.redis_url {
        Some(url) => {
            let link = RedisLink::connect(url).await?;
            (
                Throttle::redis(link, "lyceum:throttle:", clock.clone(), throttle::PATIENCE),
                PubSub::redis(url, "lyceum:topic:", &tasks, stopping.clone()).await?,
            )
        }
        None => {
            embedded.push(("push", "in this process; set REDIS_URL for more than one node".into()));
            (Throttle::memory(clock.clone()), PubSub::local())
        }
    };
    let (tell, heard) = mpsc::channel(STORE_EVENTS);
    let storage = storage(&config, &secret, &mut embedded, &tasks, (&stopping, tell)).await?;
    let ffmpeg = Ffmpeg::find(&config.video, config.path.as_deref(), &config.data).await?;
    let mailer = match &config.smtp_url {
        Some(url) => Mailer::smtp(url, &config.mail_from)?,
        None => {
            embedded.push(("mail", format!("files, shown at {}/dev/mail; set SMTP_URL", config.public_url)));
            Mailer::files(config.data.join("mail"), &config.mail_from)?
        }
    };
    let payments = payments(&config, &secret, &clock, &mut embedded)?;
    // One core stays free for everything other than password hashing.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
    let lifetime = TimeDelta::from_std(config.token_lifetime).context("LYCEUM_TOKEN_MINUTES")?;
    let secrets = std::iter::once(&secret).chain(&config.previous_secrets);
    let app = App::new(Services {
        node: Uuid::new_v4(),
        passwords: Passwords::new(threads)?,
        codes: Codes::new(secrets.map(|secret| hex::encode(derived(secret, "codes"))))?,
        tokens: Tokens::new(&secret, &config.previous_secrets, lifetime, clock.clone()),
        seal: Seal::new(&secret, &config.previous_secrets),
        epoch: Default::default(),
        revocations: Revocations::new(config.token_lifetime),
        identity: Providers::new(&config.identity, &clock)?,
        pusher: Pusher::new(&config, &secret, &clock)?,
        payments,
        api_tokens: ApiTokens::default(),
        hooks: hooks(),
        metrics: Metrics::new(),
        connections: Shares::new(config.limits.client_connections),
        sockets: Shares::new(config.limits.client_sockets),
        draining: CancellationToken::new(),
        config,
        clock,
        db,
        throttle,
        pubsub,
        storage,
        ffmpeg,
        mailer,
        tasks,
        stopping,
    });
    app.tasks.spawn(hear(app.clone(), heard));
    Ok(Running { app, embedded, postgres })
}

impl Running {
    /// Applies pending migrations in development; in production, fails if there are any.
    ///
    /// # Errors
    /// The database failed, or migrations are pending in production.
    pub async fn prepare_database(&self) -> Result<(), InternalError> {
        let newer = migrations::newer(&self.app.db).await?;
        if !newer.is_empty() {
            tracing::warn!(migrations = newer.join(", "), "a newer version of the program has migrated the database");
        }
        if self.app.config.is_production() {
            let pending = migrations::pending(&self.app.db).await?;
            if pending.is_empty() {
                return Ok(());
            }
            return Err(InternalError::new(format!("the database lacks {}; run `lyceum migrate`", pending.join(", "))));
        }
        migrations::run(&self.app.db).await.map(drop)
    }

    /// Returns whether the database goes on when other processes end: this process runs it, or it is not embedded.
    pub fn owns_database(&self) -> bool {
        self.postgres.as_ref().is_none_or(Postgres::owns)
    }

    /// Starts the dispatcher, the job worker and the schedule in the background.
    ///
    /// # Errors
    /// Two handlers have the same name.
    pub fn work(&self) -> Result<(), InternalError> {
        let (app, registry) = (&self.app, registry()?);
        app.tasks.spawn(dispatcher::run(app.clone(), registry.clone()));
        app.tasks.spawn(cron::run(app.clone(), registry.clone()));
        app.tasks.spawn(Worker::new(app.clone(), registry).run());
        Ok(())
    }

    /// Starts the background task of a server, which polls for revoked sessions.
    pub fn watch(&self) {
        self.app.tasks.spawn(accounts::watch_revocations(self.app.clone()));
    }

    /// Stops the background tasks, then the embedded services.
    ///
    /// # Errors
    /// The embedded PostgreSQL did not stop.
    pub async fn stop(self) -> Result<(), InternalError> {
        self.app.stopping.cancel();
        self.app.pubsub.close();
        self.app.tasks.close();
        // Running jobs get the grace period; the additional second is for releasing their leases.
        let patience = self.app.config.shutdown_grace + Duration::from_secs(1);
        if tokio::time::timeout(patience, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("some background tasks did not end in time");
        }
        match self.postgres {
            Some(postgres) => postgres.stop().await,
            None => Ok(()),
        }
    }
}

fn payments(
    config: &Config,
    secret: &str,
    clock: &Clock,
    embedded: &mut Vec<(&'static str, String)>,
) -> Result<Payments, InternalError> {
    let gateways = &config.payments.gateways;
    if !config.payments.sandbox {
        return Payments::new(None, gateways, tls::roots(), clock);
    }
    embedded.push(("payments", "a sandbox that takes no money; see docs/payments.md".into()));
    // Its webhooks come from this machine.
    let addr = match config.addr.ip().is_unspecified() {
        true => SocketAddr::from(([127, 0, 0, 1], config.addr.port())),
        false => config.addr,
    };
    Payments::new(Some(Sandbox::new(secret, &format!("http://{addr}"))?), gateways, tls::roots(), clock)
}

async fn storage(
    config: &Config,
    secret: &str,
    embedded: &mut Vec<(&'static str, String)>,
    tasks: &TaskTracker,
    (stopping, tell): (&CancellationToken, mpsc::Sender<Value>),
) -> Result<Storage, InternalError> {
    if let Some(s3) = &config.s3 {
        return Ok(Storage::connect(storage::Settings {
            endpoint: s3.endpoint.clone(),
            bucket: s3.bucket.clone(),
            region: s3.region.clone(),
            access_key: s3.access_key.clone(),
            secret_key: s3.secret_key.clone(),
        }));
    }
    let options = objects::Options {
        folder: config.data.join("objects"),
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        // The same keys after a restart, so that a signed URL given out before still works.
        access_key: Some("LYCEUMEMBEDDED".into()),
        secret_key: Some(hex::encode(derived(secret, "objects"))),
        allowed_origins: PageOrigins::of(config),
        events: Some(tell),
    };
    let objects = Objects::start(options, tasks, stopping.clone()).await?;
    embedded.push(("objects", format!("S3-compatible store at {}; set S3_ENDPOINT, S3_BUCKET", objects.endpoint())));
    let storage = Storage::connect(storage::Settings {
        endpoint: Some(objects.endpoint()),
        bucket: "lyceum".into(),
        region: "us-east-1".into(),
        access_key: objects.access_key().into(),
        secret_key: objects.secret_key().into(),
    });
    storage.ensure_bucket().await?;
    Ok(storage)
}

/// Receives the events of the embedded store, like the webhook for other stores.
///
/// The job that monitors uploads makes up for lost events.
async fn hear(app: App, mut heard: mpsc::Receiver<Value>) {
    while let Some(Some(event)) = app.stopping.run_until_cancelled(heard.recv()).await {
        if let Err(error) = media::receive_store_event(&app, &event).await {
            tracing::warn!(error = error.report(), "an event of the embedded store was lost");
        }
    }
}

/// Returns the configured secret, or a generated one in development.
///
/// The secret is generated at the first start and stored.
fn secret(config: &Config) -> Result<String, InternalError> {
    if let Some(secret) = &config.secret {
        return Ok(secret.clone());
    }
    let path = config.data.join("secret");
    match std::fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= 32 => Ok(secret.trim().to_owned()),
        Ok(_) => Err(InternalError::new(format!("{} is damaged; delete it", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = hex::encode(rand::random::<[u8; 32]>());
            write_private(&path, &secret).context(format!("cannot write {}", path.display()))?;
            Ok(secret)
        }
        Err(error) => Err(error).context(format!("cannot read {}", path.display())),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
