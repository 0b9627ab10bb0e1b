//! The program as a process of its own, which can be sent signals and killed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use lyceum::platform::auth::{Grant, Role, Tokens};
use lyceum::platform::clock::Clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::app::SECRET;
use super::redis::free_port;
use super::socket::PATIENCE;
use super::{User, cluster};

/// What the processes of one test have in common: settings, a folder, and with it what is embedded.
pub(crate) struct Site {
    vars: BTreeMap<String, String>,
    folder: PathBuf,
}

impl Site {
    /// With an empty database of its own in the throw-away cluster.
    pub(crate) async fn new() -> Site {
        Site::embedded().set("DATABASE_URL", &cluster::database().await)
    }

    /// Without a database: the program starts its own.
    pub(crate) fn embedded() -> Site {
        static SITES: AtomicUsize = AtomicUsize::new(0);
        // A short name, as the path of a socket has to be.
        let folder = cluster::folder().join(format!("site-{}", SITES.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&folder).unwrap();
        // PostgreSQL may run as another user, who has to get through.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let site = Site { vars: BTreeMap::new(), folder };
        let data = site.data().display().to_string();
        site.set("LYCEUM_DATA", &data).set("LYCEUM_SECRET", SECRET)
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Site {
        self.vars.insert(name.into(), value.into());
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Site {
        self.vars.remove(name);
        self
    }

    /// What is in `LYCEUM_DATA`.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn database(&self) -> &str {
        &self.vars["DATABASE_URL"]
    }

    /// The first value that `sql` returns from the database.
    pub(crate) async fn sql(&self, sql: &str) -> String {
        cluster::ask(self.database(), sql).await
    }

    /// A demo school: the three demo accounts and `courses` courses, the first of which is the demo instructor's.
    pub(crate) fn seed(self, courses: usize) -> Site {
        let output = self.run(&["seed", "--users", "3", "--courses", &courses.to_string()], "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        self
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("run lyceum");
        // A command that doesn't read its input may be gone by now.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Starts a command, waits `patience` and kills it like `kill -9`; returns whether it had ended by itself.
    pub(crate) async fn interrupt(&self, arguments: &[&str], patience: Duration) -> bool {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("run lyceum");
        sleep(patience).await;
        let ended = child.try_wait().unwrap().is_some();
        _ = child.kill();
        _ = child.wait();
        ended
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        // Its own working directory: there is no `.env` of a developer in it.
        command.args(arguments).current_dir(&self.folder).env_clear().envs(&self.vars);
        command.env("PATH", cluster::search_path().unwrap_or_default());
        command
    }

    /// Starts `lyceum serve` on a free port and waits until it is ready.
    pub(crate) async fn serve(&self) -> Node {
        self.serve_with(&["serve"]).await
    }

    /// Starts `lyceum serve --demo` on a free port and waits until it is ready.
    pub(crate) async fn serve_demo(&self) -> Node {
        self.serve_with(&["serve", "--demo"]).await
    }

    async fn serve_with(&self, arguments: &[&str]) -> Node {
        for _ in 0..5 {
            let mut node = self.launch_with(&format!("127.0.0.1:{}", free_port()), arguments);
            match node.ready().await {
                Ok(()) => return node,
                // Somebody else was faster to take the port.
                Err(output) => assert!(output.contains("cannot listen on"), "serve ended:\n{output}"),
            }
        }
        panic!("no free port");
    }

    /// Starts `lyceum serve` on an address and waits for nothing.
    pub(crate) fn launch(&self, addr: &str) -> Node {
        self.launch_with(addr, &["serve"])
    }

    /// Starts `lyceum worker` and waits for nothing.
    pub(crate) fn launch_worker(&self) -> Node {
        self.launch_with("127.0.0.1:0", &["worker"])
    }

    fn launch_with(&self, addr: &str, arguments: &[&str]) -> Node {
        let log = self.folder.join(format!("serve-{}.log", uuid::Uuid::new_v4().simple()));
        let output = File::create(&log).unwrap();
        let mut command = self.command(arguments);
        command.env("LYCEUM_ADDR", addr).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().expect("run lyceum");
        Node { child, url: format!("http://{addr}"), client: super::http::client(), log }
    }

    /// A token like those that the program issues.
    pub(crate) fn token(&self, user: &str, role: Role) -> String {
        let (_, uuid) = lyceum::graphql::id::split(user).unwrap();
        let grant = Grant { user: uuid, role, session: uuid::Uuid::nil(), version: 0 };
        Tokens::new(SECRET, &[], TimeDelta::hours(1), Clock::System).issue(grant).unwrap().0
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What an embedded PostgreSQL left behind when its owner was killed.
        let cluster = self.data().join("postgres");
        if let Ok(pid) = fs::read_to_string(cluster.join("data/postmaster.pid"))
            && let Some(pid) = pid.lines().next().and_then(|line| Pid::from_raw(line.parse().ok()?))
        {
            _ = kill_process(pid, Signal::QUIT);
        }
        if let Ok(home) = fs::read_link(&cluster) {
            _ = fs::remove_dir_all(home);
        }
        _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running server, killed when it is dropped.
pub(crate) struct Node {
    child: Child,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    log: PathBuf,
}

impl Node {
    /// Waits until `/readyz` is content.
    ///
    /// # Errors
    /// What the program printed, when it ended instead.
    pub(crate) async fn ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + 2 * PATIENCE;
        while self.status("/readyz").await != 200 {
            if self.child.try_wait().unwrap().is_some() {
                return Err(self.output());
            }
            assert!(Instant::now() < deadline, "never ready:\n{}", self.output());
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The status of an answer to GET; 0 when there is none.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// How many WebSockets are open.
    pub(crate) async fn sockets(&self) -> usize {
        let answer = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix("lyceum_sockets "));
        value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    }

    /// What it printed so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "never ended:\n{}", self.output());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// `kill -9`, and gone when this returns.
    pub(crate) fn kill(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }

    /// Sends an operation that must succeed and returns its `data`.
    pub(crate) async fn data(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = self.client.post(format!("{}/graphql", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        let mut body: Value = response.json().await.unwrap();
        assert!(body.get("errors").is_none(), "{query}\n{body:#}\n{}", self.output());
        body["data"].take()
    }

    /// One of the demo accounts: `admin`, `instructor`, `student`.
    pub(crate) async fn sign_in(&self, who: &str) -> User {
        let query = "mutation ($input: SignInInput!) { signIn(input: $input) {
            user { id } accessToken userErrors { message } } }";
        let input = json!({ "email": format!("{who}@lyceum.example"), "password": "learn-with-lyceum" });
        let data = self.data(None, query, json!({ "input": input })).await;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned();
        let signed_in = &data["signIn"];
        User { id: text(&signed_in["user"]["id"]), token: text(&signed_in["accessToken"]) }
    }

    /// A section of the demo instructor's first course, to add lessons to.
    pub(crate) async fn section(&self, instructor: &User) -> String {
        let query = "{ viewer { user { id } } courses(first: 100) { nodes { instructor { id }
            sections(first: 1) { nodes { id } } } } }";
        let data = self.data(Some(&instructor.token), query, json!({})).await;
        let courses = data["courses"]["nodes"].as_array().unwrap();
        let own = courses.iter().find(|course| course["instructor"]["id"] == data["viewer"]["user"]["id"]);
        let section = &own.unwrap_or_else(|| panic!("{data:#}"))["sections"]["nodes"][0]["id"];
        section.as_str().unwrap().to_owned()
    }

    /// A draft lesson with a video; returns its id.
    pub(crate) async fn lesson(&self, instructor: &User, section: &str, title: &str) -> String {
        let query = "mutation ($input: CreateLessonInput!) { createLesson(input: $input) { lesson { id } } }";
        let input = json!({ "sectionId": section, "title": title, "durationSeconds": 60 });
        let data = self.data(Some(&instructor.token), query, json!({ "input": input })).await;
        let lesson = data["createLesson"]["lesson"]["id"].as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned();
        // The demo instructor has one video.
        let videos =
            self.data(Some(&instructor.token), "{ viewer { videos(last: 1) { nodes { id } } } }", json!({})).await;
        let query =
            "mutation ($input: SetLessonVideoInput!) { setLessonVideo(input: $input) { userErrors { message } } }";
        let input =
            json!({ "lessonId": lesson, "version": 1, "videoId": videos["viewer"]["videos"]["nodes"][0]["id"] });
        let data = self.data(Some(&instructor.token), query, json!({ "input": input })).await;
        assert_eq!(data["setLessonVideo"]["userErrors"], json!([]));
        lesson
    }

    /// Publishes a lesson.
    pub(crate) async fn publish(&self, instructor: &User, lesson: &str) {
        let query = "mutation ($input: PublishLessonInput!) { publishLesson(input: $input) { lesson { status } } }";
        let data = self.data(Some(&instructor.token), query, json!({ "input": { "lessonId": lesson } })).await;
        assert_eq!(data["publishLesson"]["lesson"]["status"], "PUBLISHED");
    }

    /// A new lesson, published at once.
    pub(crate) async fn news(&self, instructor: &User, section: &str, title: &str) {
        let lesson = self.lesson(instructor, section, title).await;
        self.publish(instructor, &lesson).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- {} printed:\n{}---", self.url, self.output());
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The program as it was when it was first needed: a build in another terminal replaces it while the tests run.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let (built, kept) = (env!("CARGO_BIN_EXE_lyceum"), cluster::folder().join("lyceum"));
        fs::hard_link(built, &kept).or_else(|_| fs::copy(built, &kept).map(drop)).expect("no copy of lyceum");
        kept
    })
}
