//! What users are told.

mod access;
mod announcements;
mod feed;
mod live;
mod many;
mod marks;
mod settings;
mod texts;

use chrono::TimeDelta;
use lyceum::accounts::{UserById, open};
use lyceum::graphql::loaders::Load;
use lyceum::platform::auth::Client;
use serde_json::{Value, json};

use crate::discussions::Room;
use crate::support::TestApp;
use crate::support::app::{User, code_of};

const FIELDS: &str = "id kind title body count createdAt updatedAt readAt archivedAt actor { name } \
    subject { __typename id }";

/// The viewer's notifications, with the arguments of the list.
async fn list(app: &TestApp, user: &User, arguments: &str) -> Value {
    let query = format!(
        "{{ viewer {{ unreadNotificationCount notifications{arguments} {{ totalCount nodes {{ {FIELDS} }} \
            pageInfo {{ endCursor startCursor hasNextPage hasPreviousPage }} }} }} }}"
    );
    app.data(Some(&user.token), &query, json!({})).await["viewer"].take()
}

/// The kinds in the viewer's list, latest first, each with its count: `NEW_VIDEO 2`.
async fn kinds(app: &TestApp, user: &User, arguments: &str) -> Vec<String> {
    let list = list(app, user, arguments).await;
    let nodes = list["notifications"]["nodes"].as_array().unwrap();
    assert_eq!(list["notifications"]["totalCount"].as_u64().unwrap(), nodes.len() as u64, "{list:#}");
    nodes.iter().map(|node| format!("{} {}", node["kind"].as_str().unwrap(), node["count"])).collect()
}

async fn unread(app: &TestApp, user: &User) -> i64 {
    let query = "{ viewer { unreadNotificationCount } }";
    app.data(Some(&user.token), query, json!({})).await["viewer"]["unreadNotificationCount"].as_i64().unwrap()
}

/// Marks notifications; returns the number of unread ones.
async fn mark(app: &TestApp, user: &User, input: Value) -> i64 {
    let payload = app.mutate(user, "markNotifications", "unreadNotificationCount", input).await;
    payload["unreadNotificationCount"].as_i64().unwrap()
}

/// The code of the first user error, or of the error, of a mutation.
async fn code(app: &TestApp, user: &User, field: &str, input: Value) -> String {
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query =
        format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code field }} }} }}");
    code_of(&app.send(Some(&user.token), &query, json!({ "input": input })).await).to_owned()
}

/// Lets everybody know: the events make notifications, whose own events are pushed then.
async fn told(app: &TestApp) {
    app.settle().await;
    app.settle().await;
}

impl Room {
    /// Publishes a video in the course, a second later.
    async fn video(&self, title: &str) {
        self.app.app.clock.advance(TimeDelta::seconds(1));
        let lesson = self.app.lesson(&self.ada, &self.course, title).await;
        self.app.publish(&self.ada, &lesson).await;
        told(&self.app).await;
    }

    /// Replies a second later, and lets everybody know.
    async fn answer(&self, user: &User, question: &str) -> String {
        self.app.app.clock.advance(TimeDelta::seconds(1));
        let reply = self.reply(user, question, "So.").await;
        told(&self.app).await;
        reply
    }
}

/// The user with a new session.
async fn signed_in(app: &TestApp, user: &User) -> User {
    let row = UserById(user.id.parse().unwrap()).load_one(&app.app).await.unwrap().unwrap();
    let opened = app.app.db.transaction(async |tx| open(tx, &app.app, &Client::new(None, "test"), &row).await).await;
    User { token: opened.unwrap().tokens.access_token, ..user.clone() }
}

/// A room, in which whatever happened before is not told of.
async fn room() -> Room {
    let room = Room::open().await;
    told(&room.app).await;
    room.app.sql("DELETE FROM notifications").await;
    room.app.app.clock.advance(TimeDelta::seconds(1));
    room
}
