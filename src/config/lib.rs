//! All settings of the program. No other module reads the environment.
//!
//! [`Config::from_vars`] reports *all* problems at once, so that an operator can fix them in one pass.

mod check;
pub mod discussions;
pub mod gateways;
pub mod identity;
pub mod live;
pub mod notifications;
pub mod objects;
pub mod payments;
pub mod push;
mod reader;
mod settings;
pub mod video;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use discussions::Discussions;
use identity::Identity;
use live::Live;
use notifications::Notifications;
use objects::{S3, Uploads};
use payments::Payments;
use push::Push;
use reader::Reader;
use video::Video;

pub use check::is_local;
pub use settings::{SETTINGS, Setting};

/// Who can read the schema from the server, and is told similar names of unknown fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Every client.
    Everyone,
    /// Administrators.
    Administrators,
}

/// The deployment environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Allows embedded services and demo data, and serves the development pages.
    Development,
    /// Requires external services and strong secrets.
    Production,
}

/// The limits on one request.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The maximum size of a request body, in bytes.
    pub body_bytes: usize,
    /// The maximum depth of nested fields.
    pub depth: usize,
    /// The maximum number of objects that an operation may request.
    pub cost: usize,
    /// The maximum number of aliases in a document.
    pub aliases: usize,
    /// The maximum number of tokens in a document.
    pub tokens: usize,
    /// The maximum number of directives in a document.
    pub directives: usize,
    /// The maximum number of operations in one HTTP request (batch).
    pub batch: usize,
    /// The maximum number of concurrent operations on one WebSocket.
    pub socket_operations: usize,
    /// The maximum number of open connections.
    pub connections: usize,
    /// The maximum number of open connections per client network, unless there is a proxy.
    pub client_connections: usize,
    /// The maximum number of open WebSockets and streams of results per client network.
    pub client_sockets: usize,
    /// The timeout of one operation.
    pub timeout: Duration,
}

/// The effective settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Development or production.
    pub environment: Environment,
    /// The IP address and port to listen on.
    pub addr: SocketAddr,
    /// The public URL of this server, without a trailing slash.
    pub public_url: String,
    /// The URL of the school's front end, without a trailing slash. Links in emails lead to its pages `/activate`,
    /// `/reset-password`, `/confirm-email`, `/join` and `/family`, with a `token` query parameter, to `/open`, which shows
    /// the node whose id is the query parameter `id`, and to `/notifications`.
    pub app_url: String,
    /// The name of the school.
    pub site_name: String,
    /// The folder for the data of embedded services and the generated secret.
    pub data: PathBuf,
    /// The secret that signs access tokens. If `None`, one is generated and stored in the data folder.
    pub secret: Option<String>,
    /// Former values of `secret`; tokens signed with them are still accepted.
    pub previous_secrets: Vec<String>,
    /// The lifetime of an access token.
    pub token_lifetime: Duration,
    /// How long a session stays valid without being refreshed.
    pub session_lifetime: Duration,
    /// The maximum number of sessions per user, beyond which the oldest ends; 0 means no limit.
    pub max_sessions: usize,
    /// Whether administrators must have a second factor.
    pub admins_need_second_factor: bool,
    /// The grace period in which a requested account deletion can be canceled.
    pub deletion_grace: Duration,
    /// Who can read the schema from the server.
    pub introspection: Introspection,
    /// How long entries of the audit trail are retained.
    pub audit_age: TimeDelta,
    /// The address on which `/metrics` is served alone; `None` to serve it with everything else.
    pub metrics_addr: Option<SocketAddr>,
    /// The number of trusted reverse proxies that append to `X-Forwarded-For`.
    pub proxies: usize,
    /// The origins of browser apps that may call this server (CORS).
    pub cors_origins: Vec<String>,
    /// The log filter.
    pub log: String,
    /// Whether the log is written as JSON.
    pub log_json: bool,
    /// The PostgreSQL URL; `None` means embedded.
    pub database_url: Option<String>,
    /// The maximum number of database connections of this process.
    pub db_connections: usize,
    /// The most searches and filtered lists in flight.
    pub searches: usize,
    /// The Redis URLs, comma-separated; `None` means in-process.
    pub redis_url: Option<String>,
    /// The object store; `None` means embedded.
    pub s3: Option<S3>,
    /// Video settings.
    pub video: Video,
    /// Settings of discussions.
    pub discussions: Discussions,
    /// The settings of live classes.
    pub live: Live,
    /// Settings of notifications.
    pub notifications: Notifications,
    /// The time zone of months and billing periods.
    pub time_zone: chrono_tz::Tz,
    /// Settings of orders and payments.
    pub payments: Payments,
    /// Upload limits.
    pub uploads: Uploads,
    /// The mail server URL; if `None`, emails are written to files.
    pub smtp_url: Option<String>,
    /// The sender of emails.
    pub mail_from: String,
    /// The secret with which the mail service authenticates its reports; if `None`, the webhook is off.
    pub mail_hook_secret: Option<String>,
    /// Push messages to devices.
    pub push: Push,
    /// The external identity providers.
    pub identity: Identity,
    /// The limits on one request.
    pub limits: Limits,
    /// The maximum shared-cache TTL of anonymous responses, in seconds; 0 disables caching.
    pub cache_seconds: u64,
    /// Whether rows that are the same for all viewers are cached for a second.
    pub row_cache: bool,
    /// The number of threads that serve requests.
    pub threads: usize,
    /// How long the server goes on after it has told load balancers that it stops.
    pub drain: Duration,
    /// How long running requests and jobs may take at shutdown.
    pub shutdown_grace: Duration,
    /// The `PATH` on which external programs (PostgreSQL, ffmpeg) are searched for.
    pub path: Option<std::ffi::OsString>,
}

impl Config {
    /// Reads the environment and, outside production, the file `.env`. The environment takes precedence.
    ///
    /// # Errors
    /// All problems, one sentence each.
    #[allow(clippy::disallowed_methods)]
    pub fn from_env() -> Result<Config, Vec<String>> {
        let mut config = Config::from_vars(environment()?)?;
        config.path = std::env::var_os("PATH");
        Ok(config)
    }

    /// Returns the settings that are set, with their values, including secrets.
    pub fn given() -> BTreeMap<String, String> {
        let mut vars = environment().unwrap_or_default();
        vars.retain(|name, _| SETTINGS.iter().any(|setting| setting.name == name));
        vars
    }

    /// Reads settings from `vars`.
    ///
    /// # Errors
    /// All problems, one sentence each.
    pub fn from_vars(vars: BTreeMap<String, String>) -> Result<Config, Vec<String>> {
        let mut reader = Reader::new(vars);
        reader.reject_unknown();
        let environment = match reader.text("LYCEUM_ENV") {
            None | Some("development") => Environment::Development,
            Some("production") => Environment::Production,
            Some(other) => {
                let problem = format!("LYCEUM_ENV is {other:?}; it must be development (the default) or production");
                reader.problem(problem);
                Environment::Development
            }
        };
        let addr = reader.addr("LYCEUM_ADDR", SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = reader.text("LYCEUM_PUBLIC_URL").map_or_else(|| format!("http://{addr}"), str::to_owned);
        let config = Config {
            environment,
            addr,
            app_url: reader.text("LYCEUM_APP_URL").unwrap_or(&public_url).trim_end_matches('/').to_owned(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            site_name: reader.text_or_default("LYCEUM_SITE_NAME").to_owned(),
            data: reader.text_or_default("LYCEUM_DATA").into(),
            secret: reader.text("LYCEUM_SECRET").map(str::to_owned),
            previous_secrets: reader.list("LYCEUM_PREVIOUS_SECRETS"),
            token_lifetime: Duration::from_secs(60 * reader.number("LYCEUM_TOKEN_MINUTES", 1..=1440)),
            session_lifetime: Duration::from_secs(86_400 * reader.number("LYCEUM_SESSION_DAYS", 1..=365)),
            max_sessions: reader.number("LYCEUM_MAX_SESSIONS", 0..=1000) as usize,
            admins_need_second_factor: reader.choice("LYCEUM_REQUIRE_SECOND_FACTOR", &["nobody", "admins"]) == "admins",
            introspection: introspection(&mut reader, environment),
            deletion_grace: Duration::from_secs(86_400 * reader.number("LYCEUM_DELETION_DAYS", 0..=90)),
            audit_age: TimeDelta::days(reader.number("LYCEUM_AUDIT_DAYS", 30..=3650).cast_signed()),
            metrics_addr: reader
                .text("LYCEUM_METRICS_ADDR")
                .is_some()
                .then(|| reader.addr("LYCEUM_METRICS_ADDR", SocketAddr::from(([127, 0, 0, 1], 9090)))),
            proxies: reader.number("LYCEUM_PROXIES", 0..=10) as usize,
            cors_origins: origins(&reader),
            log: reader.text_or_default("LYCEUM_LOG").to_owned(),
            log_json: reader.choice("LYCEUM_LOG_FORMAT", &["text", "json"]) == "json",
            database_url: reader.text("DATABASE_URL").map(str::to_owned),
            db_connections: reader.number("LYCEUM_DB_CONNECTIONS", 2..=500) as usize,
            searches: reader.number("LYCEUM_SEARCHES", 1..=100) as usize,
            redis_url: reader.text("REDIS_URL").map(str::to_owned),
            s3: S3::read(&mut reader),
            discussions: Discussions::read(&mut reader),
            live: Live::read(&mut reader),
            notifications: Notifications::read(&mut reader),
            time_zone: time_zone(&mut reader),
            payments: Payments::read(&mut reader, environment),
            uploads: Uploads::read(&mut reader),
            video: Video::read(&mut reader),
            smtp_url: reader.text("SMTP_URL").map(str::to_owned),
            mail_from: reader.text_or_default("LYCEUM_MAIL_FROM").to_owned(),
            mail_hook_secret: reader.hook_secret("LYCEUM_MAIL_HOOK_SECRET"),
            push: Push::read(&mut reader),
            identity: Identity::read(&mut reader),
            limits: limits(&mut reader),
            cache_seconds: reader.number("LYCEUM_CACHE_SECONDS", 0..=86_400),
            row_cache: reader.choice("LYCEUM_ROW_CACHE", &["on", "off"]) == "on",
            threads: reader.number_or("LYCEUM_THREADS", default_threads(), 1..=512) as usize,
            drain: drain(&mut reader, environment),
            shutdown_grace: Duration::from_secs(reader.number("LYCEUM_SHUTDOWN_SECONDS", 1..=3600)),
            path: None,
        };
        config.check(&mut reader);
        reader.finish(config)
    }

    /// Returns whether the environment is production.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Returns the allowed page origins: those of browser apps and of this server.
    ///
    /// In development, those of [`is_local`] are allowed as well.
    pub fn page_origins(&self) -> Vec<String> {
        self.cors_origins.iter().chain([&self.public_url]).cloned().collect()
    }

    /// Returns whether pages of `origin` may call this server.
    pub fn allows_origin(&self, origin: &str) -> bool {
        let listed = origin == self.public_url || self.cors_origins.iter().any(|allowed| allowed == origin);
        listed || (!self.is_production() && is_local(origin))
    }
}

/// Returns the environment variables, merged over the file `.env` outside production.
#[allow(clippy::disallowed_methods)]
fn environment() -> Result<BTreeMap<String, String>, Vec<String>> {
    let real: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let production = real.get("LYCEUM_ENV").is_some_and(|value| value == "production");
    let mut vars = BTreeMap::new();
    if !production && Path::new(".env").exists() {
        let file = dotenvy::from_path_iter(".env").map_err(|error| vec![format!(".env: {error}")])?;
        for entry in file {
            let (name, value) = entry.map_err(|error| vec![format!(".env: {error}")])?;
            vars.insert(name, value);
        }
    }
    vars.extend(real);
    Ok(vars)
}

/// One thread per core: the row cache keeps PostgreSQL idle on repeated reads. See docs/measurements.md.
fn default_threads() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores.clamp(1, 512)).unwrap_or(1)
}

fn drain(reader: &mut Reader, environment: Environment) -> Duration {
    let default = if environment == Environment::Production { 5 } else { 0 };
    Duration::from_secs(reader.number_or("LYCEUM_DRAIN_SECONDS", default, 0..=300))
}

fn introspection(reader: &mut Reader, environment: Environment) -> Introspection {
    match (reader.text("LYCEUM_INTROSPECTION"), environment) {
        (Some("everyone"), _) | (None, Environment::Development) => Introspection::Everyone,
        (Some("administrators"), _) | (None, Environment::Production) => Introspection::Administrators,
        (Some(other), _) => {
            let problem = format!("LYCEUM_INTROSPECTION is {other:?}; it must be everyone or administrators");
            reader.problem(problem);
            Introspection::Administrators
        }
    }
}

/// Returns the time zone of months and billing periods.
fn time_zone(reader: &mut Reader) -> chrono_tz::Tz {
    let name = reader.text_or_default("LYCEUM_TIMEZONE").to_owned();
    name.parse().unwrap_or_else(|_| {
        reader.problem(format!(
            "LYCEUM_TIMEZONE is {name:?}; it must be a name of the IANA database, such as Europe/Berlin"
        ));
        chrono_tz::Tz::UTC
    })
}

fn origins(reader: &Reader) -> Vec<String> {
    reader.list("LYCEUM_CORS_ORIGINS").iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect()
}

fn limits(reader: &mut Reader) -> Limits {
    Limits {
        body_bytes: reader.number("LYCEUM_MAX_BODY_BYTES", 1024..=1 << 26) as usize,
        depth: reader.number("LYCEUM_MAX_DEPTH", 3..=100) as usize,
        cost: reader.number("LYCEUM_MAX_COST", 10..=10_000_000) as usize,
        aliases: reader.number("LYCEUM_MAX_ALIASES", 0..=10_000) as usize,
        tokens: reader.number("LYCEUM_MAX_TOKENS", 10..=1_000_000) as usize,
        directives: reader.number("LYCEUM_MAX_DIRECTIVES", 0..=10_000) as usize,
        batch: reader.number("LYCEUM_MAX_BATCH", 1..=1000) as usize,
        socket_operations: reader.number("LYCEUM_MAX_OPERATIONS", 1..=10_000) as usize,
        connections: reader.number("LYCEUM_MAX_CONNECTIONS", 10..=1_000_000) as usize,
        client_connections: reader.number("LYCEUM_MAX_CLIENT_CONNECTIONS", 1..=1_000_000) as usize,
        client_sockets: reader.number("LYCEUM_MAX_CLIENT_SOCKETS", 1..=1_000_000) as usize,
        timeout: Duration::from_secs(reader.number("LYCEUM_TIMEOUT_SECONDS", 1..=300)),
    }
}

/// Returns how this program was called, for commands in messages: `target/debug/lyceum` after `make run`.
pub fn program() -> String {
    let called = std::env::args().next().filter(|called| called.contains('/'));
    called.unwrap_or_else(|| "lyceum".to_owned())
}

#[cfg(test)]
mod tests;
