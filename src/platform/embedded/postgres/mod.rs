//! A private PostgreSQL cluster for when no `DATABASE_URL` is set. This process creates and supervises it.
//!
//! One process owns the cluster: it holds two file locks, which the kernel releases even after `kill -9`. A second
//! process with the same folder attaches to the running cluster instead, and must stop before the owner does. When an
//! owner was killed, its postmaster keeps running as an orphan; the next owner adopts it.
//!
//! The cluster listens on a Unix socket only, in a folder with mode 0700, and requires a random password.
//!
//! PostgreSQL itself restarts crashed processes below its postmaster. When the postmaster has died, the owner starts
//! another one, again and again with growing pauses; until then `/readyz` fails, and requests are answered with a
//! retryable error.
//!
//! The folder contains `data/` (the cluster), `run/` (the socket), `password`, `postgres.log`, and `owner.lock`;
//! `<folder>.lock` is next to it.

mod binaries;
mod cluster;
mod place;
mod postmaster;

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::place::Place;
use self::postmaster::Postmaster;
use crate::platform::internal_error::{Context, InternalError};

pub use self::binaries::{Binaries, find_binaries};

/// How long to wait for a cluster that another process is starting.
const ATTACH_LIMIT: Duration = Duration::from_secs(60);
/// How long a new postmaster may take to start, including crash recovery.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long an orphaned postmaster may take to respond before it is replaced.
const ADOPT_LIMIT: Duration = Duration::from_secs(5);
/// How long the search for the programs may take; each candidate is run to get its version.
const SEARCH_LIMIT: Duration = Duration::from_secs(20);
/// How often to look whether the postmaster is alive.
const WATCH: Duration = Duration::from_millis(250);
/// The pause before a dead postmaster is started again. It doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause. A postmaster that has lived longer is started again after the first one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often to attempt a start while leftovers of an earlier postmaster are in the way.
const START_ATTEMPTS: u32 = 5;

/// The configuration of the cluster.
pub struct Options {
    /// The cluster's folder, such as `.lyceum/postgres`; created if it doesn't exist.
    pub folder: PathBuf,
    /// `false` disables crash safety (`fsync` and the like), for temporary clusters.
    pub durable: bool,
    /// The `PATH` to search for PostgreSQL's programs, before the usual install locations.
    pub search_path: Option<OsString>,
}

/// A running cluster. Dropped without [`Postgres::stop`], it is shut down in the background.
pub struct Postgres {
    url: String,
    version: String,
    owned: Option<Supervised>,
}

/// An owned cluster, whose postmaster is started again when it dies.
struct Supervised {
    supervisor: JoinHandle<Result<(), InternalError>>,
    /// Ends the supervisor, which stops the postmaster.
    stopping: DropGuard,
}

/// An owned cluster. Fields are dropped in order: the postmaster is signaled to stop before the locks are released.
struct Owned {
    /// `None` while it is dead.
    postmaster: Option<Postmaster>,
    place: Place,
    options: Options,
    _locks: [File; 2],
}

impl Owned {
    /// Starts the postmaster again whenever it dies, until `stopping`. Then stops it.
    async fn supervise(mut self, stopping: CancellationToken) -> Result<(), InternalError> {
        let (mut pause, mut started) = (FIRST_PAUSE, Instant::now());
        while let Some(()) = stopping.run_until_cancelled(self.died()).await {
            self.postmaster = None;
            if started.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let log = self.place.log();
            tracing::error!(?pause, log = %log.display(), "the embedded PostgreSQL has died and is started again");
            if stopping.run_until_cancelled(sleep(pause)).await.is_none() {
                break;
            }
            // Not canceled: a half-started postmaster would be in the way of the next owner.
            match running(&self.options, &self.place).await {
                Ok((postmaster, _)) => {
                    tracing::warn!(pid = postmaster.pid(), "the embedded PostgreSQL runs again");
                    self.postmaster = Some(postmaster);
                    started = Instant::now();
                }
                Err(error) => tracing::error!(error = error.report(), "the embedded PostgreSQL does not start"),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        match self.postmaster.take() {
            Some(postmaster) => postmaster.stop().await,
            None => Ok(()),
        }
    }

    /// Waits until there is no living postmaster.
    async fn died(&mut self) {
        while self.postmaster.as_mut().is_some_and(Postmaster::is_alive) {
            sleep(WATCH).await;
        }
    }
}

impl Postgres {
    /// Starts the cluster, adopts an orphaned one, or attaches to one that another process owns.
    ///
    /// Creates the cluster if it doesn't exist. Returns when the cluster accepts connections: after 1 to 2 s for a new
    /// cluster, after about 0.1 s for an existing one.
    ///
    /// # Errors
    /// PostgreSQL is not installed, the folder can't be used, or the server doesn't start; the report contains the last
    /// lines of its log.
    pub async fn start(options: Options) -> Result<Postgres, InternalError> {
        let folder = absolute(&options.folder)?;
        let deadline = Instant::now() + ATTACH_LIMIT;
        loop {
            if let Some((place, locks)) = take_ownership(&folder)? {
                return own(options, place, locks)
                    .await
                    .context(format!("cannot start the embedded PostgreSQL in {}", folder.display()));
            }
            match attach(&folder).await {
                Ok(postgres) => return Ok(postgres),
                Err(error) if is_permission_denied(&error) || Instant::now() > deadline => {
                    return Err(error).context(format!(
                        "another process owns the embedded PostgreSQL in {}, and it can't be used",
                        folder.display()
                    ));
                }
                // Not ready yet, or its owner is stopping, and the next iteration gets the lock.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// The connection URL, including the password.
    ///
    /// For example `postgres://lyceum:…@%2Fpath%2Fto%2Frun/lyceum`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The running server's version, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether this process owns the cluster. `false` if it is attached to another process's cluster.
    pub fn owns(&self) -> bool {
        self.owned.is_some()
    }

    /// Shuts the cluster down if this process owns it; does nothing if it is attached.
    ///
    /// Open transactions are rolled back and connections closed. After 20 s an immediate shutdown follows, from which
    /// the next start recovers.
    ///
    /// # Errors
    /// The postmaster survives the immediate shutdown.
    pub async fn stop(self) -> Result<(), InternalError> {
        match self.owned {
            Some(Supervised { supervisor, stopping }) => {
                drop(stopping);
                supervisor.await.context("the supervisor of the embedded PostgreSQL has panicked")?
            }
            None => Ok(()),
        }
    }
}

/// Returns the folder's absolute path.
///
/// Symbolic links in its parents are resolved, so that all processes with this folder use the same lock file. The
/// folder itself may be a link that `place` created.
fn absolute(folder: &Path) -> Result<PathBuf, InternalError> {
    let folder = std::path::absolute(folder).context("cannot make the database folder's path absolute")?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(InternalError::new(format!("{} can't be the database folder", folder.display())));
    };
    let what = || format!("cannot make the folder {}", parent.display());
    std::fs::create_dir_all(parent).context(what())?;
    Ok(parent.canonicalize().context(what())?.join(name))
}

/// Acquires both locks; `None` if another process holds one.
///
/// The first protects the creation of the folder. The second, inside the folder, covers a folder that is reachable by
/// two paths, for example after copying a project whose folder is a symbolic link.
fn take_ownership(folder: &Path) -> Result<Option<(Place, [File; 2])>, InternalError> {
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    let Some(outer) = place::try_lock(Path::new(&name))? else { return Ok(None) };
    let place = Place::prepare(folder)?;
    let Some(inner) = place::try_lock(&place.home.join("owner.lock"))? else { return Ok(None) };
    Ok(Some((place, [outer, inner])))
}

async fn own(options: Options, place: Place, locks: [File; 2]) -> Result<Postgres, InternalError> {
    let (postmaster, version) = running(&options, &place).await?;
    let url = url(&place, &cluster::password(&place)?);
    let (owned, stopping) =
        (Owned { postmaster: Some(postmaster), place, options, _locks: locks }, CancellationToken::new());
    // With a tracker of its own: the cluster stops after all other tasks, and `stop` waits for it.
    let supervisor = TaskTracker::new().spawn(owned.supervise(stopping.clone()));
    Ok(Postgres { url, version, owned: Some(Supervised { supervisor, stopping: stopping.drop_guard() }) })
}

/// Returns a postmaster that accepts connections, with its version: an orphan or a new one.
async fn running(options: &Options, place: &Place) -> Result<(Postmaster, String), InternalError> {
    for _ in 0..START_ATTEMPTS {
        if place.is_initialised()
            && let Some(adopted) = adopt(place).await?
        {
            return Ok(adopted);
        }
        let binaries = search(options, place).await?;
        if !place.is_initialised() {
            cluster::initialise(&binaries, place, options.durable).await?;
        }
        if let Some(launched) = launch(&binaries, place, options.durable).await? {
            return Ok(launched);
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(InternalError::new(format!("what an earlier server left behind is in the way; see {}", place.log().display())))
}

async fn search(options: &Options, place: &Place) -> Result<Binaries, InternalError> {
    let (path, major) = (options.search_path.clone(), place.major()?);
    let search = tokio::task::spawn_blocking(move || binaries::find(path.as_deref(), major));
    timeout(SEARCH_LIMIT, search).await.context("cannot ask PostgreSQL for its version")??
}

/// Adopts the postmaster that a killed owner left behind, if there is one and it responds.
async fn adopt(place: &Place) -> Result<Option<(Postmaster, String)>, InternalError> {
    let Some(mut orphan) = Postmaster::orphan(place).await? else { return Ok(None) };
    match timeout(ADOPT_LIMIT, ready(&mut orphan, place)).await {
        Ok(Ok(Some(version))) => {
            tracing::info!(pid = orphan.pid(), "adopted the embedded PostgreSQL of an earlier run");
            Ok(Some((orphan, version)))
        }
        Ok(Ok(None)) => Ok(None),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(
                pid = orphan.pid(),
                "the embedded PostgreSQL of an earlier run doesn't answer: replacing it"
            );
            orphan.stop().await?;
            Ok(None)
        }
    }
}

/// Starts a postmaster and waits until it accepts connections. Returns `None` if the start should be retried soon.
async fn launch(
    binaries: &Binaries,
    place: &Place,
    durable: bool,
) -> Result<Option<(Postmaster, String)>, InternalError> {
    let (mut postmaster, log) = Postmaster::spawn(binaries, place, durable)?;
    let what = match timeout(START_LIMIT, ready(&mut postmaster, place)).await {
        Ok(Ok(Some(version))) => return Ok(Some((postmaster, version))),
        Ok(Ok(None)) => "it exited while starting".to_owned(),
        Ok(Err(error)) => error.report(),
        Err(_) => format!("it accepted no connection within {} s", START_LIMIT.as_secs()),
    };
    let tail = log.tail();
    // The first: an orphan was starting at the same time. The second: its crashed backends are still shutting down.
    if tail.contains("already exists") || tail.contains("pre-existing shared memory block") {
        return Ok(None);
    }
    Err(InternalError::new(format!("{what}; the end of {}:\n{tail}", place.log().display())))
}

/// Waits until the cluster accepts connections. Returns its version, or `None` if the postmaster has exited.
async fn ready(postmaster: &mut Postmaster, place: &Place) -> Result<Option<String>, InternalError> {
    let password = cluster::password(place)?;
    loop {
        // Checked before connecting: if the postmaster was already gone, a failed connection is final.
        let alive = postmaster.is_alive();
        match cluster::probe(place, &password).await {
            Ok(version) => return Ok(Some(version)),
            Err(error) if cluster::is_missing_database(&error) => cluster::create_database(place, &password).await?,
            Err(error) if cluster::is_wrong_password(&error) => {
                return Err(error)
                    .context(format!("the password in {} is not the cluster's", place.password().display()));
            }
            Err(_) if !alive => return Ok(None),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn attach(folder: &Path) -> Result<Postgres, InternalError> {
    let place = Place::find(folder)?;
    let password = cluster::password(&place)?;
    let version = cluster::probe(&place, &password).await?;
    Ok(Postgres { url: url(&place, &password), version, owned: None })
}

fn is_permission_denied(error: &InternalError) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

fn url(place: &Place, password: &str) -> String {
    let mut host = String::new();
    for &byte in place.sockets.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            host.push(char::from(byte));
        } else {
            host.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("postgres://{user}:{password}@{host}/{database}", user = cluster::USER, database = cluster::DATABASE)
}
