//! The console in a real browser, and the examples of `examples/`.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::process::{Node, Site, text};
use crate::support::socket::PATIENCE;

/// Starting a browser on a busy machine takes its time.
const BROWSER_PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_works_in_a_browser() {
    need_node("playwright-core");
    need_chromium();
    let site = Site::new().await.seed(3);
    let node = site.serve().await;
    let (root, shots) = (Path::new(env!("CARGO_MANIFEST_DIR")), screenshots());
    let mut command = Command::new("node");
    command.arg(root.join("tests/browser/console.mjs")).args([&node.url, &shots.display().to_string()]);
    let (mut browser, mut lines) = spawn(command);
    let conversation = async {
        let mut said = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line == "SUBSCRIBED" {
                publish(&node).await;
            }
            said = line;
        }
        said
    };
    let said = timeout(BROWSER_PATIENCE, conversation).await.expect("the browser takes too long");
    let status = browser.wait().await.unwrap();
    assert!(status.success() && said == "CONSOLE OK", "{status}, {said:?}; see {}", shots.display());
    assert!(shots.join("console-push.png").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_a_subscription_prints_what_the_example_of_a_mutation_publishes() {
    need_examples();
    let site = Site::new().await.seed(5);
    let node = site.serve().await;
    let mut command = Command::new("node");
    command.arg(example("subscribe.mjs")).arg(format!("{}/graphql", node.url.replace("http://", "ws://")));
    let (_client, mut lines) = spawn(command);
    crate::support::eventually("the client is connected", async || node.sockets().await == 1).await;
    let mut published = Vec::new();
    let line = loop {
        // The protocol doesn't confirm a subscription: the first lesson may be too early for it.
        published.push(publish(&node).await);
        if let Ok(line) = timeout(Duration::from_secs(5), lines.next_line()).await {
            break line.unwrap().expect("the client ended");
        }
        assert!(published.len() < 5, "the client prints nothing");
    };
    let (_, title) = line.rsplit_once(": ").unwrap();
    assert!(published.iter().any(|lesson| lesson.ends_with(title)), "{line} of {published:?}");
    // A restarted server, on the same address: the client comes back by itself.
    let addr = node.url.strip_prefix("http://").unwrap().to_owned();
    drop(node);
    let mut node = site.launch(&addr);
    node.ready().await.unwrap();
    let lesson = publish(&node).await;
    let until_it_comes = async {
        // Of the ones before, some may still be on their way.
        while !lines.next_line().await.unwrap().expect("the client ended").ends_with(&format!(": {lesson}")) {}
    };
    timeout(PATIENCE, until_it_comes).await.expect("the client doesn't come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_apollo_and_urql_work() {
    need_examples();
    let site = Site::new().await.seed(5);
    let node = site.serve().await;
    let mut urql = Command::new("node");
    urql.arg(example("urql/main.mjs")).arg(&node.url);
    let (_urql, mut pushed) = spawn(urql);
    assert_eq!(next(&mut pushed).await, "5 courses; waiting for new videos");

    // The documents are typed by this schema, and the types are right.
    let run = async |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(example("")).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    let generated = example("apollo/generated.ts");
    let before = std::fs::read_to_string(&generated).unwrap();
    run(&["run", "--silent", "codegen", "-w", "apollo"]).await;
    let after = std::fs::read_to_string(&generated).unwrap();
    assert!(before == after, "examples/apollo/generated.ts was not current: it is now");
    run(&["run", "--silent", "check", "-w", "apollo"]).await;
    let printed = run(&["start", "--silent", "-w", "apollo", "--", &node.url]).await;
    let lines: Vec<&str> = printed.lines().collect();
    let expected = [
        (0, "5 courses"),
        (3, "courses.edges.0.node.instructor.email: FORBIDDEN"),
        (4, "4 are in the cache"),
        (5, "WRONG_CREDENTIALS"),
        (6, "Set(1) { 'student@lyceum.example' }"),
    ];
    for (line, words) in expected {
        assert_eq!(lines.get(line), Some(&words), "{printed}");
    }
    assert!(lines[1].contains(" lessons, by "), "{printed}");

    crate::support::eventually("urql is connected", async || node.sockets().await == 1).await;
    let mut published = Vec::new();
    let line = loop {
        published.push(publish(&node).await);
        if let Ok(line) = timeout(Duration::from_secs(5), next(&mut pushed)).await {
            break line;
        }
        assert!(published.len() < 5, "the client prints nothing");
    };
    let (_, title) = line.rsplit_once(": ").unwrap();
    assert!(published.iter().any(|lesson| lesson.ends_with(title)), "{line} of {published:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_for_browsers_sign_in_upload_and_play() {
    need_node("playwright-core");
    need_chromium();
    let (succeeded, said) = try_example("pages.mjs").await;
    assert!(succeeded && said.contains("EXAMPLES OK") && said.contains("playing HLS"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_the_bell_is_right_after_a_break_and_when_another_device_reads() {
    need_node("playwright-core");
    need_chromium();
    let (succeeded, said) = try_example("bell.mjs").await;
    assert!(succeeded && said.contains("BELL OK"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_usage_shows_the_hours_and_what_can_be_joined_on_each_device() {
    need_node("playwright-core");
    need_chromium();
    need_examples();
    // With hosts for five classes at once.
    let site = Site::new().await;
    assert!(site.run(&["seed", "--users", "8", "--courses", "3"], "").status.success());
    let (succeeded, said) = try_script(&site, "tests/examples/usage.mjs").await;
    assert!(succeeded && said.contains("USAGE OK"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_next_renders_with_cookies_and_uses_a_refresh_token_once() {
    let (succeeded, said) = try_example("next.mjs").await;
    assert!(succeeded && said.contains("NEXT OK"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_is_bought_and_refunded_in_a_browser() {
    need_node("playwright-core");
    need_chromium();
    let (succeeded, said) = try_script(&Site::new().await.seed(3), "tests/browser/checkout.mjs").await;
    assert!(succeeded && said.contains("CHECKOUT OK"), "{said}");
}

/// Runs a script of `tests/examples` against a demo school; whether it succeeded, and what it said.
async fn try_example(script: &str) -> (bool, String) {
    need_examples();
    try_script(&Site::new().await.seed(3), &format!("tests/examples/{script}")).await
}

/// Runs a script against a server of `site`; whether it succeeded, and what it said.
async fn try_script(site: &Site, script: &str) -> (bool, String) {
    let node = site.serve().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let mut command = Command::new("node");
    command.arg(script).args([&node.url, &screenshots().display().to_string()]).kill_on_drop(true);
    let output = timeout(BROWSER_PATIENCE, command.output()).await.expect("the example takes too long").unwrap();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(BROWSER_PATIENCE, lines.next_line()).await.expect("the client prints nothing");
    line.unwrap().expect("the client ended")
}

/// Publishes a lesson with `examples/publish.mjs`; its title.
async fn publish(node: &Node) -> String {
    let output: Output =
        Command::new("node").arg(example("publish.mjs")).arg(&node.url).kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success(), "publish.mjs: {}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

/// What it says of errors is in `target/screenshots`: a client that loses its connection, which is a part of a test, says so.
fn spawn(mut command: Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    std::fs::create_dir_all(screenshots()).unwrap();
    let said = std::fs::File::options().create(true).append(true).open(screenshots().join("stderr.log")).unwrap();
    let mut child = command.stdout(Stdio::piped()).stderr(said).kill_on_drop(true).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

fn need_examples() {
    let installed = example("node_modules/next").is_dir();
    assert!(installed, "examples/node_modules is missing: `make test` installs it");
}

pub(crate) fn need_node(package: &str) {
    let found = std::process::Command::new("node").arg("--version").output().is_ok_and(|run| run.status.success());
    assert!(found, "there is no `node`: `make deps-test` installs what tests need");
    let installed = console().join("node_modules").join(package).is_dir();
    assert!(installed, "console/node_modules lacks {package}: `make deps-test` installs what tests need");
    let built = console().join("dist/index.html").is_file();
    assert!(built, "console/dist isn't built: `make deps-test` installs and builds what tests need");
}

/// Looks where `console.mjs` looks.
pub(crate) fn need_chromium() {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let on_path = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = named.into_iter().chain([PathBuf::from("/usr/bin/chromium")]).chain(on_path).any(|file| file.exists());
    assert!(found, "there is no Chromium: `make deps-test` installs what tests need, or set CHROMIUM to its path");
}

fn console() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("console")
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// `target/screenshots`
pub(crate) fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots")
}
