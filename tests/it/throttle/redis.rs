//! What is special about counting in Redis.

use std::time::Instant;

use super::*;

/// A sequence that looks random and is the same each time.
struct Dice(u64);

impl Dice {
    fn throw<T: Copy>(&mut self, sides: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sides[(self.0 >> 33) as usize % sides.len()]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_as_in_memory() {
    let server = RedisServer::start();
    let (memory, redis) = (Bench::memory(), Bench::redis(&server).await);
    let mut dice = Dice(42);
    let (mut passed, mut refused) = (0, 0);
    for step in 0..4000 {
        // Bursts, and now and then a break.
        let breaks = if step % 100 == 0 { [61_000, 1_000_000] } else { [0, 0] };
        let time = Duration::from_millis(dice.throw(&[0, 0, 0, 1, 10, 200, 999, breaks[0], breaks[1]]));
        memory.after(time);
        redis.after(time);
        let purpose = dice.throw(&EVERY_PURPOSE);
        let ip: IpAddr = dice.throw(&["203.0.113.7", "203.0.113.8", "2001:db8::1"]).parse().unwrap();
        let account = dice.throw(&[None, Some("ada"), Some("ada"), Some("ada"), Some("bob")]);
        let one = memory.throttle.attempt(purpose, ip, account).await;
        let other = redis.throttle.attempt(purpose, ip, account).await;
        assert_eq!(one.as_ref().err(), other.as_ref().err(), "step {step}: {purpose:?} {ip} {account:?}");
        let (Ok(one), Ok(other)) = (one, other) else {
            refused += 1;
            continue;
        };
        passed += 1;
        if dice.throw(&[true, false, false, false]) {
            memory.throttle.succeeded(one).await;
            redis.throttle.succeeded(other).await;
        }
    }
    assert!(passed > 1000 && refused > 1000, "both happen: {passed} {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_count_together_and_nothing_stays_for_ever() {
    let server = RedisServer::start();
    let (one, two) = (Bench::redis(&server).await, Bench::redis(&server).await);
    assert_eq!((one.burst(HOME, "ada", 3).await, two.burst(HOME, "ada", 9).await), (3, 2));
    for purpose in EVERY_PURPOSE {
        one.attempt(purpose, "198.51.100.1", Some("bob")).await;
    }
    one.succeed(Purpose::SignIn, "198.51.100.2", "bob").await;
    let keys = server.cli(&["keys", "*"]);
    assert!(!keys.contains("ada") && !keys.contains("bob"), "accounts are not to be read: {keys}");
    let keys: Vec<&str> = keys.lines().collect();
    assert!(keys.len() >= 10, "{keys:?}");
    for key in keys {
        let left: i64 = server.cli(&["pttl", key]).trim().parse().unwrap();
        assert!(key.starts_with("test:{") && left != -1 && left <= 5 * 900_000, "{key}: {left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_counters_of_an_attempt_together() {
    let server = RedisServer::cluster();
    let bench = Bench::redis(&server).await;
    for purpose in EVERY_PURPOSE {
        bench.succeed(purpose, HOME, "ada").await;
        bench.attempt(purpose, HOME, Some("ada")).await;
    }
    let keys = server.cli(&["keys", "*"]);
    assert_eq!(keys.lines().count(), 10, "none of them was counted by the node alone: {keys}");
}

/// Neither does everybody pass nor nobody, and nobody waits long for a server that says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_the_node_counts_alone() {
    let mut server = RedisServer::start();
    let clock = Clock::manual(start());
    let link = RedisLink::connect(&server.url()).await.unwrap();
    let bench = Bench { throttle: Throttle::redis(link, "test:", clock.clone(), seconds(1)), clock };
    assert_eq!(bench.burst(HOME, "ada", 3).await, 3);

    signal(&server, "-STOP");
    let started = Instant::now();
    assert_eq!(bench.sign_in(HOME, "bob").await, Duration::ZERO);
    // The link itself would wait for four seconds.
    assert!(started.elapsed() < seconds(3), "{:?}", started.elapsed());
    signal(&server, "-CONT");

    let before = bench.throttle.attempt(Purpose::SignIn, "203.0.113.9".parse().unwrap(), Some("eve")).await;
    server.kill();
    assert_eq!(bench.burst(HOME, "ada", 8).await, 5, "its own five");
    assert_eq!(bench.sign_in(HOME, "ada").await, seconds(1));
    bench.after(seconds(1));
    bench.succeed(Purpose::SignIn, HOME, "ada").await;
    assert_eq!(bench.burst(HOME, "ada", 6).await, 5, "forgiveness works alone, too");
    bench.throttle.succeeded(before.ok().unwrap()).await;

    server.restart();
    let deadline = Instant::now() + seconds(20);
    while server.cli(&["dbsize"]).trim() == "0" {
        assert!(Instant::now() < deadline, "it doesn't count in Redis again");
        bench.attempt(Purpose::Activation, HOME, None).await;
    }
}

fn signal(server: &RedisServer, name: &str) {
    let sent = std::process::Command::new("kill").args([name, &server.pid().to_string()]).status().unwrap();
    assert!(sent.success());
}
