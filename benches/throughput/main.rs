//! `make bench`: measures the throughput of the catalog, the course page, discussions and *my page* with 16 clients.
//!
//! The reference is `pgbench -M prepared` with one hand-written statement for the same data on the same database. The
//! benchmark reports both throughputs, their ratio, and the CPU milliseconds per request of the server and of
//! PostgreSQL. Rounds are interleaved. Compare the ratios, because absolute numbers vary between machines and runs.
//!
//! `make bench ARGS=--discussions` measures only the cases of discussions and *my page*, whose server has no row cache.
//!
//! After the reads of the catalog it measures the same reads during enrollments and edits, with the first server only.
//!
//! `make bench ARGS=--players` measures only how players save their progress; see `players.rs`.
//!
//! `make bench ARGS=--orders` measures only orders that are created and paid; see `orders.rs`.
//!
//! `make bench ARGS=--live` measures only live classes; see `live.rs`.
//!
//! `make bench ARGS=--push` measures only pushing to many WebSockets; see `push.rs`.
//!
//! `make bench ARGS="--server target/release/lyceum --server /tmp/other/lyceum"` compares builds side by side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark that cannot go on should stop where it stands"
)]

mod cases;
mod cpu;
mod discussion;
mod live;
mod load;
mod my_page;
mod orders;
mod players;
mod push;
mod writes;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lyceum::platform::embedded::postgres::{Options, Postgres};

use cases::Case;
use cpu::Usage;

const CLIENTS: usize = 16;
const COURSES: &str = "2000";
const USERS: &str = "50000";
/// What signs the access tokens.
const SECRET: &str = "a secret of the benchmark, which signs access tokens";

struct Settings {
    rounds: usize,
    seconds: u64,
}

/// Requests per second and CPU milliseconds per request.
#[derive(Clone, Copy, Default)]
struct Figures {
    throughput: f64,
    program_ms: f64,
    postgres_ms: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut programs: Vec<PathBuf> =
        arguments.windows(2).filter(|pair| pair[0] == "--server").map(|pair| PathBuf::from(&pair[1])).collect();
    if programs.is_empty() {
        programs.push(env!("CARGO_BIN_EXE_lyceum").into());
    }
    let settings = if quick { Settings { rounds: 1, seconds: 2 } } else { Settings { rounds: 5, seconds: 5 } };
    if arguments.iter().any(|argument| argument == "--players") {
        return play(&programs[0]).await;
    }
    for (name, what) in [("--orders", What::Orders), ("--live", What::Live)] {
        if arguments.iter().any(|argument| argument == name) {
            return write(&programs[0], what, &settings).await;
        }
    }
    if arguments.iter().any(|argument| argument == "--bare") {
        return push::serve_bare().await;
    }
    if arguments.iter().any(|argument| argument == "--push") {
        return follow(&programs).await;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let options = Options { folder: folder.join("postgres"), durable: true, search_path: std::env::var_os("PATH") };
    let postgres = Postgres::start(options).await.unwrap();
    let postmaster = cpu::postmaster(&folder.join("postgres/data"));
    let url = postgres.url().to_owned();
    seed(&programs[0], &url, &folder, (COURSES, USERS)).await;
    let cases = cases::prepare(&url, &folder).await;
    let only_discussions = arguments.iter().any(|argument| argument == "--discussions");
    if !only_discussions {
        let servers = serve_all(&programs, &url, &folder, "on").await;
        compare(&cases, &settings, &url, postmaster, &servers).await;
        writes::measure(&url, servers[0].addr, &cases, &settings).await;
        stop(servers);
    }
    let mut cases = discussion::prepare(&url, &folder).await;
    // Before questions are asked, of which the server tells others for minutes.
    cases.insert(1, my_page::prepare(&url, &folder).await);
    let servers = serve_all(&programs, &url, &folder, "off").await;
    compare(&cases, &settings, &url, postmaster, &servers).await;
    stop(servers);
    let client = connect(&url).await;
    discussion::forget(&client).await;
    my_page::forget(&client).await;
    postgres.stop().await.unwrap();
}

/// Measures each case with pgbench and the servers, and prints a table.
async fn compare(cases: &[Case], settings: &Settings, url: &str, postmaster: u32, servers: &[Server]) {
    for case in cases {
        for server in servers {
            println!("{}: {}", case.name, case.check(server.addr).await);
        }
    }
    println!("\n| case | pgbench /s | PG ms | server /s | ratio | server ms | PG ms |\n|---|---|---|---|---|---|---|");
    for case in cases {
        measure(case, settings, url, postmaster, servers).await;
    }
}

/// Starts a server of each program, with or without its row cache.
async fn serve_all(programs: &[PathBuf], url: &str, folder: &Path, row_cache: &str) -> Vec<Server> {
    let mut servers = Vec::new();
    for program in programs {
        servers.push(serve(program, url, folder, row_cache).await);
    }
    servers
}

fn stop(servers: Vec<Server>) {
    for mut server in servers {
        server.process.kill().unwrap();
        server.process.wait().unwrap();
    }
}

/// Measures players, in a school that is as small as it may be.
async fn play(program: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-players");
    std::fs::create_dir_all(&folder).unwrap();
    let options = || Options { folder: folder.join("postgres"), durable: true, search_path: std::env::var_os("PATH") };
    let postgres = Postgres::start(options()).await.unwrap();
    players::count_statements(&postgres).await;
    postgres.stop().await.unwrap();
    let postgres = Postgres::start(options()).await.unwrap();
    let postmaster = cpu::postmaster(&folder.join("postgres/data"));
    let url = postgres.url().to_owned();
    seed(program, &url, &folder, ("30", "2400")).await;
    let server = serve(program, &url, &folder, "on").await;
    players::measure(&url, &server, postmaster).await;
    stop(vec![server]);
    postgres.stop().await.unwrap();
}

/// What is written in the small school.
enum What {
    Orders,
    Live,
}

/// Measures orders or live classes, in the same school.
async fn write(program: &Path, what: What, settings: &Settings) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-players");
    std::fs::create_dir_all(&folder).unwrap();
    let options = Options { folder: folder.join("postgres"), durable: true, search_path: std::env::var_os("PATH") };
    let postgres = Postgres::start(options).await.unwrap();
    let postmaster = cpu::postmaster(&folder.join("postgres/data"));
    let url = postgres.url().to_owned();
    seed(program, &url, &folder, ("30", "2400")).await;
    let server = serve(program, &url, &folder, "on").await;
    match what {
        What::Orders => orders::measure(&url, &server, postmaster, &folder).await,
        What::Live => live::measure(&url, &server, postmaster, &folder, settings).await,
    }
    stop(vec![server]);
    postgres.stop().await.unwrap();
}

/// The number of transactions per second of a script whose values are part of its text.
fn pgbench_tps(url: &str, script: &Path, values: &[String]) -> f64 {
    let mut command = Command::new("pgbench");
    command.args(["-n", "-c", &CLIENTS.to_string(), "-j", "2", "-T", "5"]);
    for value in values {
        command.arg("-D").arg(value);
    }
    let output =
        command.arg("-f").arg(script).arg(url).output().expect("pgbench comes with PostgreSQL's server package");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find(|line| line.starts_with("tps")).unwrap();
    line.split(['=', '(']).nth(1).unwrap().trim().split(' ').next().unwrap().parse().unwrap()
}

/// Measures pushing, in the same school.
async fn follow(programs: &[PathBuf]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-players");
    std::fs::create_dir_all(&folder).unwrap();
    let options = Options { folder: folder.join("postgres"), durable: true, search_path: std::env::var_os("PATH") };
    let postgres = Postgres::start(options).await.unwrap();
    let url = postgres.url().to_owned();
    seed(&programs[0], &url, &folder, ("30", "2400")).await;
    push::measure(programs, &url, &folder).await;
    postgres.stop().await.unwrap();
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn measure(case: &Case, settings: &Settings, url: &str, postmaster: u32, servers: &[Server]) {
    // Warm up caches and prepared statements.
    for server in servers {
        load::run(server.addr, &case.requests, CLIENTS, Duration::from_secs(1)).await;
    }
    let mut by_pgbench = Vec::new();
    let mut by_server: Vec<Vec<Figures>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..settings.rounds {
        by_pgbench.push(pgbench(case, settings.seconds, url, postmaster));
        for (server, rounds) in servers.iter().zip(&mut by_server) {
            let before = (Usage::of(server.process.id()), Usage::of_family(postmaster));
            let started = Instant::now();
            let done = load::run(server.addr, &case.requests, CLIENTS, Duration::from_secs(settings.seconds)).await;
            let seconds = started.elapsed().as_secs_f64();
            rounds.push(Figures {
                throughput: done as f64 / seconds,
                program_ms: Usage::of(server.process.id()).since(&before.0) / done as f64,
                postgres_ms: Usage::of_family(postmaster).since(&before.1) / done as f64,
            });
        }
    }
    let reference = median(&by_pgbench);
    for own in by_server.iter().map(|rounds| median(rounds)) {
        println!(
            "| {} | {:.0} | {:.3} | {:.0} | **{:.2}** | {:.3} | {:.3} |",
            case.name,
            reference.throughput,
            reference.postgres_ms,
            own.throughput,
            own.throughput / reference.throughput,
            own.program_ms,
            own.postgres_ms
        );
    }
}

/// Returns the round with the median throughput.
fn median(rounds: &[Figures]) -> Figures {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|first, second| first.throughput.total_cmp(&second.throughput));
    rounds[rounds.len() / 2]
}

fn pgbench(case: &Case, seconds: u64, url: &str, postmaster: u32) -> Figures {
    let before = Usage::of_family(postmaster);
    let mut command = Command::new("pgbench");
    command.args(["-M", "prepared", "-n", "-c", &CLIENTS.to_string(), "-j", "2", "-T", &seconds.to_string()]);
    for script in &case.scripts {
        command.arg("-f").arg(script);
    }
    for parameter in &case.parameters {
        command.args(["-D", parameter]);
    }
    // The same plan cache mode as the server's; see `platform::db`.
    command.env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
    let output = command.arg(url).output().expect("pgbench comes with PostgreSQL's server package");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let number = |line: &str| -> f64 {
        let line = text.lines().find(|candidate| candidate.starts_with(line)).unwrap();
        line.split(['=', ':']).nth(1).unwrap().trim().split([' ', '/']).next().unwrap().parse().unwrap()
    };
    let done = number("number of transactions actually processed");
    Figures {
        throughput: number("tps"),
        program_ms: 0.0,
        postgres_ms: Usage::of_family(postmaster).since(&before) / done,
    }
}

fn lyceum(program: &Path, url: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("DATABASE_URL", url).env("LYCEUM_DATA", folder).env("LYCEUM_ADDR", "127.0.0.1:0");
    // All players and sockets come from one address.
    command.env("LYCEUM_SECRET", SECRET);
    command.env("LYCEUM_MAX_CLIENT_CONNECTIONS", "20000").env("LYCEUM_MAX_CLIENT_SOCKETS", "20000");
    command
}

async fn seed(program: &Path, url: &str, folder: &Path, (courses, users): (&str, &str)) {
    let client = connect(url).await;
    // Earlier versions of the program asked no questions.
    let made = "SELECT plan->>'courses' FROM seeding WHERE ended_at IS NOT NULL AND EXISTS (SELECT FROM questions)";
    if client.query_one(made, &[]).await.is_ok_and(|row| row.get::<_, &str>(0) == courses) {
        return;
    }
    client.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    let seeded = lyceum(program, url, folder).args(["seed", "--courses", courses, "--users", users]).status().unwrap();
    assert!(seeded.success());
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}

struct Server {
    process: Child,
    addr: std::net::SocketAddr,
}

async fn serve(program: &Path, url: &str, folder: &Path, row_cache: &str) -> Server {
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = lyceum(program, url, folder);
    command.env("LYCEUM_ADDR", addr.to_string()).env("LYCEUM_ROW_CACHE", row_cache).arg("serve").stdout(Stdio::null());
    let server = Server { process: command.spawn().unwrap(), addr };
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(addr).await.is_ok() && load::get(addr, "/readyz").await.is_some() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server did not start");
}
