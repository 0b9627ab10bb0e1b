//! The server's main process: starting it, finding an orphaned one, stopping it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::binaries::Binaries;
use super::place::{Place, SOCKET};
use crate::platform::internal_error::{Context, InternalError};

/// The log is truncated at the next start when it exceeds this many bytes.
const LONGEST_LOG: u64 = 10 * 1024 * 1024;
/// The number of log lines that a failed start reports.
const TAIL: usize = 12;
/// How long a fast shutdown and then an immediate one may take. The fast one writes a checkpoint.
const STOP_LIMITS: [(Signal, Duration); 2] =
    [(Signal::INT, Duration::from_secs(20)), (Signal::QUIT, Duration::from_secs(10))];
/// How long a dropped postmaster is waited for.
const DROP_LIMIT: Duration = Duration::from_secs(5);
/// A process ID that no system assigns.
const NOBODY: &str = "2147483647";

/// The settings of every embedded cluster. `port` only determines the socket's name.
const SETTINGS: [&str; 7] = [
    "listen_addresses=",
    "port=5432",
    "max_connections=200",
    "shared_buffers=128MB",
    "log_min_messages=warning",
    "timezone=UTC",
    "log_timezone=UTC",
];
/// Settings of a temporary cluster, which disable crash safety.
const FRAGILE: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// A running postmaster. Dropping it shuts it down.
pub(super) struct Postmaster {
    pid: Pid,
    data: PathBuf,
    /// `None` if an earlier process started it, so that it can't be waited for.
    child: Option<Child>,
}

/// The part of the server log that begins with one start.
pub(super) struct Log {
    path: PathBuf,
    start: u64,
}

impl Postmaster {
    /// Starts the server. The caller holds the locks and has made sure that no other one is running.
    pub(super) fn spawn(binaries: &Binaries, place: &Place, durable: bool) -> Result<(Postmaster, Log), InternalError> {
        let what = || format!("cannot run {}", binaries.postgres.display());
        let (log, start) = open_log(place)?;
        let mut command = command(&binaries.postgres, place);
        command.arg("-D").arg(place.data());
        for setting in SETTINGS.iter().chain(if durable { [].iter() } else { FRAGILE.iter() }) {
            command.arg("-c").arg(setting);
        }
        command.arg("-c").arg(socket_setting(&place.sockets));
        let child = command.stdout(log.try_clone().context(what())?).stderr(log).spawn().context(what())?;
        let pid =
            child.id().and_then(|id| Pid::from_raw(id.cast_signed())).ok_or_else(|| InternalError::new(what()))?;
        let postmaster = Postmaster { pid, data: place.data(), child: Some(child) };
        Ok((postmaster, Log { path: place.log(), start }))
    }

    /// Finds the running postmaster of this cluster. If there is none, neutralizes the leftovers of a dead one.
    pub(super) async fn orphan(place: &Place) -> Result<Option<Postmaster>, InternalError> {
        let path = place.data().join("postmaster.pid");
        let mut text = read_pid_file(&path)?;
        if text.as_deref() == Some("") {
            // PostgreSQL creates the file and fills it at once, unless the machine crashed in between.
            sleep(Duration::from_secs(1)).await;
            text = read_pid_file(&path)?;
        }
        if let Some(text) = text {
            let first = text.lines().next().unwrap_or_default();
            let pid = first.trim().parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
            if let Some(pid) = pid.filter(|pid| serves(*pid, &place.data())) {
                return Ok(Some(Postmaster { pid, data: place.data(), child: None }));
            }
            disarm(&path, &text)?;
        }
        // No longer needed, and PostgreSQL refuses to start if another program has the process ID in it.
        let _ = fs::remove_file(place.sockets.join(format!("{SOCKET}.lock")));
        Ok(None)
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    pub(super) fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => serves(self.pid, &self.data),
        }
    }

    /// Attempts a fast shutdown, then an immediate shutdown.
    pub(super) async fn stop(mut self) -> Result<(), InternalError> {
        for (signal, limit) in STOP_LIMITS {
            if !self.is_alive() {
                return Ok(());
            }
            // The process may have exited already, which the wait detects.
            let _ = kill_process(self.pid, signal);
            if timeout(limit, self.gone()).await.is_ok() {
                return Ok(());
            }
        }
        Err(InternalError::new(format!("the embedded PostgreSQL (process {}) doesn't stop", self.pid())))
    }

    async fn gone(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.wait().await;
        }
        while self.is_alive() {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Postmaster {
    /// Stops a postmaster that was dropped in the middle of a start or a command, as by Ctrl-C. Waits for it, because
    /// this process is about to end.
    fn drop(&mut self) {
        if !self.is_alive() {
            return;
        }
        let _ = kill_process(self.pid, Signal::INT);
        let since = Instant::now();
        while self.is_alive() && since.elapsed() < DROP_LIMIT {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Log {
    /// The last lines that were logged since the start.
    pub(super) fn tail(&self) -> String {
        let mut text = Vec::new();
        if let Ok(mut file) = File::open(&self.path) {
            let length = file.metadata().map(|found| found.len()).unwrap_or_default();
            let from = self.start.max(length.saturating_sub(64 * 1024));
            if file.seek(SeekFrom::Start(from)).is_ok() {
                let _ = file.read_to_end(&mut text);
            }
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }
}

/// Prepares one of PostgreSQL's programs to run as the cluster's user. The environment is empty.
///
/// This process's environment contains secrets, which SQL could read, and `PG…` variables, which would change what the
/// program does. The program gets its own process group, so that Ctrl-C reaches only this process, which stops
/// PostgreSQL after its own requests.
pub(super) fn command(program: &Path, place: &Place) -> Command {
    let mut command = Command::new(program);
    // macOS: without a valid locale the server fails to start ("became multithreaded during startup").
    command.env_clear().env("LC_ALL", "C").current_dir(&place.home).stdin(Stdio::null()).process_group(0);
    if let Some(account) = &place.account {
        // Also drops root's supplementary groups.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Formats the setting. It is a list, so the folder is quoted in case its path has a space.
fn socket_setting(sockets: &Path) -> OsString {
    let mut setting = b"unix_socket_directories=\"".to_vec();
    for &byte in sockets.as_os_str().as_bytes() {
        setting.extend(if byte == b'"' { b"\"\"".as_slice() } else { std::slice::from_ref(&byte) });
    }
    setting.push(b'"');
    OsString::from_vec(setting)
}

/// Opens the log for appending and returns it with its length.
fn open_log(place: &Place) -> Result<(File, u64), InternalError> {
    let path = place.log();
    let open = || -> std::io::Result<(File, u64)> {
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(&path)?;
        if file.metadata()?.len() > LONGEST_LOG {
            file.set_len(0)?;
        }
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    let opened = open().context(format!("cannot open {}", path.display()))?;
    place.give(&opened.0)?;
    Ok(opened)
}

fn read_pid_file(path: &Path) -> Result<Option<String>, InternalError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(format!("cannot read {}", path.display())),
    }
}

/// Replaces the process ID in the `postmaster.pid` of a dead postmaster.
///
/// PostgreSQL would mistake any running process with that ID for the postmaster and refuse to start. The file itself
/// stays: it names the shared memory by which PostgreSQL detects that backends of the dead postmaster are still
/// running, in which case it must refuse to start.
fn disarm(path: &Path, text: &str) -> Result<(), InternalError> {
    let what = || format!("cannot replace the stale {}", path.display());
    let Some((_, rest)) = text.split_once('\n') else { return fs::remove_file(path).context(what()) };
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().write(true).truncate(true).custom_flags(flags).open(path).context(what())?;
    std::io::Write::write_all(&mut file, format!("{NOBODY}\n{rest}").as_bytes()).context(what())
}

/// Whether the process `pid` is running and is the postmaster of the cluster in `data`.
fn serves(pid: Pid, data: &Path) -> bool {
    let process = Path::new("/proc").join(pid.as_raw_pid().to_string());
    if !Path::new("/proc/self/cmdline").exists() {
        return serves_by_ps(pid, data);
    }
    // Empty for a process that has exited but was not waited for (a zombie).
    let Ok(line) = fs::read(process.join("cmdline")) else { return false };
    let mut arguments = line.split(|byte| *byte == 0).map(OsStr::from_bytes);
    // Excludes backends, whose command line is "postgres: …".
    let program = arguments.next().and_then(|program| Path::new(program).file_name());
    let is_server = program.is_some_and(|name| name == "postgres" || name == "postmaster");
    // The server's working directory is its data folder, which identifies it even after the folder was moved.
    is_server && (arguments.any(|argument| argument == data) || same_folder(&process.join("cwd"), data))
}

fn same_folder(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Like [`serves`], for systems without `/proc`, such as macOS.
fn serves_by_ps(pid: Pid, data: &Path) -> bool {
    let pid = pid.as_raw_pid().to_string();
    let output = std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid]).output();
    output.is_ok_and(|output| {
        let line = String::from_utf8_lossy(&output.stdout);
        line.split_once(" -D ").is_some_and(|(program, arguments)| {
            program.ends_with("/postgres") && arguments.starts_with(&format!("{} ", data.display()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_is_not_the_postmaster_whatever_its_arguments() {
        let mut other = std::process::Command::new("sh")
            .args(["-c", "read line", "/bin/postgres", "-D", "/srv/data", "-c", "port=5432"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(other.id().cast_signed()).unwrap();
        if Path::new("/proc/self/cmdline").exists() {
            assert!(!serves(pid, Path::new("/srv/data")));
        }
        // `ps` doesn't separate arguments, so it accepts this process, but never another folder.
        assert!(serves_by_ps(pid, Path::new("/srv/data")));
        assert!(!serves_by_ps(pid, Path::new("/srv/dat")));
        assert!(!serves_by_ps(pid, Path::new("/data")));
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(!serves_by_ps(pid, Path::new("/srv/data")));
    }

    #[test]
    fn only_the_process_id_of_a_stale_file_is_replaced() {
        let path = std::env::temp_dir().join(format!("lyceum-stale-{}", std::process::id()));
        fs::write(&path, "12\n/srv/data\n1 2 3\n").unwrap();
        disarm(&path, "12\n/srv/data\n1 2 3\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{NOBODY}\n/srv/data\n1 2 3\n"));
        disarm(&path, "").unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_with_spaces_and_quotes_is_one_folder() {
        assert_eq!(socket_setting(Path::new("/a b/\"c\"")), "unix_socket_directories=\"/a b/\"\"c\"\"\"");
    }
}
