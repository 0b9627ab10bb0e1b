//! `make bench ARGS=--live`: live classes that members join, alone and beside the catalog, and their hours.
//!
//! The reference of *join* is `pgbench` with hand-written statements that lock, count and write the same rows. The server
//! does more: it checks the account and the session's length, and records events. That of *usage* is one statement.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lyceum::live::LiveSessionId;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::cases::{self, Case, VARIETY, script};
use super::cpu::Usage;
use super::players::{Student, tokens, uuids};
use super::{CLIENTS, Server, Settings, load, pgbench_tps};

/// The number of members.
const MEMBERS: usize = 2000;
/// The number of joins of a round of the server.
const JOINS: usize = 4000;
/// The number of joins per second beside the catalog.
const RATE: u64 = 100;

const JOIN: &str = "mutation ($input: JoinLiveSessionInput!) { joinLiveSession(input: $input) {
    attendance { status } eligibility { reason } userErrors { message } } }";
const USAGE: &str = "{ viewer { subscriptionUsage { month totalHoursAttended heldHours maxHoursAllowed remainingHours \
    sessionsAttended lastAttendanceDate resetsAt warning } } }";

/// Members who may attend four hours a month, and four sessions in each of the next twelve months.
const SCHOOL: &str = "
DELETE FROM live_attendances;
DELETE FROM live_usage;
DELETE FROM live_sessions;
INSERT INTO plans (id, slug, name, kind, live_minutes_per_month, created_at)
    VALUES ('00000000-0000-7000-8000-00000000000a', 'bench', 'Bench', 'LIVE_CLASS', 240, now()) ON CONFLICT DO NOTHING;
INSERT INTO plan_prices (id, plan_id, billing_interval, amount_minor, currency, trial_days, created_at)
    VALUES ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-00000000000a', 'MONTH', 1000, 'EUR', 0, now())
    ON CONFLICT DO NOTHING;
INSERT INTO memberships (id, user_id, plan_id, plan_price_id, kind, status, country, period, period_starts_at,
        period_ends_at, plan_since, created_at, updated_at, started_at)
    SELECT gen_random_uuid(), id, '00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b',
        'LIVE_CLASS', 'ACTIVE', 'DE', 1, now(), now() + interval '1 month', now(), now(), now(), now()
    FROM users WHERE role = 'STUDENT' ON CONFLICT DO NOTHING;
INSERT INTO live_sessions (id, host_id, title, starts_at, ends_at, created_at)
    SELECT gen_random_uuid(), (SELECT min(id::text)::uuid FROM users WHERE role = 'INSTRUCTOR'), 'Class',
        at, at + interval '1 hour', now()
    FROM (SELECT date_trunc('month', now()) + month * interval '1 month' + day * interval '5 days' AS at
        FROM generate_series(1, 12) month, generate_series(1, 4) day) times;
DROP TABLE IF EXISTS bench_joins;
DROP SEQUENCE IF EXISTS bench_number;
CREATE SEQUENCE bench_number;
CREATE TABLE bench_joins AS
    SELECT row_number() OVER (ORDER BY md5(m.user_id::text || s.id::text)) AS n, m.user_id AS member, s.id AS session
    FROM memberships m CROSS JOIN live_sessions s WHERE m.plan_id = '00000000-0000-7000-8000-00000000000a';
CREATE UNIQUE INDEX ON bench_joins (n);
";

/// A member joins a session that is not full.
const STATEMENTS: &str = "SELECT member, session FROM bench_joins WHERE n = (SELECT nextval('bench_number')) \\gset
BEGIN;
SELECT starts_at, ends_at, capacity FROM live_sessions WHERE id = ':session' FOR NO KEY UPDATE;
SELECT banned_at FROM users WHERE id = ':member';
SELECT count(*) FROM live_attendances WHERE session_id = ':session' AND status IN ('HELD', 'ATTENDED');
SELECT p.live_minutes_per_month FROM memberships m JOIN plans p ON p.id = m.plan_id
    WHERE m.user_id = ':member' AND m.status <> 'EXPIRED';
INSERT INTO live_usage (user_id, month, allowed_minutes, held_minutes)
    SELECT ':member', date_trunc('month', starts_at)::date, 240, 60 FROM live_sessions WHERE id = ':session'
    ON CONFLICT (user_id, month) DO UPDATE SET held_minutes = live_usage.held_minutes + 60;
INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since)
    SELECT gen_random_uuid(), id, ':member', 'HELD', 60, date_trunc('month', starts_at)::date, now()
    FROM live_sessions WHERE id = ':session';
COMMIT;
";

/// Members, each of whom joins each session once.
struct School {
    members: Vec<Student>,
    sessions: Vec<LiveSessionId>,
    next: AtomicUsize,
}

impl School {
    async fn new(client: &Client) -> School {
        client.batch_execute(SCHOOL).await.unwrap();
        for table in ["live_attendances", "live_usage", "live_sessions", "memberships", "bench_joins"] {
            client.batch_execute(&format!("VACUUM ANALYZE {table}")).await.unwrap();
        }
        let members = format!(
            "SELECT user_id::text FROM memberships WHERE plan_id = '00000000-0000-7000-8000-00000000000a' \
             ORDER BY user_id LIMIT {MEMBERS}"
        );
        let sessions = uuids(client, "SELECT id::text FROM live_sessions ORDER BY starts_at").await;
        School {
            members: tokens(uuids(client, &members).await),
            sessions: sessions.into_iter().map(LiveSessionId::new).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// The next member joins a session.
    async fn join(&self, addr: SocketAddr) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let member = &self.members[number % self.members.len()];
        // Neighbours join different sessions; each member joins each once.
        let turn = number / self.members.len();
        let session = self.sessions[(number + turn) % self.sessions.len()];
        let input = json!({ "liveSessionId": session.encode() });
        let body = json!({ "query": JOIN, "variables": { "input": input } }).to_string();
        let answer = load::once(addr, &load::post_as(&body, Some(&member.token))).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["data"]["joinLiveSession"]["attendance"]["status"], "HELD", "{answer:#}");
    }
}

/// Measures joins and hours, and prints tables.
pub(crate) async fn measure(url: &str, server: &Server, postmaster: u32, folder: &Path, settings: &Settings) {
    let client = super::connect(url).await;
    School::new(&client).await;
    let reference = pgbench_tps(url, &script(folder, "join", 0, STATEMENTS), &[]);
    let school = School::new(&client).await;
    let usage = (Usage::of(server.process.id()), Usage::of_family(postmaster));
    let started = Instant::now();
    let each = JOINS / CLIENTS;
    let clients = (0..CLIENTS).map(|_| async {
        for _ in 0..each {
            school.join(server.addr).await;
        }
    });
    futures_util::future::join_all(clients).await;
    let (seconds, count) = (started.elapsed().as_secs_f64(), (each * CLIENTS) as f64);
    let program = Usage::of(server.process.id()).since(&usage.0) / count;
    let postgres = Usage::of_family(postmaster).since(&usage.1) / count;
    let own = count / seconds;
    println!("\n| case | pgbench /s | server /s | ratio | server ms | PG ms |\n|---|---|---|---|---|---|");
    println!("| join | {reference:.0} | {own:.0} | **{:.2}** | {program:.2} | {postgres:.2} |", own / reference);
    println!("\n| case | alone /s | beside {RATE} joins a second /s | ratio |\n|---|---|---|---|");
    for case in cases::prepare(url, folder).await {
        let (mut alone, mut beside) = (0.0, 0.0);
        for _ in 0..settings.rounds {
            alone += read(server.addr, &case, settings).await;
            beside += read_beside(server.addr, &case, settings, &school).await;
        }
        let rounds = settings.rounds as f64;
        println!("| {} | {:.0} | {:.0} | **{:.2}** |", case.name, alone / rounds, beside / rounds, beside / alone);
    }
    super::compare(&[hours(&school, folder)], settings, url, postmaster, std::slice::from_ref(server)).await;
}

async fn read(addr: SocketAddr, case: &Case, settings: &Settings) -> f64 {
    let answered = load::run(addr, &case.requests, CLIENTS, Duration::from_secs(settings.seconds)).await;
    answered as f64 / settings.seconds as f64
}

/// The number of reads per second during `RATE` joins per second.
async fn read_beside(addr: SocketAddr, case: &Case, settings: &Settings, school: &School) -> f64 {
    let done = AtomicBool::new(false);
    let joining = async {
        let mut turn = tokio::time::interval(Duration::from_millis(4000 / RATE));
        while !done.load(Ordering::Relaxed) {
            turn.tick().await;
            let four = std::array::from_fn::<_, 4, _>(|_| school.join(addr));
            futures_util::future::join_all(four).await;
        }
    };
    let reading = async {
        let read = read(addr, case, settings).await;
        done.store(true, Ordering::Relaxed);
        read
    };
    tokio::join!(joining, reading).1
}

/// The hours of members in this month.
fn hours(school: &School, folder: &Path) -> Case {
    let (mut requests, mut scripts, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
    let body = json!({ "query": USAGE }).to_string();
    for (number, member) in school.members.iter().take(usize::try_from(VARIETY).unwrap()).enumerate() {
        requests.push(load::post_as(&body, Some(&member.token)));
        parameters.push(format!("user{number}={}", member.user));
        let statement = format!(
            "SELECT u.*, m.plan_since, p.live_minutes_per_month FROM memberships m JOIN plans p ON p.id = m.plan_id \
             LEFT JOIN live_usage u ON u.user_id = m.user_id AND u.month = date_trunc('month', now())::date \
             WHERE m.user_id = :user{number}::uuid AND m.status <> 'EXPIRED';"
        );
        scripts.push(script(folder, "usage", number, &statement));
    }
    Case { name: "usage", requests, scripts, parameters }
}
