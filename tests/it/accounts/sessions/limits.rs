//! How many sessions somebody may have, and what becomes of those that are over.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use lyceum::platform::jobs::{Registry, cron};
use serde_json::json;

use super::{Phone, SESSIONS, SIGN_OUT, code, somebody, soon};
use crate::support::TestApp;

const LIVE: &str = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_that_was_used_the_longest_ago_makes_room() {
    let app = TestApp::with(&[("LYCEUM_MAX_SESSIONS", "2")]).await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    somebody(&app, "eve").await;
    let eve = Phone::of(&app, "eve").await;
    let mut one = Phone::of(&app, "ada").await;
    app.app.clock.advance(TimeDelta::minutes(1));
    let mut two = Phone::of(&app, "ada").await;
    app.app.clock.advance(TimeDelta::minutes(1));
    // The older session is the one that was used last.
    one.renew().await;
    let doomed = two.session().await;
    let three = Phone::of(&app, "ada").await;
    soon("both nodes", async || !two.is_in().await && !two.on(&other).is_in().await).await;
    assert_eq!(code(&two.renew().await), "SESSION_OVER");
    assert!(one.is_in().await && three.is_in().await && eve.is_in().await);
    assert_eq!(three.ask("viewer/sessions", SESSIONS, json!({})).await["totalCount"], 2);
    let trail = "SELECT details::text FROM audit_entries WHERE action = 'sessions_ended'";
    assert_eq!(app.sql(trail).await, format!("{{\"reason\": \"too_many\", \"sessionIds\": [\"{doomed}\"]}}"));
    // One that is over takes no room.
    three.ask("signOut", SIGN_OUT, json!({ "input": {} })).await;
    Phone::of(&app, "ada").await;
    assert_eq!(code(&one.renew().await), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_sign_ins_at_once_stay_within_the_limit() {
    let app = TestApp::with(&[("LYCEUM_MAX_SESSIONS", "1")]).await;
    let other = app.peer().await;
    somebody(&app, "ada").await;
    for round in 0..5 {
        let nodes = [&app, &other, &app, &other];
        let phones = join_all(nodes.map(|node| Phone::of(node, "ada"))).await;
        let tokens: BTreeSet<&str> = phones.iter().map(|phone| &*phone.access).collect();
        assert_eq!(tokens.len(), 4, "round {round}: everybody got in");
        assert_eq!(app.sql(LIVE).await, "1", "round {round}");
        let alive = async || {
            let answers = join_all(phones.iter().map(Phone::is_in)).await;
            answers.into_iter().filter(|alive| *alive).count()
        };
        soon("the others are out", async || alive().await == 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_been_over_for_a_month_is_deleted_by_schedule() {
    let app = TestApp::with(&[("LYCEUM_SESSION_DAYS", "40")]).await;
    somebody(&app, "ada").await;
    let (ended, expired) = (Phone::of(&app, "ada").await, Phone::of(&app, "ada").await);
    let mut alive = Phone::of(&app, "ada").await;
    let session = alive.session().await;
    ended.ask("signOut", SIGN_OUT, json!({ "input": {} })).await;
    let used_first = alive.refresh.clone();
    // The schedules that this is about: the others would be run on each of the days, too.
    let names = ["accounts.sweep_sessions", "accounts.sweep_refresh_tokens"];
    let sweep = lyceum::accounts::handlers().into_iter().filter(|handler| names.contains(&handler.name));
    let registry = Registry::new(sweep).unwrap();
    // A day at a time the schedule comes by; `alive` is refreshed on the way.
    let mut counts = Vec::new();
    for day in 1..=71 {
        app.app.clock.advance(TimeDelta::days(1) + TimeDelta::seconds(i64::from(day == 71)));
        if day % 10 == 0 {
            assert_eq!(code(&alive.renew().await), "", "day {day}");
        }
        cron::tick(&app.app, &registry).await.unwrap();
        app.settle().await;
        if [29, 31, 69, 71].contains(&day) {
            let sessions = app.sql("SELECT count(*) FROM sessions").await;
            let tokens = app.sql("SELECT count(*) FROM refresh_tokens").await;
            counts.push((day, sessions, tokens));
        }
    }
    let expected = [
        // Three sessions; the one that goes on has been refreshed twice.
        (29, "3", "5"),
        (31, "2", "5"),
        // Of this session's eight tokens those that were used in the last 30 days are kept, and the one in use.
        (69, "2", "5"),
        (71, "1", "4"),
    ];
    let counts: Vec<(i32, &str, &str)> = counts.iter().map(|(day, s, t)| (*day, &**s, &**t)).collect();
    assert_eq!(counts, expected);
    alive.renew().await;
    assert_eq!(alive.session().await, session, "the one that goes on stays");
    assert_eq!(code(&alive.exchange(&used_first).await), "SESSION_OVER", "a token that is forgotten is no token");
    assert!(alive.is_in().await, "and no alarm");
    assert_eq!(code(&expired.exchange(&expired.refresh).await), "SESSION_OVER");
    app.settle().await;
    assert_eq!(app.mails.lock().unwrap().len(), 0, "nobody is warned");
}
