//! The count of students against a simple model of the ledger.

use std::collections::HashMap;

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// What each source of a person's access should be: until when, or for good.
#[derive(Default)]
struct Model(HashMap<(usize, &'static str), Option<DateTime<Utc>>>);

impl Model {
    fn pass(&mut self, now: DateTime<Utc>) {
        self.0.retain(|_, until| until.is_none_or(|until| now < until));
    }

    fn has(&self, person: usize) -> bool {
        self.0.keys().any(|(other, _)| *other == person)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_is_that_of_a_simple_model_after_each_of_many_random_steps() {
    let school = school().await;
    let mut people = Vec::new();
    for number in 0..4 {
        people.push(school.app.user(&format!("Person{number}"), Role::Student).await);
    }
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let mut model = Model::default();
    for step in 0..150 {
        let who = random.random_range(0..people.len());
        let person = &people[who];
        match random.random_range(0..10) {
            0..=3 => {
                let until =
                    random.random_bool(0.7).then(|| school.now() + TimeDelta::seconds(random.random_range(20..240)));
                school.grant(person, until).await;
                model.0.insert((who, "GRANT"), until);
            }
            4..=5 => {
                let input = json!({ "userId": person.id, "courseId": school.course.id });
                let refused = school.refused(&school.root, "revokeCourseAccess", input).await;
                assert_eq!(refused.is_empty(), model.0.remove(&(who, "GRANT")).is_some(), "seed {seed}, step {step}");
            }
            6 => {
                let input = json!({ "courseId": school.course.id });
                school.app.mutate(person, "enroll", "entitlement { id }", input).await;
                model.0.insert((who, "FREE"), None);
            }
            _ => {
                school.pass(TimeDelta::seconds(random.random_range(15..80))).await;
                model.pass(school.now());
            }
        }
        let expected = (0..people.len()).filter(|person| model.has(*person)).count();
        assert_eq!(school.students().await, i64::try_from(expected).unwrap(), "seed {seed}, step {step}");
        let reason = school.reason(Some(person)).await;
        assert_eq!(reason == "ENTITLED", model.has(who), "seed {seed}, step {step}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_is_right_after_many_changes_at_once() {
    let school = school().await;
    let peer = school.app.peer().await;
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(school.app.user(&format!("Person{number}"), Role::Student).await);
    }
    let grant =
        "mutation ($input: GrantCourseAccessInput!) { grantCourseAccess(input: $input) { entitlement { id } } }";
    let revoke =
        "mutation ($input: RevokeCourseAccessInput!) { revokeCourseAccess(input: $input) { entitlement { id } } }";
    let enroll = "mutation ($input: EnrollInput!) { enroll(input: $input) { entitlement { id } } }";
    let school = &school;
    for round in 0..6 {
        let end = school.now() + TimeDelta::seconds(30);
        let calls = (0..40).map(|number| {
            let person = &people[number % people.len()];
            let node = if number % 2 == 0 { &school.app } else { &peer };
            let input = json!({ "userId": person.id, "courseId": school.course.id });
            async move {
                let body = match (number + round) % 7 {
                    0..=2 => node.send(Some(&school.root.token), grant, json!({ "input": input })).await,
                    3 => {
                        let mut input = input;
                        input["expiresAt"] = json!(end);
                        node.send(Some(&school.root.token), grant, json!({ "input": input })).await
                    }
                    6 if round > 3 => {
                        let input = json!({ "courseId": school.course.id });
                        node.send(Some(&person.token), enroll, json!({ "input": input })).await
                    }
                    _ => node.send(Some(&school.root.token), revoke, json!({ "input": input })).await,
                };
                assert!(body.get("errors").is_none(), "{body:#}");
            }
        });
        join_all(calls).await;
        if round % 2 == 1 {
            school.app.app.clock.advance(TimeDelta::seconds(30));
            tokio::join!(school.app.settle(), peer.settle());
        }
        let counted = "SELECT student_count = (SELECT count(DISTINCT user_id) FROM entitlements WHERE ended_at IS NULL) FROM course_stats";
        assert_eq!(school.app.sql(counted).await, "t", "round {round}");
        let twice = "SELECT count(*) FROM (SELECT FROM entitlements WHERE ended_at IS NULL GROUP BY user_id, source HAVING count(*) > 1) AS twice";
        assert_eq!(school.app.sql(twice).await, "0", "round {round}");
    }
}
