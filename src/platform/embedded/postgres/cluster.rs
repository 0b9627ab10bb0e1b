//! Creating a cluster and its database, and probing the connection.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use rand::distr::{Alphanumeric, SampleString};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use super::binaries::Binaries;
use super::place::Place;
use super::postmaster;
use crate::platform::internal_error::{Context, InternalError};

/// The superuser that owns the cluster.
pub(super) const USER: &str = "lyceum";
/// The only database.
pub(super) const DATABASE: &str = "lyceum";

const INITDB_LIMIT: Duration = Duration::from_secs(120);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);
/// The prefix of an unfinished cluster's folder; a crash leaves it behind.
const DRAFT: &str = "data.new-";

/// Creates the cluster in a temporary folder, then renames it. So a crash doesn't leave an incomplete cluster.
pub(super) async fn initialise(binaries: &Binaries, place: &Place, durable: bool) -> Result<(), InternalError> {
    remove_drafts(place)?;
    write_password(place)?;
    // A unique name each time: the `initdb` of a killed process may still be writing.
    let draft = place.home.join(format!("{DRAFT}{}", random(12)));
    let mut output = initdb(binaries, place, &draft, "C.UTF-8", durable).await?;
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("locale") {
        // macOS and musl systems lack this locale; sorting is the same without it, but case conversion is not.
        output = initdb(binaries, place, &draft, "C", durable).await?;
    }
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(InternalError::new(format!("{} failed: {}", binaries.initdb.display(), text.trim())));
    }
    fs::rename(&draft, place.data()).context(format!("cannot rename {}", draft.display()))?;
    if durable {
        File::open(&place.home).and_then(|home| home.sync_all()).context("cannot write the cluster to disk")?;
    }
    Ok(())
}

async fn initdb(
    binaries: &Binaries,
    place: &Place,
    draft: &Path,
    locale: &str,
    durable: bool,
) -> Result<Output, InternalError> {
    let what = || format!("cannot run {}", binaries.initdb.display());
    let mut command = postmaster::command(&binaries.initdb, place);
    command.arg("-D").arg(draft).arg("--pwfile").arg(place.password()).args(["-U", USER, "--encoding=UTF8"]);
    command.args(["--auth=scram-sha-256", &format!("--locale={locale}")]);
    if !durable {
        command.arg("--no-sync");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.kill_on_drop(true).spawn().context(what())?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let output = timeout(INITDB_LIMIT, child.wait_with_output()).await.context(what())?.context(what())?;
    group.ended();
    Ok(output)
}

/// A process group of a program that starts others, killed when it is dropped before they have ended.
struct Group(Option<Pid>);

impl Group {
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // The program and the servers that it runs one after the other.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

fn remove_drafts(place: &Place) -> Result<(), InternalError> {
    for entry in fs::read_dir(&place.home).context("cannot read the database folder")?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            // Not fatal: it only wastes disk space.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

fn write_password(place: &Place) -> Result<(), InternalError> {
    let path = place.password();
    let what = || format!("cannot write {}", path.display());
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(what()),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).context(what())?;
    file.write_all(random(40).as_bytes()).context(what())?;
    file.sync_all().context(what())?;
    place.give(&file)
}

/// The password that the cluster was created with.
pub(super) fn password(place: &Place) -> Result<String, InternalError> {
    let path = place.password();
    let text = fs::read_to_string(&path).context(format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// Connects to the database and returns the server's version, such as `15.18`.
pub(super) async fn probe(place: &Place, password: &str) -> Result<String, InternalError> {
    let config = config(place, password, DATABASE);
    let (_client, connection) = timeout(CONNECT_LIMIT, config.connect(NoTls)).await??;
    let version = connection.parameter("server_version").unwrap_or_default();
    Ok(version.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Creates the database, which is missing in a new cluster.
pub(super) async fn create_database(place: &Place, password: &str) -> Result<(), InternalError> {
    let config = config(place, password, "postgres");
    let (client, connection) = timeout(CONNECT_LIMIT, config.connect(NoTls)).await??;
    let sql = format!("CREATE DATABASE {DATABASE}");
    let statement = async {
        // The connection must be polled for the statement to progress; it needs no task of its own.
        tokio::select! {
            done = client.batch_execute(&sql) => done,
            lost = connection => lost,
        }
    };
    timeout(STATEMENT_LIMIT, statement).await.context("cannot make the database")?.context("cannot make the database")
}

fn config(place: &Place, password: &str, database: &str) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config.host_path(&place.sockets).user(USER).password(password).dbname(database).connect_timeout(CONNECT_LIMIT);
    config
}

pub(super) fn is_missing_database(error: &InternalError) -> bool {
    has_code(error, &SqlState::INVALID_CATALOG_NAME)
}

pub(super) fn is_wrong_password(error: &InternalError) -> bool {
    has_code(error, &SqlState::INVALID_PASSWORD)
}

fn has_code(error: &InternalError, code: &SqlState) -> bool {
    error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code) == Some(code)
}
