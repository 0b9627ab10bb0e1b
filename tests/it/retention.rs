//! What is old is deleted in batches, by an index, each table by its own job.

use lyceum::platform::auth::Role;
use serde_json::Value;

use crate::support::{TestApp, rounds};

/// A sweep: its job, its table, the column with the time, the columns and the values of row `n` with the time `at`.
struct Sweep(&'static str, &'static str, &'static str, &'static str, &'static str);

const SWEEPS: [Sweep; 17] = [
    Sweep(
        "outbox.forget",
        "events",
        "recorded_at",
        "(id, kind, topics, payload, recorded_at, position, pushed_at)",
        "uid, 'x', '{}', '{}', at, n, at",
    ),
    Sweep(
        "jobs.forget",
        "jobs",
        "dead_at",
        "(id, handler, payload, dedupe_key, created_at, run_at, dead_at)",
        "uid, 'x', '{}', 'x' || n, at, at, at",
    ),
    Sweep(
        "inbox.forget",
        "inbox",
        "received_at",
        "(id, source, external_id, payload, received_at)",
        "uid, 'x', n::text, '{}', at",
    ),
    Sweep(
        "audit.forget",
        "audit_entries",
        "at",
        "(id, at, action, user_agent, details)",
        "uid, at, 'signed_in', '', '{}'",
    ),
    Sweep(
        "accounts.sweep_sessions",
        "sessions",
        "ended_at",
        "(id, user_id, user_agent, created_at, last_used_at, expires_at, ended_at, end_reason)",
        "uid, ada.id, '', at, at, '2030-01-01', at, 'SIGNED_OUT'",
    ),
    Sweep(
        "accounts.sweep_refresh_tokens",
        "refresh_tokens",
        "used_at",
        "(hash, session_id, issued_at, used_at)",
        "hash, live.id, at, at",
    ),
    Sweep(
        "accounts.sweep_api_tokens",
        "api_tokens",
        "revoked_at",
        "(id, user_id, name, hash, scopes, created_at, expires_at, revoked_at)",
        "uid, ada.id, 'x', hash, '{x}', '2019-01-01', '2030-01-01', at",
    ),
    Sweep(
        "accounts.sweep_challenges",
        "sign_in_challenges",
        "expires_at",
        "(hash, user_id, expires_at, tries_left)",
        "hash, ada.id, at, 1",
    ),
    Sweep(
        "accounts.sweep_identity_attempts",
        "identity_attempts",
        "expires_at",
        "(state_hash, browser_hash, provider, nonce, pkce_verifier, redirect_uri, expires_at)",
        "hash, hash, 'x', 'x', 'x', 'x', at",
    ),
    Sweep(
        "accounts.sweep_registrations",
        "registrations",
        "expires_at",
        "(id, email, name, password_hash, resends, tries_left, sent_at, expires_at)",
        "uid, n || '@people.example', 'x', 'x', 0, 0, '2019-01-01', at",
    ),
    Sweep("mail.forget_suppressions", "mail_suppressions", "at", "(address_hash, reason, at)", "hash, 'BOUNCE', at"),
    Sweep(
        "accounts.sweep_email_changes",
        "email_changes",
        "expires_at",
        "(id, user_id, old_email, new_email, tries_left, requested_at, expires_at, ended_at)",
        "uid, ada.id, 'x', n || '@people.example', 0, '2019-01-01', at, at",
    ),
    Sweep(
        "accounts.sweep_invitations",
        "team_invitations",
        "expires_at",
        "(id, email, name, role, invited_by, sent_at, expires_at)",
        "uid, n || '@people.example', 'x', 'ADMIN', ada.id, '2019-01-01', at",
    ),
    Sweep(
        "memberships.sweep_invitations",
        "family_invitations",
        "expires_at",
        "(id, membership_id, email, sent_at, expires_at)",
        "uid, (SELECT id FROM memberships LIMIT 1), n || '@people.example', '2019-01-01', at",
    ),
    Sweep(
        "orders.forget_events",
        "payment_events",
        "received_at",
        "(id, provider, external_id, reference, kind, body, state, received_at)",
        "uid, 'SANDBOX', n::text, '', 'checkout.paid', '{}', 'PROCESSED', at",
    ),
    Sweep("enrollments.forget_players", "players", "seen_at", "(session_id, user_id, seen_at)", "uid, ada.id, at"),
    Sweep(
        "media.forget_uploads",
        "uploads",
        "ended_at",
        "(id, user_id, filename, content_type, size_bytes, status, looked_at, created_at, expires_at, ended_at, swept_at)",
        "uid, ada.id, 'x', 'video/mp4', 1, 'COMPLETED', at, at, at, at, at",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_backlog_of_old_rows_is_deleted_by_an_index_and_nothing_else() {
    let app = TestApp::start().await;
    app.user("Ada", Role::Student).await;
    app.sql(
        "INSERT INTO sessions (id, user_id, user_agent, created_at, last_used_at, expires_at)
        SELECT gen_random_uuid(), id, '', '2026-01-01', '2026-01-01', '2030-01-01' FROM users",
    )
    .await;
    app.sql(
        "WITH plan AS (INSERT INTO plans (id, slug, name, kind, created_at) \
            VALUES (gen_random_uuid(), 'all', 'All', 'ALL_ACCESS', now()) RETURNING id), \
        price AS (INSERT INTO plan_prices (id, plan_id, billing_interval, amount_minor, currency, trial_days, created_at) \
            SELECT gen_random_uuid(), id, 'MONTH', 100, 'EUR', 0, now() FROM plan RETURNING id, plan_id) \
        INSERT INTO memberships (id, user_id, plan_id, plan_price_id, kind, status, country, created_at, updated_at) \
        SELECT gen_random_uuid(), users.id, plan_id, price.id, 'ALL_ACCESS', 'PENDING', 'DE', now(), now() FROM users, price",
    )
    .await;
    // 200,000 in `make faults`.
    let old = rounds(20_000);
    let registry = lyceum::app::registry().unwrap();
    for Sweep(job, table, time, columns, values) in SWEEPS {
        for (first, count, at) in [(1, old, "2020-01-01"), (old + 1, 100, "2029-01-01")] {
            app.sql(&format!(
                "WITH ada AS (SELECT id FROM users LIMIT 1),
                live AS (SELECT id FROM sessions WHERE ended_at IS NULL LIMIT 1),
                rows AS (SELECT n, timestamptz '{at}' AS at, gen_random_uuid() AS uid,
                    decode(md5(n::text) || md5('x' || n), 'hex') AS hash
                    FROM generate_series({first}, {first} + {count} - 1) AS n)
                INSERT INTO {table} {columns} SELECT {values} FROM rows, ada, live"
            ))
            .await;
        }
        app.sql(&format!("ANALYZE {table}")).await;
        let plan = app
            .sql(&format!(
                "SET plan_cache_mode = force_generic_plan; SET enable_sort = off;
                PREPARE sweep (timestamptz) AS SELECT ctid FROM {table} WHERE {time} <= $1 ORDER BY {time} LIMIT 1000;
                EXPLAIN EXECUTE sweep ('2024-01-01')"
            ))
            .await;
        assert!(!plan.contains("Seq Scan"), "{job}: {plan}");
        let count =
            async |than: &str| app.sql(&format!("SELECT count(*) FROM {table} WHERE {time} {than} '2024-01-01'")).await;
        let young = count(">").await;
        let run = registry.get(job).unwrap().run;
        run(app.app.clone(), Value::Null).await.unwrap();
        assert_eq!(count("<").await, "0", "{job} deletes what is old");
        assert_eq!(count(">").await, young, "{job} keeps what is young");
    }
}
