//! A private PostgreSQL cluster, made and supervised by this program when no `DATABASE_URL` is set.
//!
//! One process owns the cluster: it holds two file locks, which the kernel drops even after `kill -9`. A second
//! process on the same folder attaches to the running cluster instead, and must stop before the owner does.
//! When an owner was killed, its postmaster lives on as an orphan; the next owner adopts it.
//!
//! The cluster listens on a unix socket only, in a folder of mode 0700, and asks for a random password.
//!
//! There is no supervisor task: PostgreSQL itself restarts what crashes below its postmaster, and a dead
//! postmaster makes `/readyz` fail, after which whoever supervises this program restarts it.
//!
//! What is in the folder: `data/` (the cluster), `run/` (the socket), `password`, `postgres.log`, `owner.lock`;
//! and beside it `<folder>.lock`.

mod binaries;
mod cluster;
mod place;
mod postmaster;

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use self::place::Place;
use self::postmaster::Postmaster;
use crate::platform::fault::{Context, Fault};

pub use self::binaries::{Binaries, find_binaries};

/// How long to wait for a cluster that another process is starting.
const ATTACH_LIMIT: Duration = Duration::from_secs(60);
/// How long a fresh postmaster may take, crash recovery included.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long an orphaned postmaster may take to answer before it is replaced.
const ADOPT_LIMIT: Duration = Duration::from_secs(5);
/// How long the search for the programs may take; each is asked for its version.
const SEARCH_LIMIT: Duration = Duration::from_secs(20);
/// How often a start is repeated when what an earlier postmaster left behind is still in the way.
const START_ATTEMPTS: u32 = 5;

/// What cluster to start.
pub struct Options {
    /// The cluster's own folder, such as `.lyceum/postgres`; made if it isn't there.
    pub folder: PathBuf,
    /// `false` turns off everything that makes commits survive a crash of the machine: for throw-away clusters.
    pub durable: bool,
    /// The `PATH` to look for PostgreSQL's programs in, before the usual places.
    pub search_path: Option<OsString>,
}

/// A running cluster. Dropping it without [`Postgres::stop`] asks PostgreSQL to shut down but doesn't wait.
pub struct Postgres {
    url: String,
    version: String,
    owned: Option<Owned>,
}

/// Dropped in this order: the postmaster is told to stop before the locks go.
struct Owned {
    postmaster: Postmaster,
    _locks: [File; 2],
}

impl Postgres {
    /// Starts the cluster (making it first if need be), adopts an orphaned one, or attaches to one that another
    /// process owns. Returns when it accepts connections: after 1 to 2 s for a new cluster, some 0.1 s for an old one.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, the folder can't be used, or the server doesn't come up; the last lines
    /// of its log are in the report.
    pub async fn start(options: Options) -> Result<Postgres, Fault> {
        let folder = absolute(&options.folder)?;
        let deadline = Instant::now() + ATTACH_LIMIT;
        loop {
            if let Some((place, locks)) = take_ownership(&folder)? {
                return own(&options, &place, locks)
                    .await
                    .context(format!("cannot start the embedded PostgreSQL in {}", folder.display()));
            }
            match attach(&folder).await {
                Ok(postgres) => return Ok(postgres),
                Err(fault) if is_permission_denied(&fault) || Instant::now() > deadline => {
                    return Err(fault).context(format!(
                        "another process owns the embedded PostgreSQL in {}, and it can't be used",
                        folder.display()
                    ));
                }
                // Not ready yet; or its owner is stopping, and the next round gets the lock.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// The connection URL, password included: `postgres://lyceum:…@%2Fpath%2Fto%2Frun/lyceum`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The running server's version, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether this process supervises the cluster; `false` when it uses another live process's.
    pub fn owns(&self) -> bool {
        self.owned.is_some()
    }

    /// Shuts the cluster down if this process owns it: open transactions are rolled back, connections closed, and
    /// after 20 s it is stopped the hard way, which the next start recovers from. Does nothing when attached.
    ///
    /// # Errors
    /// When the postmaster survives even that.
    pub async fn stop(self) -> Result<(), Fault> {
        match self.owned {
            Some(Owned { postmaster, _locks }) => postmaster.stop().await,
            None => Ok(()),
        }
    }
}

/// The folder's absolute path. Links in its parents are resolved, so that everyone who means this folder means
/// the same lock file; the folder itself may be a link that `place` made.
fn absolute(folder: &Path) -> Result<PathBuf, Fault> {
    let folder = std::path::absolute(folder).context("cannot make the database folder's path absolute")?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Fault::new(format!("{} can't be the database folder", folder.display())));
    };
    let what = || format!("cannot make the folder {}", parent.display());
    std::fs::create_dir_all(parent).context(what())?;
    Ok(parent.canonicalize().context(what())?.join(name))
}

/// Both locks, or `None` if another process has one. The first guards making the folder; the second, inside it,
/// is for a folder that is reached by two names, as after copying a project whose folder is a link.
fn take_ownership(folder: &Path) -> Result<Option<(Place, [File; 2])>, Fault> {
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    let Some(outer) = place::try_lock(Path::new(&name))? else { return Ok(None) };
    let place = Place::prepare(folder)?;
    let Some(inner) = place::try_lock(&place.home.join("owner.lock"))? else { return Ok(None) };
    Ok(Some((place, [outer, inner])))
}

async fn own(options: &Options, place: &Place, locks: [File; 2]) -> Result<Postgres, Fault> {
    for _ in 0..START_ATTEMPTS {
        let mut running = None;
        if place.is_initialised() {
            running = adopt(place).await?;
        }
        if running.is_none() {
            let binaries = search(options, place).await?;
            if !place.is_initialised() {
                cluster::initialise(&binaries, place, options.durable).await?;
            }
            running = launch(&binaries, place, options.durable).await?;
        }
        if let Some((postmaster, version)) = running {
            let url = url(place, &cluster::password(place)?);
            return Ok(Postgres { url, version, owned: Some(Owned { postmaster, _locks: locks }) });
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(Fault::new(format!("what an earlier server left behind is in the way; see {}", place.log().display())))
}

async fn search(options: &Options, place: &Place) -> Result<Binaries, Fault> {
    let (path, major) = (options.search_path.clone(), place.major()?);
    let search = tokio::task::spawn_blocking(move || binaries::find(path.as_deref(), major));
    timeout(SEARCH_LIMIT, search).await.context("cannot ask PostgreSQL for its version")??
}

/// Takes over the postmaster that a killed owner left behind, if there is one that answers.
async fn adopt(place: &Place) -> Result<Option<(Postmaster, String)>, Fault> {
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

/// A new postmaster that accepts connections; `None` if it gave way to something that will be gone soon.
async fn launch(binaries: &Binaries, place: &Place, durable: bool) -> Result<Option<(Postmaster, String)>, Fault> {
    let (mut postmaster, log) = Postmaster::spawn(binaries, place, durable)?;
    let what = match timeout(START_LIMIT, ready(&mut postmaster, place)).await {
        Ok(Ok(Some(version))) => return Ok(Some((postmaster, version))),
        Ok(Ok(None)) => "it exited while starting".to_owned(),
        Ok(Err(fault)) => fault.report(),
        Err(_) => format!("it accepted no connection within {} s", START_LIMIT.as_secs()),
    };
    let tail = log.tail();
    // The first: an orphan was starting at the same moment. The second: its crashed backends are still going down.
    if tail.contains("already exists") || tail.contains("pre-existing shared memory block") {
        return Ok(None);
    }
    Err(Fault::new(format!("{what}; the end of {}:\n{tail}", place.log().display())))
}

/// Waits until the cluster accepts connections; its version, or `None` when the postmaster is gone.
async fn ready(postmaster: &mut Postmaster, place: &Place) -> Result<Option<String>, Fault> {
    let password = cluster::password(place)?;
    loop {
        // Looked at first: a connection that fails after the postmaster is gone says nothing.
        let alive = postmaster.is_alive();
        match cluster::probe(place, &password).await {
            Ok(version) => return Ok(Some(version)),
            Err(fault) if cluster::is_missing_database(&fault) => cluster::create_database(place, &password).await?,
            Err(fault) if cluster::is_wrong_password(&fault) => {
                return Err(fault)
                    .context(format!("the password in {} is not the cluster's", place.password().display()));
            }
            Err(_) if !alive => return Ok(None),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn attach(folder: &Path) -> Result<Postgres, Fault> {
    let place = Place::find(folder)?;
    let password = cluster::password(&place)?;
    let version = cluster::probe(&place, &password).await?;
    Ok(Postgres { url: url(&place, &password), version, owned: None })
}

fn is_permission_denied(fault: &Fault) -> bool {
    fault.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
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
