//! `make bench ARGS=--players`: 2,000 players that save their progress every five seconds for half a minute.
//!
//! Prints the latency of the saves from the time at which each was due, so that a late one counts as such, and how many
//! statements and transactions PostgreSQL executed. Fails if a save that was answered is not in the database.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use lyceum::catalog::LessonId;
use lyceum::platform::auth::{Grant, Role, Tokens};
use lyceum::platform::clock::Clock;
use lyceum::platform::embedded::postgres::Postgres;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

use super::cpu::Usage;
use super::{SECRET, Server, connect, load};

const PLAYERS: usize = 2000;
const EVERY: Duration = Duration::from_secs(5);
/// How often each player saves; the first time makes its enrollment and is not measured.
const ROUNDS: u32 = 7;
/// The size of the buffer for a response.
const BUFFER: usize = 16 * 1024;

const SAVE: &str = "mutation ($input: SaveProgressInput!) { saveProgress(input: $input) { enrollments { id progress { \
    percent } } userErrors { message } } }";

/// A user who watches a lesson.
struct Player {
    user: Uuid,
    lesson: LessonId,
    token: String,
}

/// Lets PostgreSQL count statements; it has to be started again.
pub(crate) async fn count_statements(postgres: &Postgres) {
    let client = connect(postgres.url()).await;
    client.batch_execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'").await.unwrap();
}

/// Runs the players and prints a table.
pub(crate) async fn measure(url: &str, server: &Server, postmaster: u32) {
    let client = connect(url).await;
    client.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    let players = players(&client).await;
    let begin = Instant::now() + Duration::from_secs(1);
    let playing: Vec<_> = players
        .into_iter()
        .enumerate()
        .map(|(number, player)| {
            let offset = EVERY.mul_f64(number as f64 / PLAYERS as f64);
            tokio::spawn(play(player, server.addr, begin + offset))
        })
        .collect();
    tokio::time::sleep_until(begin + EVERY).await;
    let before = (counts(&client).await, Usage::of(server.process.id()), Usage::of_family(postmaster));
    tokio::time::sleep_until(begin + EVERY * ROUNDS).await;
    let after = counts(&client).await;
    let (program, postgres) = (Usage::of(server.process.id()), Usage::of_family(postmaster));
    let (mut latencies, mut lost) = (Vec::new(), 0);
    for player in playing {
        let (user, lesson, last, own) = player.await.unwrap();
        latencies.extend(own);
        let saved = "SELECT count(*) FROM lesson_progress p JOIN enrollments e ON e.id = p.enrollment_id \
            WHERE e.user_id = $1::text::uuid AND p.lesson_id = $2::text::uuid AND p.position_seconds = $3";
        let found = client.query_one(saved, &[&user.to_string(), &lesson.uuid().to_string(), &last]).await.unwrap();
        lost += i64::from(found.get::<_, i64>(0) != 1);
    }
    latencies.sort_unstable();
    let ms = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let seconds = (EVERY * (ROUNDS - 1)).as_secs_f64();
    println!("\n| saves | p50 ms | p99 ms | max ms | statements /s | transactions /s | server CPU | PG CPU |");
    println!("|---|---|---|---|---|---|---|---|");
    println!(
        "| {} in {seconds:.0} s | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} % | {:.0} % |",
        latencies.len(),
        ms(0.5),
        ms(0.99),
        ms(1.0),
        (after.0 - before.0.0) as f64 / seconds,
        (after.1 - before.0.1) as f64 / seconds,
        program.since(&before.1) / seconds / 10.0,
        postgres.since(&before.2) / seconds / 10.0
    );
    assert_eq!(lost, 0, "players whose last answered save is not in the database");
}

/// Saves in each round; returns the position of the last save, and the latencies but the first.
async fn play(player: Player, addr: SocketAddr, begin: Instant) -> (Uuid, LessonId, i32, Vec<Duration>) {
    let mut client = load::Client::connect(addr, BUFFER).await;
    let mut latencies = Vec::new();
    let mut position = 0;
    for round in 0..ROUNDS {
        let due = begin + EVERY * round;
        tokio::time::sleep_until(due).await;
        let from = position;
        position += 5;
        let entry = json!({
            "lessonId": player.lesson.encode(),
            "positionSeconds": position,
            "watched": [{ "from": from, "to": position }],
            "at": Utc::now(),
        });
        let body = json!({ "query": SAVE, "variables": { "input": { "entries": [entry] } } });
        let answer = client.exchange(&load::post_as(&body.to_string(), Some(&player.token))).await;
        if round > 0 {
            latencies.push(due.elapsed());
        }
        let answer: Value = serde_json::from_slice(client.read(answer)).unwrap();
        assert_eq!(answer["data"]["saveProgress"]["userErrors"], json!([]), "{answer:#}");
    }
    (player.user, player.lesson, position, latencies)
}

/// A student who is entitled to everything and signed in.
pub(crate) struct Student {
    pub(crate) user: Uuid,
    pub(crate) token: String,
}

/// Entitles students to everything since yesterday, and signs the first ones in.
pub(crate) async fn students(client: &Client, count: usize) -> Vec<Student> {
    entitled_and_signed_in(client).await;
    let users = format!("SELECT id::text FROM users WHERE role = 'STUDENT' ORDER BY id LIMIT {count}");
    let users = uuids(client, &users).await;
    assert_eq!(users.len(), count, "too few students");
    tokens(users)
}

/// Entitles all students to everything and signs all users in.
pub(crate) async fn entitled_and_signed_in(client: &Client) {
    let entitle = "INSERT INTO entitlements (id, user_id, scope, source, starts_at) \
        SELECT gen_random_uuid(), id, 'EVERYTHING', 'MEMBERSHIP', now() - interval '1 day' FROM users \
        WHERE role = 'STUDENT' AND NOT EXISTS (SELECT FROM entitlements e WHERE e.user_id = users.id AND scope = 'EVERYTHING')";
    client.execute(entitle, &[]).await.unwrap();
    // A server that is too busy to know of ended sessions looks for them.
    let sign_in = "INSERT INTO sessions (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at) \
        SELECT id, id, 'bench', now(), now(), 'infinity', now() FROM users ON CONFLICT DO NOTHING";
    client.execute(sign_in, &[]).await.unwrap();
}

/// Issues an access token to each student.
pub(crate) fn tokens(users: Vec<Uuid>) -> Vec<Student> {
    let tokens = Tokens::new(SECRET, &[], TimeDelta::hours(1), Clock::System);
    let student = |user| {
        let grant = Grant { user, role: Role::Student, session: user, version: 0 };
        Student { user, token: tokens.issue(grant).unwrap().0 }
    };
    users.into_iter().map(student).collect()
}

/// The ids in the first column of a result.
pub(crate) async fn uuids(client: &Client, sql: &str) -> Vec<Uuid> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, &str>(0).parse().unwrap()).collect()
}

/// Gives each student a lesson to watch.
async fn players(client: &Client) -> Vec<Player> {
    let students = students(client, PLAYERS).await;
    client.batch_execute("DELETE FROM lesson_progress").await.unwrap();
    let lessons = "SELECT l.id::text FROM lessons l JOIN courses c ON c.id = l.course_id \
        WHERE l.published_at IS NOT NULL AND c.published_at IS NOT NULL AND c.archived_at IS NULL AND l.kind = 'VIDEO' \
        AND l.duration_seconds >= 60 AND l.unlock_after_days IS NULL ORDER BY md5(l.id::text) LIMIT 200";
    let lessons = uuids(client, lessons).await;
    let player = |(number, Student { user, token }): (usize, Student)| Player {
        user,
        lesson: LessonId::new(lessons[number % lessons.len()]),
        token,
    };
    students.into_iter().enumerate().map(player).collect()
}

/// The statements and transactions that PostgreSQL has executed.
async fn counts(client: &Client) -> (i64, i64) {
    let sql = "SELECT (SELECT sum(calls)::bigint FROM pg_stat_statements), \
        (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())";
    let row = client.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}
