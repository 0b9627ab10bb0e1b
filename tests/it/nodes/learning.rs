//! Progress that players save while servers are killed.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::process::{Node, Site};
use crate::support::rounds;

/// One player of each of these many users.
const PLAYERS: usize = 12;
const SAVE: &str = "mutation ($entries: [ProgressInput!]!) { saveProgress(input: { entries: $entries }) {
    enrollments { id } userErrors { message } } }";

/// A user who watches a lesson.
struct Player {
    token: String,
    enrollment: String,
    lesson: String,
    /// The number of the last report that was answered.
    answered: i64,
}

impl Player {
    /// Reports one second after the other, until the server does not answer.
    async fn play(&mut self, url: &str, client: &reqwest::Client, began: DateTime<Utc>) {
        for number in self.answered + 1.. {
            let at = began + TimeDelta::seconds(number);
            let watched = [json!({ "from": number % 60, "to": number % 60 + 1 })];
            let entry = json!({ "lessonId": self.lesson, "positionSeconds": 7, "watched": watched, "at": at });
            let body = json!({ "query": SAVE, "variables": { "entries": [entry] } });
            let request = client.post(format!("{url}/graphql")).bearer_auth(&self.token).json(&body);
            let Ok(response) = request.send().await else { return };
            let Ok(answer) = response.json::<Value>().await else { return };
            assert_eq!(answer["data"]["saveProgress"]["userErrors"], json!([]), "{answer:#}");
            self.enrollment = answer["data"]["saveProgress"]["enrollments"][0]["id"].as_str().unwrap().to_owned();
            self.answered = number;
        }
    }

    /// What another node has of it: the time of the last report.
    async fn last(&self, node: &Node) -> DateTime<Utc> {
        let query = "query ($id: ID!, $lesson: ID!) {
            node(id: $id) { ... on Enrollment { id } } lesson(id: $lesson) { viewerProgress { updatedAt } } }";
        let variables = json!({ "id": self.enrollment, "lesson": self.lesson });
        let data = node.data(Some(&self.token), query, variables).await;
        assert_eq!(data["node"]["id"], self.enrollment);
        data["lesson"]["viewerProgress"]["updatedAt"].as_str().unwrap().parse().unwrap()
    }
}

/// Users who are entitled to everything since yesterday, and the longest lesson.
async fn players(site: &Site) -> Vec<Player> {
    let users = format!(
        "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
            SELECT gen_random_uuid(), 'player' || n || '@people.example', 'Player ' || n, 'STUDENT', now(), now()
            FROM generate_series(1, {PLAYERS}) n RETURNING id),
         entitled AS (INSERT INTO entitlements (id, user_id, scope, source, starts_at)
            SELECT gen_random_uuid(), id, 'EVERYTHING', 'MEMBERSHIP', now() - interval '1 day' FROM made),
         -- The session of all tokens: a node that is too busy to know of ended sessions looks for it.
         signed_in AS (INSERT INTO sessions
            (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at)
            SELECT '00000000-0000-0000-0000-000000000000', id, '', now(), now(), 'infinity', now() FROM made LIMIT 1)
         SELECT string_agg(id::text, ' ') FROM made"
    );
    let users = site.sql(&users).await;
    let lesson = "SELECT id FROM lessons WHERE published_at IS NOT NULL AND kind = 'VIDEO' ORDER BY duration_seconds DESC LIMIT 1";
    let lesson = lyceum::catalog::LessonId::new(site.sql(lesson).await.parse().unwrap()).encode();
    let player = |id: &str| {
        let user = lyceum::accounts::UserId::new(id.parse().unwrap()).encode();
        let (token, lesson) = (site.token(&user, Role::Student), lesson.clone());
        Player { token, enrollment: String::new(), lesson, answered: 0 }
    };
    users.split(' ').map(player).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_among_saves_has_kept_all_that_it_answered_and_the_other_node_reads_it() {
    let site = Site::new().await.seed(1);
    let other = site.serve().await;
    let mut players = players(&site).await;
    let began = (Utc::now() - TimeDelta::hours(12)).trunc_subsecs(0);
    for _ in 0..rounds(2) {
        let mut node = site.serve().await;
        let (url, client) = (node.url.clone(), node.client.clone());
        let plays = players.iter_mut().map(|player| player.play(&url, &client, began));
        let killing = async {
            tokio::time::sleep(Duration::from_millis(rand::random_range(1000..2500))).await;
            node.kill();
        };
        tokio::join!(futures_util::future::join_all(plays), killing);
        let answered: i64 = players.iter().map(|player| player.answered).sum();
        assert!(answered > PLAYERS as i64, "too few to say anything: {answered}");
        for player in &players {
            let last = player.last(&other).await;
            assert!(last >= began + TimeDelta::seconds(player.answered), "{last} {}", player.answered);
        }
    }
}
