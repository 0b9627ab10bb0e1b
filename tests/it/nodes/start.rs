//! Starts that succeed and starts that don't; the other commands.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::eventually;
use crate::support::process::{Site, text};
use crate::support::redis::free_port;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_address_says_so() {
    let site = Site::new().await;
    let first = site.serve().await;
    let addr = first.url.strip_prefix("http://").unwrap();
    let mut second = site.launch(addr);
    assert_eq!(second.ended().await.code(), Some(1));
    let expected = format!("lyceum: cannot listen on {addr}; set LYCEUM_ADDR to another address: ");
    assert!(second.output().starts_with(&expected), "{}", second.output());
    assert_eq!(first.status("/readyz").await, 200);
}

/// The processes that run with the site's data folder as an argument or as their working directory.
fn processes_of(site: &Site) -> Vec<String> {
    let folder = site.data();
    let of_site = |process: &std::path::Path| {
        let arguments = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let arguments = text(&arguments).replace('\0', " ");
        let folders = [&folder.canonicalize().unwrap_or_else(|_| folder.clone()), &folder];
        let home = std::fs::read_link(folder.join("postgres")).unwrap_or_else(|_| folder.join("postgres"));
        let within = std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&home));
        let named = folders.iter().any(|folder| arguments.contains(&folder.display().to_string()));
        (named || within || arguments.contains(&home.display().to_string())).then_some(arguments)
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| of_site(&entry.path())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupted_before_it_is_ready_it_leaves_no_postgres_and_the_next_start_works() {
    if !std::path::Path::new("/proc/self/cmdline").exists() {
        return;
    }
    let mut found = 0;
    for millis in [40, 150, 400, 800, 1300] {
        // A new folder each time: in it a start makes the cluster first.
        let site = Site::embedded();
        let mut node = site.launch(&format!("127.0.0.1:{}", free_port()));
        tokio::time::sleep(Duration::from_millis(millis)).await;
        found += usize::from(!processes_of(&site).is_empty());
        // What a shell has started in the background ignores SIGINT until it listens for it.
        node.signal(Signal::TERM);
        node.ended().await;
        // Some were killed, and may take a moment to end.
        eventually("no process is left", async || processes_of(&site).is_empty()).await;
        assert!(!node.output().contains("panicked"), "{}", node.output());
        if millis == 800 {
            let mut node = site.serve().await;
            node.signal(Signal::INT);
            assert!(node.ended().await.success(), "{}", node.output());
            assert_eq!(processes_of(&site), [""; 0], "{}", node.output());
        }
    }
    assert!(found > 0, "no start had come as far as PostgreSQL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_folder_is_refused_and_other_commands_attach() {
    let site = Site::embedded();
    let first = site.serve().await;
    let mut second = site.launch(&format!("127.0.0.1:{}", free_port()));
    assert_eq!(second.ended().await.code(), Some(1));
    let said = second.output();
    let expected = format!("process {}, {}", first.pid(), first.url);
    assert!(
        said.starts_with("lyceum: another `lyceum serve` uses the data folder ") && said.contains(&expected),
        "{said}"
    );

    let create = ["admin", "create", "--email", "root@school.example"];
    for (arguments, input, answer) in [
        (["seed", "--users", "3", "--courses", "1"].as_slice(), "", ""),
        (&["jobs", "dead"], "", "No job is dead."),
        (&["migrate"], "", "The database is up to date."),
        (&create, "correct horse battery\n", "root@school.example is an administrator."),
    ] {
        let output = site.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(answer), "{arguments:?}: {}", text(&output.stdout));
    }
    // It has the same database, and goes on.
    let courses = first.data(None, "{ courses { totalCount } }", json!({})).await;
    assert_eq!(courses["courses"]["totalCount"], 1);

    // What clients do wrong is no error of the server, and what jobs did not do is no news.
    for (path, body) in [("/graphql", "{ nonsense"), ("/graphql", "{\"query\":\"{ nothing }\"}"), ("/nowhere", "")] {
        let request = first.client.post(format!("{}{path}", first.url)).header("content-type", "application/json");
        assert!(request.body(body).send().await.is_ok());
    }
    let output = first.output();
    let lines = output.lines().filter(|line| [" ERROR ", " WARN ", " INFO "].iter().any(|level| line.contains(level)));
    assert_eq!(lines.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_the_command_that_runs_the_embedded_database() {
    let site = Site::embedded();
    let mut worker = site.launch_worker();
    eventually("the worker is ready", async || worker.output().contains("The worker is ready")).await;
    let mut server = site.launch(&format!("127.0.0.1:{}", free_port()));
    eventually("the server waits", async || server.output().contains("Waiting for another lyceum command")).await;
    assert!(server.is_running(), "{}", server.output());
    worker.signal(Signal::INT);
    assert!(worker.ended().await.success(), "{}", worker.output());
    server.ready().await.unwrap();
    assert_eq!(server.output().matches("Waiting for").count(), 1, "{}", server.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    for (url, words) in [
        ("postgres://ada:hunter2@127.0.0.1:9/school", ["the database at 127.0.0.1:9: ", "refused"]),
        ("postgres://ada:hunter2@nowhere.invalid/school", ["the database at nowhere.invalid:5432: ", "lookup"]),
    ] {
        let output = Site::embedded().set("DATABASE_URL", url).run(&["migrate"], "");
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(words.iter().all(|word| errors.contains(word)) && !errors.contains("hunter2"), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_lists_every_problem_at_once() {
    let site = Site::embedded().set("LYCEUM_ENV", "production").unset("LYCEUM_SECRET");
    let site = site.set("LYCEUM_TYPO", "1").set("LYCEUM_MAX_DEPTH", "many");
    let output = site.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    let problems: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    let expected = [
        "DATABASE_URL is required in production",
        "LYCEUM_MAX_DEPTH",
        "LYCEUM_PUBLIC_URL is ",
        "LYCEUM_SECRET is required in production",
        "LYCEUM_TYPO is not a setting",
        "S3_BUCKET is required in production",
        "SMTP_URL is required in production",
    ];
    for start in expected {
        assert_eq!(problems.iter().filter(|problem| problem.starts_with(start)).count(), 1, "{start}:\n{errors}");
    }
    assert_eq!(problems.len(), expected.len(), "{errors}");
    assert!(!site.data().exists(), "nothing was started");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn config_check_shows_what_is_set_but_no_secret() {
    let secrets = [
        ("LYCEUM_SECRET", "kT9vQ2mX7pL4wR8sN1bC6yF3hJ5gD0aZ"),
        ("DATABASE_URL", "postgres://school:Wq8zR4t@db.internal/school"),
        ("REDIS_URL", "redis://:Hx7pL2n@cache.internal"),
        ("S3_SECRET_ACCESS_KEY", "Bv5kM9dG3sT1jY6qF8wE"),
        ("SMTP_URL", "smtps://post:Jc3nU6y@mail.internal"),
    ];
    let plain = [
        ("LYCEUM_ENV", "production"),
        ("LYCEUM_PUBLIC_URL", "https://learn.school"),
        ("S3_BUCKET", "videos-of-the-school"),
        ("S3_ACCESS_KEY_ID", "AKIA77"),
    ];
    let site = secrets.iter().chain(&plain).fold(Site::embedded(), |site, (name, value)| site.set(name, value));
    let output = site.run(&["config", "check"], "");
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && shown.contains("No problems."), "{shown}");
    let line = |name: &str| shown.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
    for (name, value) in plain {
        assert!(line(name).contains(&format!("{value} (set)")), "{shown}");
    }
    for (name, value) in secrets {
        assert!(line(name).contains("******** (set)"), "{shown}");
        // What stands before :// is no secret.
        let value = value.split_once("://").map_or(value, |(_, rest)| rest);
        for part in value.split(['/', ':', '@']).filter(|part| part.len() >= 7) {
            assert!(!shown.contains(part), "{name} is shown: {part}");
        }
    }
    // A malformed secret isn't repeated in the complaint about it either.
    let output = site.set("DATABASE_URL", "Wq8zR4t").set("LYCEUM_SECRET", "Wq8zR4t").run(&["config", "check"], "");
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(shown.contains("LYCEUM_SECRET is too short") && !shown.contains("Wq8zR4t"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_wants_its_database_migrated_first() {
    let site = [
        ("LYCEUM_ENV", "production"),
        ("LYCEUM_SECRET", "kT9vQ2mX7pL4wR8sN1bC6yF3hJ5gD0aZ"),
        ("LYCEUM_PUBLIC_URL", "https://learn.school"),
        ("S3_ENDPOINT", "http://127.0.0.1:9"),
        ("S3_ACCESS_KEY_ID", "AKIA77"),
        ("S3_SECRET_ACCESS_KEY", "Bv5kM9dG3sT1jY6qF8wE"),
        ("SMTP_URL", "smtp://127.0.0.1:9"),
    ]
    .iter()
    .fold(Site::new().await, |site, (name, value)| site.set(name, value));
    let output = site.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("the database lacks ") && errors.contains("run `lyceum migrate`"), "{errors}");
    let output = site.run(&["migrate"], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let node = site.serve().await;
    let start = crate::support::http::get(format!("{}/", node.url)).await.unwrap().text().await.unwrap();
    assert!(start.contains("https://learn.school/console") && !start.contains("/dev/") && !start.contains("/metrics"));
    for page in ["/dev/mail", "/dev/mail/templates", "/dev/mail/templates/welcome"] {
        assert_eq!(node.status(page).await, 404, "{page}: not in production");
    }
    assert!(!site.run(&["seed"], "").status.success(), "no public password in production");
    assert!(!site.run(&["serve", "--demo"], "").status.success(), "nor here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_is_made_with_the_password_on_standard_input() {
    let site = Site::new().await;
    let create = ["admin", "create", "--email", "Root@School.example"];
    let output = site.run(&create, "short\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("at least 10 are needed"), "{}", text(&output.stderr));
    let output = site.run(&create, "correct horse battery\n");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "root@school.example is an administrator.\n");
    let node = site.serve().await;
    let query = "mutation ($input: SignInInput!) { signIn(input: $input) { user { role } } }";
    let input = json!({ "email": "root@school.example", "password": "correct horse battery" });
    let data = node.data(None, query, json!({ "input": input })).await;
    assert_eq!(data["signIn"]["user"]["role"], "ADMIN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_jobs_are_logged_with_their_ids_if_their_feature_is_asked_for() {
    for (filter, is_logged) in [("lyceum::accounts=debug", true), ("lyceum::media=debug", false)] {
        let site = Site::new().await.set("LYCEUM_LOG", filter);
        let node = site.serve().await;
        let document = "mutation ($input: RegisterInput!) { register(input: $input) { registration { id } } }";
        let input = json!({ "email": "ada@people.example", "name": "Ada", "password": "correct horse battery" });
        let data = node.data(None, document, json!({ "input": input })).await;
        let id = data["register"]["registration"]["id"].as_str().unwrap().to_owned();
        let line = format!("register resolved: {id}");
        eventually("the mail is sent", async || node.output().contains("done in") || !is_logged).await;
        let output = node.output();
        assert_eq!(output.contains(&line), is_logged, "{output}");
        assert_eq!(output.contains(" accounts.") && output.contains("done in"), is_logged, "{output}");
        assert!(!output.contains("correct horse") && !output.contains("people.example"), "{output}");
    }
}
