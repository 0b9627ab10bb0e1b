//! Many at once.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::family::Home;
use super::*;
use crate::support::{cluster, eventually};

/// Brief 003, "Subscription Limits", also at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_joins_of_one_user_with_one_hour_left_are_one_hold() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "1"), ("LYCEUM_MAX_CLIENT_CONNECTIONS", "1000")]).await;
    // Also in different sessions.
    let mut ids = Vec::new();
    for hours in 2..6 {
        ids.push(school.session(at(60 * hours), None).await);
    }
    let joins = (0..100).map(|number| school.join(&school.sam, &ids[number % ids.len()], false));
    let joined = join_all(joins).await;
    let count = |what: &str| joined.iter().filter(|outcome| *outcome == what).count();
    assert_eq!(count("ELIGIBLE HELD"), 1, "{joined:?}");
    assert_eq!(count("ALREADY_JOINED HELD"), 24);
    assert_eq!(count("INSUFFICIENT_HOURS -"), 75);
    assert_eq!(school.hours(&school.sam, None).await, "0 1 1 0");
    assert_eq!(school.app.sql("SELECT count(*) FROM live_attendances").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_users_for_ten_seats_get_exactly_ten() {
    let school = School::with(&[("LYCEUM_MAX_CLIENT_CONNECTIONS", "1000")]).await;
    let id = school.session(at(120), Some(10)).await;
    let users = join_all((0..100).map(|number| {
        let school = &school;
        async move { school.app.user(&format!("User{number}"), Role::Student).await }
    }))
    .await;
    let joined = join_all(users.iter().map(|user| school.join(user, &id, true))).await;
    let count = |what: &str| joined.iter().filter(|outcome| *outcome == what).count();
    assert_eq!((count("ELIGIBLE HELD"), count("FULL WAITING")), (10, 90), "{joined:?}");
    // Ten leave at once, and ten others move up.
    let seated: Vec<&User> =
        users.iter().zip(&joined).filter(|(_, outcome)| *outcome == "ELIGIBLE HELD").map(|(user, _)| user).collect();
    join_all(seated.iter().map(|user| school.leave(user, &id))).await;
    let counts = "SELECT string_agg(status || ' ' || n, ', ' ORDER BY status) \
        FROM (SELECT status, count(*) AS n FROM live_attendances GROUP BY 1) AS t";
    assert_eq!(school.app.sql(counts).await, "HELD 10, RELEASED 10, WAITING 80");
    let held = "SELECT concat_ws(' ', sum(held_minutes), max(held_minutes)) FROM live_usage";
    assert_eq!(school.app.sql(held).await, "600 60");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_settle_a_session_once() {
    let school = School::open().await;
    let mut ids = Vec::new();
    for hours in 2..4 {
        ids.push(school.session(at(60 * hours), None).await);
        for user in [&school.sam, &school.tim] {
            school.join(user, ids.last().unwrap(), false).await;
        }
    }
    for (id, minutes) in ids.iter().zip([115, 175]) {
        school.app.app.clock.advance(at(minutes) - school.now());
        for user in [&school.sam, &school.tim] {
            school.join(user, id, false).await;
        }
    }
    school.app.app.clock.advance(TimeDelta::hours(3));
    let peer = school.app.peer().await;
    tokio::join!(school.app.run("live.settle"), peer.run("live.settle"));
    for user in [&school.sam, &school.tim] {
        assert_eq!(school.hours(user, None).await, "2 0 2 0");
    }
    let settled = "SELECT count(*) FROM live_sessions WHERE settled_at IS NOT NULL AND ended_at IS NOT NULL";
    assert_eq!(school.app.sql(settled).await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_the_family_or_its_membership_while_they_join_has_no_seat_in_the_end() {
    for is_paused in [false, true] {
        let home = Home::of("4", json!({ "familySize": 2 })).await;
        let school = &home.school;
        let (first, second) = (school.session(at(120), None).await, school.session(at(240), None).await);
        assert_eq!(school.join(&school.sam, &first, false).await, "ELIGIBLE HELD");
        // The hours are locked, as by another join: Tim's waits for them.
        let client = cluster::connect(cluster::throwaway()).await;
        let hold = format!("SET search_path = {}; BEGIN; SELECT 1 FROM live_usage FOR UPDATE", school.app.schema);
        client.batch_execute(&hold).await.unwrap();
        let pid = cluster::first(&client, "SELECT pg_backend_pid()").await;
        let waiting = format!("SELECT count(*) FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))");
        let meanwhile = async {
            eventually("Tim's join waits", async || school.app.sql(&waiting).await == "1").await;
            let mut change = std::pin::pin!(async {
                if is_paused {
                    home.step("pauseMembership").await;
                } else {
                    home.remove(&school.tim).await;
                }
            });
            // It waits for Tim's join; otherwise, it would be over before Tim has a seat that is given back.
            let is_over = timeout(Duration::from_secs(1), &mut change).await.is_ok();
            client.batch_execute("COMMIT").await.unwrap();
            if !is_over {
                change.await;
            }
        };
        let (joined, ()) = tokio::join!(school.join(&school.tim, &second, false), meanwhile);
        assert_eq!(joined, "ELIGIBLE HELD");
        assert_eq!(school.place(&school.tim, &second).await, "RELEASED");
        assert_eq!(school.place(&school.sam, &first).await, if is_paused { "RELEASED" } else { "HELD" });
        let held = "SELECT sum(held_minutes) FROM live_usage";
        assert_eq!(school.app.sql(held).await, if is_paused { "0" } else { "60" });
    }
}
