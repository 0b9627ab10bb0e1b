//! The embedded PostgreSQL: real clusters, real processes, `kill -9`.

use crate::support::cluster;
use crate::support::eventually;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lyceum::platform::embedded::postgres::{Options, Postgres, find_binaries};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A folder below `/tmp` that other users can pass, removed with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = PathBuf::from(format!("/tmp/lyceum-pg-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    fn cluster(&self) -> PathBuf {
        self.0.join("postgres")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Ok(home) = fs::read_link(self.cluster()) {
            let _ = fs::remove_dir_all(home);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that doesn't outlive a failed test.
struct Process(Child);

impl Process {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn options(folder: &Path) -> Options {
    Options { folder: folder.to_owned(), durable: false, search_path: cluster::search_path() }
}

async fn start(folder: &Path) -> Postgres {
    Postgres::start(options(folder)).await.unwrap()
}

/// The first value that `sql` returns.
async fn ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let messages = tokio::select! {
        messages = client.simple_query(sql) => messages?,
        lost = connection => return lost.map(|()| String::new()),
    };
    let value = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(value.unwrap_or_default())
}

/// The processes that serve the cluster in `folder`, found without the code under test.
fn postmasters(folder: &Path) -> Vec<i32> {
    processes("/postgres", &folder.canonicalize().unwrap().join("data"))
}

fn processes(program: &str, argument: &Path) -> Vec<i32> {
    let is_one = |process: &Path| {
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        let arguments: Vec<&OsStr> = line.split(|byte| *byte == 0).map(OsStr::from_bytes).collect();
        arguments[0].as_bytes().ends_with(program.as_bytes()) && arguments.contains(&argument.as_os_str())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten().filter(|entry| is_one(&entry.path()));
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn kill(signal: &str, pid: i32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Runs one of the ignored tests below in a process of its own that can be killed.
fn another_process(test: &str, folder: &Path) -> Process {
    let module = module_path!().split_once("::").map_or(String::new(), |(_, module)| format!("{module}::"));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("{module}{test}"), "--ignored"])
        .env("LYCEUM_TEST_FOLDER", folder)
        .stdout(Stdio::null());
    Process(command.spawn().unwrap())
}

#[allow(clippy::disallowed_methods, reason = "how `another_process` hands over its folder")]
fn handed_over() -> Option<PathBuf> {
    std::env::var_os("LYCEUM_TEST_FOLDER").map(PathBuf::from)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the owner that another test kills"]
async fn owner() {
    let Some(folder) = handed_over() else { return };
    let postgres = start(&folder).await;
    assert!(postgres.owns());
    fs::write(folder.with_file_name("url"), postgres.url()).unwrap();
    fs::rename(folder.with_file_name("url"), folder.with_file_name("ready")).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the test process that another test kills"]
async fn test_process() {
    let Some(folder) = handed_over() else { return };
    fs::write(folder.join("url"), cluster::throwaway()).unwrap();
    fs::rename(folder.join("url"), folder.join("ready")).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_its_data_and_starts_fast_the_second_time() {
    let folder = Folder::new();
    let durable = || Options { durable: true, ..options(&folder.cluster()) };
    let postgres = Postgres::start(durable()).await.unwrap();
    assert!(postgres.owns());
    let url = postgres.url().to_owned();
    let shown = ask(&url, "SHOW server_version").await.unwrap();
    assert_eq!(shown.split(' ').next(), Some(postgres.version()));
    for (setting, value) in [
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("password_encryption", "scram-sha-256"),
    ] {
        assert_eq!(ask(&url, &format!("SHOW {setting}")).await.unwrap(), value, "{setting}");
    }
    assert_eq!(ask(&url, "SELECT upper('straße ñ')").await.unwrap(), "STRAßE Ñ");
    ask(&url, "CREATE TABLE kept AS SELECT 'still here' AS word").await.unwrap();
    postgres.stop().await.unwrap();
    assert_eq!(postmasters(&folder.cluster()), [0; 0]);

    let begun = Instant::now();
    let postgres = Postgres::start(durable()).await.unwrap();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "the second start took {took:?}");
    assert_eq!(postgres.url(), url, "the URL stays the same");
    assert_eq!(ask(&url, "SELECT word FROM kept").await.unwrap(), "still here");
    postgres.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_password() {
    let folder = Folder::new();
    let postgres = start(&folder.cluster()).await;
    let url = postgres.url();
    let mode = |path: &str| fs::metadata(folder.cluster().join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode(""), mode("run"), mode("data"), mode("password")), (0o700, 0o700, 0o700, 0o600));
    let password = fs::read_to_string(folder.cluster().join("password")).unwrap();
    assert!(password.len() >= 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    for wrong in [url.replace(&password, "guess"), url.replace(&format!(":{password}"), "")] {
        assert!(ask(&wrong, "SELECT 1").await.is_err());
    }
    let rules = ask(url, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules").await.unwrap();
    assert_eq!(rules, "scram-sha-256");
    // PostgreSQL's own clients take the same URL.
    let psql = Command::new("psql").args([url, "-Atc", "SELECT 41 + 1"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&psql.stdout), "42\n", "{}", String::from_utf8_lossy(&psql.stderr));
    // What this process has in its environment is not for SQL.
    let server = fs::read(format!("/proc/{}/environ", postmasters(&folder.cluster())[0])).unwrap();
    assert!(!server.windows(5).any(|name| name == b"PATH="));
    postgres.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_starts_at_once_one_owns_and_one_attaches() {
    let folder = Folder::new();
    let path = folder.cluster();
    let (first, second) = tokio::join!(start(&path), start(&path));
    assert!(first.owns() != second.owns());
    assert_eq!(first.url(), second.url());
    assert_eq!(first.version(), second.version());
    let (owner, attached) = if first.owns() { (first, second) } else { (second, first) };
    assert_eq!(ask(attached.url(), "SELECT 1").await.unwrap(), "1");
    attached.stop().await.unwrap();
    assert_eq!(ask(owner.url(), "SELECT 1").await.unwrap(), "1", "an attached process stops nothing");
    assert_eq!(postmasters(&folder.cluster()).len(), 1);

    // The next one may come while the owner is going.
    let (stopped, next) = tokio::join!(owner.stop(), start(&path));
    stopped.unwrap();
    drop(next);
    let last = start(&folder.cluster()).await;
    assert!(last.owns());
    assert_eq!(ask(last.url(), "SELECT 1").await.unwrap(), "1");
    last.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_of_the_owner_its_postmaster_is_adopted() {
    let folder = Folder::new();
    let mut owner = another_process("owner", &folder.cluster());
    eventually("the owner is ready", async || folder.0.join("ready").exists()).await;
    let attached = start(&folder.cluster()).await;
    assert!(!attached.owns());
    let before = postmasters(&folder.cluster());
    owner.kill();

    let postgres = start(&folder.cluster()).await;
    assert!(postgres.owns());
    assert_eq!(postmasters(&folder.cluster()), before, "the same process, and only that");
    assert_eq!(before.len(), 1);
    assert_eq!(ask(postgres.url(), "SELECT 1").await.unwrap(), "1");
    postgres.stop().await.unwrap();
    assert_eq!(postmasters(&folder.cluster()), [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_that_is_still_shutting_down_or_refuses_is_replaced() {
    let folder = Folder::new();
    let mut owner = another_process("owner", &folder.cluster());
    eventually("the owner is ready", async || folder.0.join("ready").exists()).await;
    let url = fs::read_to_string(folder.0.join("ready")).unwrap();
    let before = postmasters(&folder.cluster());
    owner.kill();
    // A smart shutdown waits for this client, and accepts no other.
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let mut held = tokio::task::JoinSet::new();
    held.spawn(connection);
    kill("-TERM", before[0]);

    let postgres = start(&folder.cluster()).await;
    assert!(postgres.owns());
    let after = postmasters(&folder.cluster());
    assert_eq!(after.len(), 1);
    assert_ne!(after, before);
    assert!(client.simple_query("SELECT 1").await.is_err(), "the old one is gone");
    postgres.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dead_postmasters_leave_is_no_obstacle() {
    let folder = Folder::new();
    let pid_file = folder.cluster().join("data/postmaster.pid");
    let postgres = Postgres::start(Options { durable: true, ..options(&folder.cluster()) }).await.unwrap();
    ask(postgres.url(), "CREATE TABLE kept AS SELECT 1 AS n").await.unwrap();
    kill("-KILL", postmasters(&folder.cluster())[0]);
    eventually("the postmaster is dead", async || postmasters(&folder.cluster()).is_empty()).await;
    let left = fs::read_to_string(&pid_file).unwrap();
    drop(postgres);

    // A dead process.
    let postgres = start(&folder.cluster()).await;
    assert_eq!(ask(postgres.url(), "SELECT n FROM kept").await.unwrap(), "1");
    postgres.stop().await.unwrap();

    // Another program of the same user, which PostgreSQL by itself takes for a postmaster.
    let user = fs::metadata(folder.cluster()).unwrap();
    let mut sleep = Command::new("sleep");
    sleep.arg("600");
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        sleep.uid(user.uid()).gid(user.gid());
    }
    let mut other = Process(sleep.stdout(Stdio::null()).spawn().unwrap());
    let (_, rest) = left.split_once('\n').unwrap();
    let lock = folder.cluster().join("run/.s.PGSQL.5432.lock");
    for stale in [format!("{}\n{rest}", other.0.id()), String::new(), "rubbish".to_owned()] {
        for path in [&pid_file, &lock] {
            fs::write(path, &stale).unwrap();
            if fs::metadata(path).unwrap().uid() == 0 {
                std::os::unix::fs::chown(path, Some(user.uid()), Some(user.gid())).unwrap();
            }
        }
        let postgres = start(&folder.cluster()).await;
        assert_eq!(ask(postgres.url(), "SELECT n FROM kept").await.unwrap(), "1");
        postgres.stop().await.unwrap();
    }
    assert!(other.0.try_wait().unwrap().is_none(), "the other program was left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_database_is_made() {
    let folder = Folder::new();
    let postgres = start(&folder.cluster()).await;
    // As if it had been killed between making the cluster and this.
    let maintenance = format!("{}/postgres", postgres.url().strip_suffix("/lyceum").unwrap());
    ask(&maintenance, "DROP DATABASE lyceum").await.unwrap();
    postgres.stop().await.unwrap();
    let postgres = start(&folder.cluster()).await;
    assert_eq!(ask(postgres.url(), "SELECT current_database()").await.unwrap(), "lyceum");
    postgres.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_cluster_is_not_taken_for_one() {
    let folder = Folder::new();
    let mut owner = another_process("owner", &folder.cluster());
    let mut draft = PathBuf::new();
    eventually("initdb is under way", async || {
        let entries = fs::read_dir(folder.cluster()).into_iter().flatten().flatten();
        let begun = entries.map(|entry| entry.path()).find(|path| path.join("PG_VERSION").exists());
        draft = begun.unwrap_or_default();
        draft.exists()
    })
    .await;
    owner.kill();
    kill("-KILL", processes("/initdb", &draft)[0]);

    let postgres = start(&folder.cluster()).await;
    assert_eq!(ask(postgres.url(), "SELECT 1").await.unwrap(), "1");
    eventually("its child has ended", async || processes("/postgres", &draft).is_empty()).await;
    postgres.stop().await.unwrap();
    let left: Vec<_> = fs::read_dir(folder.cluster()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.iter().filter(|name| name.to_string_lossy().starts_with("data")).count(), 1, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_without_stop_it_shuts_down_by_itself() {
    let folder = Folder::new();
    drop(start(&folder.cluster()).await);
    eventually("it has stopped", async || postmasters(&folder.cluster()).is_empty()).await;
    drop(start(&folder.cluster()).await);
    let postgres = start(&folder.cluster()).await;
    assert!(postgres.owns());
    assert_eq!(ask(postgres.url(), "SELECT 1").await.unwrap(), "1");
    assert_eq!(postmasters(&folder.cluster()).len(), 1);
    postgres.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postmaster_that_dies_is_started_again() {
    let folder = Folder::new();
    let postgres = Postgres::start(Options { durable: true, ..options(&folder.cluster()) }).await.unwrap();
    ask(postgres.url(), "CREATE TABLE kept AS SELECT 1 AS n").await.unwrap();
    for _ in 0..2 {
        let before = postmasters(&folder.cluster());
        kill("-KILL", before[0]);
        eventually("another one runs", async || {
            let now = postmasters(&folder.cluster());
            now.len() == 1 && now != before
        })
        .await;
    }
    let mut kept = ask(postgres.url(), "SELECT n FROM kept").await;
    while kept.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        kept = ask(postgres.url(), "SELECT n FROM kept").await;
    }
    assert_eq!(kept.unwrap(), "1");
    postgres.stop().await.unwrap();
    assert_eq!(postmasters(&folder.cluster()), [0; 0], "stopped, it is not started again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_says_why() {
    let folder = Folder::new();
    start(&folder.cluster()).await.stop().await.unwrap();
    let data = folder.cluster().join("data");
    fs::write(data.join("postgresql.auto.conf"), "no_such_setting = 1\n").unwrap();
    let report = Postgres::start(options(&folder.cluster())).await.err().unwrap().report();
    assert!(report.contains("no_such_setting") && report.contains("postgres.log"), "{report}");

    fs::write(data.join("postgresql.auto.conf"), "").unwrap();
    fs::write(folder.cluster().join("password"), "forgotten").unwrap();
    let report = Postgres::start(options(&folder.cluster())).await.err().unwrap().report();
    assert!(report.contains("is not the cluster's"), "{report}");
    eventually("nothing is left running", async || postmasters(&folder.cluster()).is_empty()).await;

    fs::write(data.join("PG_VERSION"), "14\n").unwrap();
    let report = Postgres::start(options(&folder.cluster())).await.err().unwrap().report();
    assert!(report.contains("PostgreSQL 14, which made this cluster, is not installed"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_only_root_can_enter() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let folder = Folder::new();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).unwrap();
    let postgres = start(&folder.cluster()).await;
    let home = fs::read_link(folder.cluster()).unwrap();
    assert_eq!(home.parent(), Some(Path::new("/var/lib")));
    let found = fs::metadata(&home).unwrap();
    assert_eq!(found.mode() & 0o777, 0o700);
    assert_ne!(found.uid(), 0);
    ask(postgres.url(), "CREATE TABLE kept AS SELECT 1 AS n").await.unwrap();

    // A copy of the project has a copy of the link, so it means the same cluster under another lock file.
    let copy = folder.0.join("copy");
    symlink(&home, &copy).unwrap();
    let attached = start(&copy).await;
    assert!(!attached.owns());
    assert_eq!(ask(attached.url(), "SELECT n FROM kept").await.unwrap(), "1");
    postgres.stop().await.unwrap();

    let postgres = start(&folder.cluster()).await;
    assert_eq!(ask(postgres.url(), "SELECT n FROM kept").await.unwrap(), "1");
    postgres.stop().await.unwrap();

    // As after a new container with the same volume.
    fs::remove_dir_all(&home).unwrap();
    let postgres = start(&folder.cluster()).await;
    assert!(ask(postgres.url(), "SELECT n FROM kept").await.is_err());
    postgres.stop().await.unwrap();

    // Never somebody else's folder in `/var/lib`.
    fs::remove_dir_all(&home).unwrap();
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(54321), None).unwrap();
    fs::remove_file(folder.cluster()).unwrap();
    let report = Postgres::start(options(&folder.cluster())).await.err().unwrap().report();
    assert!(report.contains("of user 54321"), "{report}");
    fs::remove_dir_all(&home).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_very_long_path_with_odd_characters() {
    let folder = Folder::new();
    let odd = folder.0.join("a \"b\" c%20 é'\\ü").join("postgres");
    let comma = folder.0.join("a, b").join("postgres");
    let long = folder.0.join("x".repeat(90)).join("y".repeat(90)).join("postgres");
    for (path, inside) in [(odd, true), (comma, false), (long, false)] {
        let postgres = start(&path).await;
        assert_eq!(ask(postgres.url(), "SELECT 1").await.unwrap(), "1");
        let psql = Command::new("psql").args([postgres.url(), "-Atc", "SELECT 42"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&psql.stdout), "42\n");
        let sockets = ask(postgres.url(), "SHOW unix_socket_directories").await.unwrap();
        assert_eq!(path.join("run").join(".s.PGSQL.5432").exists(), inside);
        if !inside {
            assert!(sockets.starts_with("\"/tmp/lyceum-"), "{sockets}");
            assert_eq!(fs::metadata(sockets.trim_matches('"')).unwrap().mode() & 0o777, 0o700);
        }
        postgres.stop().await.unwrap();
        if !inside {
            fs::remove_dir_all(sockets.trim_matches('"')).unwrap();
        }
    }
}

#[test]
fn the_programs_are_found_with_and_without_a_path() {
    let found = find_binaries(None).unwrap();
    assert!(found.major >= 15 && found.initdb.is_absolute());
    let first = found.postgres.parent().unwrap();
    assert_eq!(find_binaries(Some(first.as_os_str())).unwrap(), found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throw_away_cluster_goes_with_its_process() {
    assert_eq!(cluster::throwaway(), cluster::throwaway());
    assert_eq!(ask(cluster::throwaway(), "SHOW fsync").await.unwrap(), "off");

    let folder = Folder::new();
    let mut process = another_process("test_process", &folder.0);
    eventually("its cluster is up", async || folder.0.join("ready").exists()).await;
    let url = fs::read_to_string(folder.0.join("ready")).unwrap();
    assert_ne!(url, cluster::throwaway());
    let sockets = PathBuf::from(ask(&url, "SHOW unix_socket_directories").await.unwrap().replace('"', ""));
    let (root, running) = (sockets.ancestors().nth(2).unwrap(), postmasters(sockets.parent().unwrap()));
    assert_eq!(running.len(), 1);
    process.kill();
    eventually("its cluster is gone", async || !root.exists() && !Path::new(&format!("/proc/{}", running[0])).exists())
        .await;
}
