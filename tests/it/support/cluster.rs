//! One throw-away PostgreSQL cluster per test process. Rust has no `atexit`, and a test process may be killed, so a
//! watcher, an `sh` that reads from a pipe which only this process holds, stops and removes the cluster afterwards.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use lyceum::platform::embedded::postgres::{Options, Postgres};
use tokio_postgres::SimpleQueryMessage;

use super::timing;

/// `$1` is the folder. Servers that tests started run from a copy of the program in it. A shutdown of the cluster takes
/// well under a second as nothing is synced to disk; one that is killed before it writes its pid file stops by itself
/// within a minute of losing its folder.
const WATCHER: &str = r#"
cat >/dev/null
for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe")" = "$1/lyceum" ] && kill -9 "${process#/proc/}"
done
pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; then
    n=0
    while [ $n -lt 50 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
    kill -QUIT "$pid" 2>/dev/null && sleep 1
fi
rm -rf "$1" || { sleep 2; rm -rf "$1"; }
"#;

/// The superuser's URL of this process's cluster, started by the first call. Blocks for some 2 s then.
pub(crate) fn throwaway() -> &'static str {
    timing::begin();
    static URL: OnceLock<String> = OnceLock::new();
    // A thread of its own: a test's runtime may neither block on another one nor outlive its test.
    URL.get_or_init(|| std::thread::spawn(start).join().expect("no throw-away cluster"))
}

/// A folder that is removed after this process has ended.
pub(crate) fn folder() -> &'static Path {
    timing::begin();
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = PathBuf::from(format!("/tmp/lyceum-test-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("no throw-away folder");
        watch(&folder);
        folder
    })
}

fn start() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("no runtime");
    let options = Options { folder: folder().join("postgres"), durable: false, search_path: search_path() };
    let postgres = runtime.block_on(Postgres::start(options)).expect("no throw-away cluster");
    let url = postgres.url().to_owned();
    // Not dropped, which would stop it: the watcher does that.
    std::mem::forget((postgres, runtime));
    url
}

#[allow(clippy::zombie_processes, reason = "it outlives this process")]
fn watch(folder: &Path) {
    let mut watcher = Command::new("sh")
        .args(["-c", WATCHER, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        // It must not keep open what `cargo test | less` waits for, nor end with Ctrl-C.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("no watcher for the throw-away cluster");
    let mut pipe = watcher.stdin.take().expect("the watcher has a pipe");
    pipe.write_all(b"\n").expect("the watcher reads");
    // Closed by the kernel when this process ends, however it ends.
    std::mem::forget(pipe);
}

/// `PATH`, which production code gets from its settings.
#[allow(clippy::disallowed_methods, reason = "a test has no settings")]
pub(crate) fn search_path() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}

/// The first value that `sql` returns, as text; empty if there is none.
pub(crate) async fn ask(url: &str, sql: &str) -> String {
    first(&connect(url).await, sql).await
}

/// The same over a connection that is there.
pub(crate) async fn first(client: &tokio_postgres::Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let value = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    value.unwrap_or_default()
}

/// A connection of the test's own; it ends when the client is dropped.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("no connection");
    tokio::spawn(connection);
    client
}

/// A new, empty database in the throw-away cluster; its URL.
pub(crate) async fn database() -> String {
    let name = format!("d_{}", uuid::Uuid::new_v4().simple());
    ask(throwaway(), &format!("CREATE DATABASE {name}")).await;
    let (server, _) = throwaway().rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}
