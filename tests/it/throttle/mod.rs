//! Attempts are counted and slowed down: in this process, in Redis, and in this process when Redis is lost.

mod redis;
mod sign_in;

use std::net::IpAddr;
use std::time::Duration;

use chrono::TimeDelta;
use lyceum::platform::clock::Clock;
use lyceum::platform::redis::RedisLink;
use lyceum::platform::throttle::{Purpose, Throttle, Wait};

use crate::support::app::start;
use crate::support::redis::RedisServer;

const EVERY_PURPOSE: [Purpose; 5] =
    [Purpose::SignIn, Purpose::Registration, Purpose::Activation, Purpose::PasswordReset, Purpose::SecondFactor];
/// On a busy machine Redis answers late; where its loss is not the point, it is waited for.
const LONG: Duration = Duration::from_secs(30);

/// A throttle and its clock.
struct Bench {
    throttle: Throttle,
    clock: Clock,
}

impl Bench {
    fn memory() -> Bench {
        let clock = Clock::manual(start());
        Bench { throttle: Throttle::memory(clock.clone()), clock }
    }

    async fn redis(server: &RedisServer) -> Bench {
        let clock = Clock::manual(start());
        let link = RedisLink::connect(&server.url()).await.unwrap();
        Bench { throttle: Throttle::redis(link, "test:", clock.clone(), LONG), clock }
    }

    /// How long to wait for a sign-in; zero if it is let through.
    async fn sign_in(&self, from: &str, account: &str) -> Duration {
        self.attempt(Purpose::SignIn, from, Some(account)).await
    }

    async fn attempt(&self, purpose: Purpose, from: &str, account: Option<&str>) -> Duration {
        match self.throttle.attempt(purpose, from.parse().unwrap(), account).await {
            Ok(_) => Duration::ZERO,
            Err(Wait(wait)) => wait,
        }
    }

    async fn succeed(&self, purpose: Purpose, from: &str, account: &str) {
        let attempt = self.throttle.attempt(purpose, from.parse().unwrap(), Some(account)).await;
        self.throttle.succeeded(attempt.ok().unwrap()).await;
    }

    /// How many of `count` sign-ins at this instant are let through.
    async fn burst(&self, from: &str, account: &str, count: usize) -> usize {
        let mut passed = 0;
        for _ in 0..count {
            passed += usize::from(self.sign_in(from, account).await.is_zero());
        }
        passed
    }

    fn after(&self, time: Duration) {
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
}

/// Runs a check on both stores.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($bench:ident: &Bench) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn check($bench: &Bench) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_memory() {
                check(&Bench::memory()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_redis() {
                let server = RedisServer::start();
                check(&Bench::redis(&server).await).await;
            }
        }
    )*};
}

const HOME: &str = "203.0.113.7";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

both! {
    async fn waits_grow_exponentially_up_to_the_longest(bench: &Bench) {
        assert_eq!(bench.burst(HOME, "ada", 5).await, 5, "five are free");
        let mut waits = Vec::new();
        for _ in 0..13 {
            let wait = bench.sign_in(HOME, "ada").await;
            waits.push(wait.as_secs());
            bench.after(wait - Duration::from_millis(1));
            assert_eq!(bench.sign_in(HOME, "ada").await, Duration::from_millis(1), "not a moment earlier");
            bench.after(Duration::from_millis(1));
            assert_eq!(bench.sign_in(HOME, "ada").await, Duration::ZERO);
        }
        // From 1023 seconds on one attempt is forgotten in 900, so one step comes twice.
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900, 900]);
        bench.after(seconds(12 * 3600));
        assert_eq!(bench.burst(HOME, "ada", 9).await, 5, "all is forgotten");
    }

    /// Hammering during the wait does not make it longer.
    async fn a_refused_attempt_does_not_count(bench: &Bench) {
        assert_eq!(bench.burst(HOME, "ada", 5).await, 5);
        for tenth in 0..10 {
            let left = Duration::from_millis(1000 - 100 * tenth);
            for _ in 0..20 {
                assert_eq!(bench.sign_in(HOME, "ada").await, left);
            }
            bench.after(Duration::from_millis(100));
        }
        assert_eq!(bench.sign_in(HOME, "ada").await, Duration::ZERO);
        assert_eq!(bench.sign_in(HOME, "ada").await, seconds(2));
        // Nor does it count for the address: 6 of its 30 are used.
        let mut passed = 0;
        for number in 0..50 {
            passed += bench.burst(HOME, &format!("user {number}"), 1).await;
        }
        assert_eq!(passed, 24);
    }

    async fn nobody_is_locked_out_from_one_address(bench: &Bench) {
        assert_eq!(bench.burst(HOME, "ada", 100).await, 5);
        assert_eq!(bench.burst("203.0.113.8", "ada", 100).await, 5, "Ada, elsewhere");
        assert_eq!(bench.burst(HOME, "bob", 1).await, 1, "somebody else at the same address");
        for purpose in [Purpose::Activation, Purpose::PasswordReset, Purpose::Registration] {
            assert_eq!(bench.attempt(purpose, HOME, Some("ada")).await, Duration::ZERO, "{purpose:?} counts apart");
        }
    }

    async fn an_address_has_its_own_larger_count(bench: &Bench) {
        let mut passed = 0;
        for number in 0..100 {
            passed += bench.burst(HOME, &format!("user {number}"), 1).await;
        }
        assert_eq!(passed, 30);
        assert_eq!(bench.sign_in(HOME, "ada").await, seconds(1));
        assert_eq!(bench.attempt(Purpose::SignIn, HOME, None).await, seconds(1), "without an account, too");
        assert_eq!(bench.sign_in("203.0.113.8", "ada").await, Duration::ZERO);
        // Who goes on ends up at one attempt a minute, whatever the accounts are.
        bench.after(seconds(10));
        let mut passed = 0;
        for second in 0..7200 {
            bench.after(seconds(1));
            passed += bench.burst(HOME, &format!("guess {second}"), 1).await;
        }
        assert!((115..=135).contains(&passed), "{passed} in two hours");
    }

    async fn an_ipv6_customer_is_one_address(bench: &Bench) {
        let mut passed = 0;
        for number in 0..100 {
            passed += bench.burst(&format!("2001:db8:0:1:{number:x}::{number:x}"), "ada", 1).await;
        }
        assert_eq!(passed, 5, "the same account from the same /64");
        assert_eq!(bench.sign_in("2001:db8:0:2::1", "ada").await, Duration::ZERO, "the neighbour");
        assert_eq!(bench.burst("::ffff:203.0.113.7", "ada", 3).await, 3);
        assert_eq!(bench.burst(HOME, "ada", 3).await, 2, "an IPv4 address, however it is written");
    }

    async fn success_forgives(bench: &Bench) {
        for round in 0..20 {
            assert_eq!(bench.burst(HOME, "ada", 4).await, 4, "round {round}");
            bench.succeed(Purpose::SignIn, HOME, "ada").await;
            bench.after(seconds(240));
        }
        for number in 0..500 {
            bench.succeed(Purpose::SignIn, HOME, &format!("pupil {number}")).await;
        }
        assert_eq!(bench.burst(HOME, "bob", 5).await, 5, "a school behind one address is no attack");
    }

    /// Otherwise an account of one's own would be a licence to guess.
    async fn success_takes_back_only_its_own_from_the_address(bench: &Bench) {
        let mut passed = 0;
        for number in 0..100 {
            passed += bench.burst(HOME, &format!("user {number}"), 1).await;
            if number % 5 == 0 && passed < 30 {
                bench.succeed(Purpose::SignIn, HOME, "mallory").await;
            }
        }
        assert_eq!(passed, 30);
        assert_eq!(bench.sign_in(HOME, "mallory").await, seconds(1));
    }

    async fn of_a_hundred_at_once_exactly_the_free_ones_pass(bench: &Bench) {
        let count = async |account: fn(usize) -> String| {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..100 {
                let throttle = bench.throttle.clone();
                let ip: IpAddr = HOME.parse().unwrap();
                tasks.spawn(async move {
                    throttle.attempt(Purpose::SignIn, ip, Some(&account(number))).await.is_ok()
                });
            }
            tasks.join_all().await.into_iter().filter(|passed| *passed).count()
        };
        assert_eq!(count(|_| "ada".into()).await, 5, "one account");
        assert_eq!(count(|number| format!("user {number}")).await, 25, "the rest of the address's thirty");
    }

    /// Who knows the password and has many addresses guesses codes slowly; one address cannot slow the owner down.
    async fn the_second_factor_is_counted_over_all_addresses(bench: &Bench) {
        let guess = async |from: &str| bench.attempt(Purpose::SecondFactor, from, Some("ada")).await;
        let mut from_one = 0;
        for _ in 0..24 * 60 {
            bench.after(seconds(60));
            from_one += usize::from(guess(HOME).await.is_zero());
        }
        assert!((90..=120).contains(&from_one), "{from_one} in a day");
        assert_eq!(guess("198.51.100.1").await, Duration::ZERO, "the owner, elsewhere");
        bench.after(seconds(3600));
        let mut passed = 0;
        for number in 0..200 {
            passed += usize::from(guess(&format!("198.51.100.{number}")).await.is_zero());
        }
        assert_eq!(passed, 50);
    }
}
