//! Nobody finds out by the time, the work or the answer whether an address has an account.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PASSWORD, PROXIED, mutate, registered, text};
use crate::support::TestApp;

/// Pairs of requests in one measurement.
const PAIRS: usize = 31;
/// How often a measurement may be repeated before it counts: other processes share the machine.
const MEASUREMENTS: usize = 4;

/// What one request cost.
struct Cost {
    time: Duration,
    statements: u64,
    hashes: u64,
}

/// A mutation that is given an address, and its input.
struct Case {
    field: &'static str,
    token: Option<String>,
    input: fn(&str) -> Value,
}

async fn cost(app: &TestApp, case: &Case, from: usize, email: &str) -> Cost {
    let work = || (app.app.db.statements(), app.app.passwords.computed());
    // Each from an address of its own: nobody has to wait.
    let from = format!("2001:db8:{from:x}::1");
    let before = work();
    let began = Instant::now();
    let body = mutate(app, &from, case.token.as_deref(), case.field, (case.input)(email)).await;
    let time = began.elapsed();
    let after = work();
    assert!(body["errors"].is_null(), "{}: {body:#}", case.field);
    Cost { time, statements: after.0 - before.0, hashes: after.1 - before.1 }
}

fn quantile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() - 1) * percent / 100]
}

/// The difference between the medians and what it may be: the spread of single requests of one kind, or a tenth of the
/// time. Leaving out a hash is far more.
async fn difference(app: &TestApp, case: &Case, from: usize) -> (Duration, Duration) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // In turn, and each first as often as the other, so that whatever else happens on the machine meets both.
        let number = 2 * (from + pair);
        let mut measured = [None, None];
        for which in [pair % 2, 1 - pair % 2] {
            let email = format!("{}{number}@people.example", if which == 0 { "ada" } else { "nobody" });
            measured[which] = Some(cost(app, case, number + which, &email).await);
        }
        let [Some(one), Some(two)] = measured else { unreachable!() };
        assert_eq!((one.statements, one.hashes), (two.statements, two.hashes), "{}: the same work", case.field);
        assert!(one.statements > 0, "{}: statements are counted", case.field);
        known.push(one.time);
        unknown.push(two.time);
    }
    let (one, two) = (quantile(&mut known, 50), quantile(&mut unknown, 50));
    let spread = |times: &mut [Duration]| quantile(times, 75) - quantile(times, 25);
    let noise = spread(&mut known).max(spread(&mut unknown)).max(one.min(two) / 10);
    (one.abs_diff(two), noise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_registered_takes_the_same_work_and_as_long_as_one_that_is_not() {
    let app = TestApp::with_costly_passwords(&PROXIED).await;
    registered(&app, "ada@people.example").await;
    // Many with the same password: emails to one address have a budget.
    let copies = "INSERT INTO users SELECT (jsonb_populate_record(ada, jsonb_build_object('id', gen_random_uuid(),
        'email', 'ada' || number || '@people.example'))).* FROM users AS ada, generate_series(0, 2000) AS number";
    app.sql(copies).await;
    let eve = text(&registered(&app, "eve@people.example").await["accessToken"]);
    let cases = [
        Case {
            field: "register",
            token: None,
            input: |email| json!({ "email": email, "name": "Ada", "password": PASSWORD }),
        },
        Case { field: "signIn", token: None, input: |email| json!({ "email": email, "password": "a wrong password" }) },
        Case { field: "requestPasswordReset", token: None, input: |email| json!({ "email": email }) },
        Case {
            field: "changeEmail",
            token: Some(eve),
            input: |email| json!({ "newEmail": email, "password": PASSWORD }),
        },
    ];
    let mut from = 1;
    for case in &cases {
        let mut found = Vec::new();
        for _ in 0..MEASUREMENTS {
            let (difference, noise) = difference(&app, case, from).await;
            from += PAIRS;
            found.push((difference, noise));
            if difference <= noise {
                break;
            }
        }
        let (difference, noise) = found[found.len() - 1];
        assert!(difference <= noise, "{}: difference and noise, each time: {found:?}", case.field);
    }
}
