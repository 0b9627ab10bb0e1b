//! Child processes with limits on memory, output, and time.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::platform::internal_error::{Context, InternalError};

/// The memory limit of a program, in KiB.
const MEMORY: &str = "4194304";
/// The limit on the standard output that is read, in bytes.
const MOST_OUTPUT: u64 = 1 << 20;
/// The limit on the standard error output that is kept, in bytes.
const MOST_ERRORS: u64 = 16 << 10;

/// Runs `$2…` with at most `$1` KiB of memory, and kills it when standard input ends.
///
/// This process holds the other end of that pipe, so the program is also killed if this process is. If the shell can't
/// limit memory, the program runs without the limit.
const GUARD: &str = r#"
ulimit -v "$1" 2>/dev/null; shift
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
{ cat <&3; kill -KILL "$program"; } >/dev/null 2>&1 &
wait "$program"
"#;

/// A program with its arguments, not yet started.
pub(super) struct Process {
    command: Command,
    name: OsString,
}

/// The result of a program that has exited.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The standard output, possibly truncated.
    pub(super) output: Vec<u8>,
    /// The standard error output, possibly truncated.
    pub(super) errors: String,
}

impl Ended {
    /// Returns an error if the disk was full or the program was killed. The input is not to blame then.
    pub(super) fn misfortune(&self) -> Option<InternalError> {
        let full = self.errors.contains("No space left on device");
        // A shell reports a signal as 128 plus its number.
        let killed = self.status.code().is_none_or(|code| code > 128 && code < 160);
        (full || killed).then(|| InternalError::new(format!("{}: {}", self.status, self.errors.trim())))
    }
}

impl Process {
    pub(super) fn new<A: AsRef<OsStr>>(program: &Path, arguments: impl IntoIterator<Item = A>) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARD, "sh", MEMORY]).arg(program).args(arguments);
        // The program must not see the configuration and secrets in this process's environment.
        command.env_clear().process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Process { command, name: program.file_name().unwrap_or_default().to_owned() }
    }

    /// Sets the working directory.
    pub(super) fn within(mut self, folder: &Path) -> Process {
        self.command.current_dir(folder);
        self
    }

    /// Runs the program until it exits, for at most `patience`, and collects its output.
    pub(super) async fn output(self, patience: Duration) -> Result<Ended, InternalError> {
        let mut output = Vec::new();
        let ended = self.lines(patience, |line| {
            if (output.len() as u64) < MOST_OUTPUT {
                output.extend_from_slice(line.as_bytes());
                output.push(b'\n');
            }
        });
        let ended = ended.await?;
        Ok(Ended { output, ..ended })
    }

    /// Runs the program until it exits, for at most `patience`.
    ///
    /// Calls `told` for each line of its standard output.
    pub(super) async fn lines(
        mut self,
        patience: Duration,
        mut told: impl FnMut(&str) + Send,
    ) -> Result<Ended, InternalError> {
        let name = self.name.to_string_lossy().into_owned();
        let what = || format!("run {name}");
        let mut group = Group::of(self.command.spawn().context(what())?);
        let (Some(stdout), Some(stderr)) = (group.child.stdout.take(), group.child.stderr.take()) else {
            return Err(InternalError::new("a process has no output")).context(what());
        };
        let running = async {
            let (said, errors) = tokio::join!(each_line(stdout, &mut told), start_of(stderr));
            said?;
            Ok::<_, io::Error>(Ended { status: group.child.wait().await?, output: Vec::new(), errors: errors? })
        };
        let ended = tokio::time::timeout(patience, running).await;
        ended.context(format!("{name} took longer than {} s", patience.as_secs()))?.context(what())
    }
}

async fn each_line(output: impl AsyncRead + Unpin, told: &mut (impl FnMut(&str) + Send)) -> io::Result<()> {
    let mut output = BufReader::new(output);
    let mut read = 0;
    loop {
        let mut line = Vec::new();
        let length = (&mut output).take(MOST_OUTPUT).read_until(b'\n', &mut line).await? as u64;
        if length == 0 {
            return Ok(());
        }
        read += length;
        // Beyond the limit, long lines are read and discarded, so that the program doesn't block on a full pipe.
        if read <= MOST_OUTPUT || length < 200 {
            told(String::from_utf8_lossy(&line).trim_end());
        }
    }
}

async fn start_of(errors: impl AsyncRead + Unpin) -> io::Result<String> {
    let (mut errors, mut start) = (errors, Vec::new());
    (&mut errors).take(MOST_ERRORS).read_to_end(&mut start).await?;
    tokio::io::copy(&mut errors, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&start).into_owned())
}

/// A process and its descendants, which are killed when this is dropped.
struct Group {
    child: Child,
    leader: Option<Pid>,
    /// The write end of the pipe by which [`GUARD`] detects that this process is alive.
    _alive: Option<ChildStdin>,
}

impl Group {
    fn of(mut child: Child) -> Group {
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        // `Child::wait` would close it.
        let alive = child.stdin.take();
        Group { child, leader, _alive: alive }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The guard keeps the group alive even after the program has exited, so the ID has not been reused.
        if let Some(leader) = self.leader {
            _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sh(script: &str) -> Process {
        Process::new(Path::new("/bin/sh"), ["-c", script])
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_program_is_heard_to_its_end() {
        let ended = sh("echo one; echo two; echo three >&2; exit 7").output(PATIENCE).await.unwrap();
        assert_eq!((ended.status.code(), &*ended.output, &*ended.errors), (Some(7), &b"one\ntwo\n"[..], "three\n"));
        assert!(ended.misfortune().is_none());
        let killed = sh("kill -KILL $$").output(PATIENCE).await.unwrap();
        assert!(killed.misfortune().is_some());
        let full = sh("echo 'a.mp4: No space left on device' >&2; exit 1").output(PATIENCE).await.unwrap();
        assert!(full.misfortune().is_some());
    }

    #[tokio::test]
    async fn a_flood_is_bounded() {
        let flood = sh(
            "head -c 50000000 /dev/zero; head -c 50000000 /dev/zero | tr '\\0' '\\n'; head -c 5000000 /dev/zero >&2",
        );
        let ended = flood.output(4 * PATIENCE).await.unwrap();
        assert!(ended.status.success());
        assert!(ended.errors.len() as u64 <= MOST_ERRORS);
    }

    #[tokio::test]
    async fn memory_is_bounded_and_secrets_are_not_passed_on() {
        let ended = sh("ulimit -v; env").output(PATIENCE).await.unwrap();
        let said = String::from_utf8(ended.output).unwrap();
        assert!(said.starts_with(MEMORY) || cfg!(target_os = "macos"), "{said}");
        assert!(!said.contains("HOME="), "{said}");
    }

    #[tokio::test]
    async fn who_takes_too_long_is_killed_with_children() {
        let marker = format!("{}.{}", 86_000, std::process::id());
        let started = Instant::now();
        let script = format!("sleep {marker} & sleep {marker}");
        assert!(sh(&script).output(Duration::from_millis(300)).await.is_err());
        let alive = || {
            let all = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
            String::from_utf8_lossy(&all.stdout).lines().any(|line| line.trim() == format!("sleep {marker}"))
        };
        while alive() {
            assert!(started.elapsed() < PATIENCE, "a child lives on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
