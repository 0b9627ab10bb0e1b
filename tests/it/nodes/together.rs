//! Two nodes on one database and one Redis.

use super::Teacher;
use crate::support::eventually;
use crate::support::process::Site;
use crate::support::redis::RedisServer;
use crate::support::socket::Follower;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_on_one_node_is_heard_on_both() {
    let redis = RedisServer::start();
    let site = Site::new().await.set("REDIS_URL", &redis.url()).seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let teacher = Teacher::on(&a).await;
    let mut followers = Vec::new();
    for node in [&a, &b] {
        followers.push(Follower::after_hearing(&node.url, None, &["Hello"]).await);
    }
    teacher.publish(&a, "On A").await;
    teacher.publish(&b, "On B").await;
    teacher.publish(&a, "On A again").await;
    for follower in &mut followers {
        follower.expect(&["On A", "On B", "On A again"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_start_without_redis_and_find_it_later() {
    let mut redis = RedisServer::start();
    redis.kill();
    let site = Site::new().await.set("REDIS_URL", &redis.url()).seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let teacher = Teacher::on(&a).await;
    let mut on_b = Follower::after_hearing(&b.url, None, &["Hello"]).await;
    teacher.publish(&a, "Without").await;
    on_b.expect(&["Without"]).await;
    redis.restart();
    for title in ["Link 1", "Link 2", "Link 3"] {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        teacher.publish(&a, title).await;
        on_b.expect(&[title]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_costs_no_news() {
    let mut redis = RedisServer::start();
    let site = Site::new().await.set("REDIS_URL", &redis.url()).seed(1);
    let (a, b) = (site.serve().await, site.serve().await);
    let teacher = Teacher::on(&a).await;
    let mut on_a = Follower::after_hearing(&a.url, None, &["Hello"]).await;
    let mut on_b = Follower::after_hearing(&b.url, None, &["Hello"]).await;
    teacher.publish(&a, "Before").await;
    on_a.expect(&["Before"]).await;
    on_b.expect(&["Before"]).await;
    redis.kill();
    teacher.publish(&a, "During, on A").await;
    teacher.publish(&b, "During, on B").await;
    // Without Redis, the nodes hear of each other through the database, and they stay ready.
    for follower in [&mut on_a, &mut on_b] {
        follower.expect(&["During, on A", "During, on B"]).await;
    }
    assert_eq!(a.status("/readyz").await, 200);
    let unnumbered = "SELECT count(*) FROM events WHERE position IS NULL";
    eventually("both are in the log", async || site.sql(unnumbered).await == "0").await;
    let before = ["Hello", "Before", "During, on A", "During, on B"];
    let mut late = Follower::after_hearing(&b.url, None, &before).await;
    redis.restart();
    // One event and then silence, so that no later one brings to light what the reconnect forgot.
    teacher.publish(&b, "After, on B").await;
    for follower in [&mut on_a, &mut on_b] {
        follower.expect(&["After, on B"]).await;
    }
    teacher.publish(&a, "After, on A").await;
    for follower in [&mut on_a, &mut on_b] {
        follower.expect(&["After, on A"]).await;
    }
    late.expect(&["After, on B", "After, on A"]).await;
}
