//! Live classes: sessions, seats, and the hours that they cost.

mod attendance;
mod brief;
mod calendar;
mod deletions;
mod extra;
mod family;
mod indexes;
mod invitations;
mod kills;
mod lists;
mod memberships;
mod model;
mod notices;
mod pools;
mod races;
mod reference;
mod retention;
mod rollover;
mod series;
mod sessions;
mod statistics;
mod usage;
mod waiting;

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{Course, User, code_of, start};

const SESSION: &str = "id title startsAt endsAt status capacity seatsLeft waitingCount meetingUrl seriesId version \
    host { name } course { id } category { id } startedAt endedAt";
const USAGE: &str = "month totalHoursAttended heldHours maxHoursAllowed remainingHours sessionsAttended \
    lastAttendanceDate resetsAt warning";

/// A course of Ada's, and users who have two hours of live classes a month.
struct School {
    app: TestApp,
    ada: User,
    root: User,
    sam: User,
    tim: User,
    course: Course,
}

/// The time so many minutes after the start of every test's clock.
fn at(minutes: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minutes)
}

/// The same as the schema shows it.
fn shown(minutes: i64) -> String {
    at(minutes).to_rfc3339()
}

impl School {
    async fn open() -> School {
        School::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> School {
        School::later(settings, TimeDelta::zero()).await
    }

    /// With a clock that was turned first, as users are signed in for a day.
    async fn later(settings: &[(&str, &str)], by: TimeDelta) -> School {
        let defaults = [("LYCEUM_LIVE_FREE_HOURS", "2"), ("LYCEUM_TOKEN_MINUTES", "1440")];
        let settings: Vec<_> = defaults.iter().chain(settings).copied().collect();
        let app = TestApp::with(&settings).await;
        app.app.clock.advance(by);
        let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
        let (sam, tim) = (app.user("Sam", Role::Student).await, app.user("Tim", Role::Student).await);
        let course = app.course(&ada, "Engines", 1).await;
        School { app, ada, root, sam, tim, course }
    }

    /// A plan with so many hours of live classes for so many euros a month; the id of its price.
    async fn plan(&self, name: &str, hours: &str, euros: &str) -> String {
        self.plan_with_rollover(name, hours, euros, "0").await
    }

    /// The same, and so many of the hours that are left count in the next month.
    async fn plan_with_rollover(&self, name: &str, hours: &str, euros: &str, rollover: &str) -> String {
        self.plan_with(name, hours, euros, json!({ "rolloverHours": rollover })).await
    }

    /// The same, with more of the input of `createPlan`.
    async fn plan_with(&self, name: &str, hours: &str, euros: &str, more: Value) -> String {
        let price = json!({ "amount": { "amount": euros, "currency": "EUR" }, "interval": "MONTH" });
        let mut input = json!({ "kind": "LIVE_CLASS", "name": name, "liveHoursPerMonth": hours, "prices": [price] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.app.mutate(&self.root, "createPlan", "plan { prices { id } }", input).await;
        self.settle().await;
        made["plan"]["prices"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Orders and pays a membership; returns its id.
    async fn subscribe(&self, user: &User, price: &str, euros: &str) -> String {
        let input = json!({
            "items": [{ "planPriceId": price }],
            "billing": { "country": "DE", "currency": "EUR" },
            "expectedTotal": { "amount": euros, "currency": "EUR" },
        });
        let selection = "order { number items { membership { id } } }";
        let order = self.app.mutate(user, "createOrder", selection, input).await["order"].take();
        let number = order["number"].as_str().unwrap();
        let sql =
            format!("SELECT external_id FROM payments JOIN orders ON orders.id = order_id WHERE number = {number}");
        let page = format!("{}/dev/checkout/{}", self.app.url, self.app.sql(&sql).await);
        let request = self.app.client.post(page).body("action=pay");
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert!(answer.status().is_success() || answer.status().is_redirection(), "{}", answer.status());
        self.settle().await;
        order["items"][0]["membership"]["id"].as_str().unwrap().to_owned()
    }

    /// Lets the period of a membership end now, and charges the next one.
    async fn renew(&self, membership: &str) {
        // A period takes some time.
        self.app.app.clock.advance(TimeDelta::milliseconds(1));
        let (id, now) =
            (membership.parse::<lyceum::memberships::MembershipId>().unwrap().uuid(), self.now().to_rfc3339());
        let sql = format!("UPDATE memberships SET period_ends_at = '{now}', billing_at = '{now}' WHERE id = '{id}'");
        self.app.sql(&sql).await;
        self.app.run("orders.renew").await;
        for _ in 0..2 {
            self.settle().await;
        }
    }

    /// Invites the address of a user, `name@people.example`, to the family of a membership; the code that was mailed.
    async fn invite(&self, owner: &User, membership: &str, name: &str) -> String {
        let email = format!("{name}@people.example");
        let input = json!({ "membershipId": membership, "email": email });
        self.app.mutate(owner, "inviteFamilyMember", "family { size }", input).await;
        self.settle().await;
        let mails = std::mem::take(&mut *self.app.mails.lock().unwrap());
        let mail = mails.into_iter().rfind(|mail| mail.to == email).unwrap();
        let (_, rest) = mail.text.split_once("/family?token=").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Invites a user to the family of a membership, who joins it.
    async fn adopt(&self, owner: &User, membership: &str, user: &User, name: &str) {
        let code = self.invite(owner, membership, name).await;
        // Members are told apart by when they joined.
        self.app.app.clock.advance(TimeDelta::milliseconds(1));
        self.app.mutate(user, "joinFamily", "family { size }", json!({ "token": code })).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.app.app.clock.now()
    }

    /// Turns the clock to a time, and runs what is due then.
    async fn turn_to(&self, to: DateTime<Utc>) {
        self.app.app.clock.advance(to - self.now());
        self.sweep().await;
    }

    async fn sweep(&self) {
        for handler in ["live.settle", "live.remind"] {
            self.app.run(handler).await;
        }
    }

    /// Runs what reacts to events, and what reacts to the events of that.
    async fn settle(&self) {
        for _ in 0..3 {
            self.app.settle().await;
        }
    }

    /// Deletes the account of a user, as after the days in which it can be recovered.
    async fn forget(&self, user: &User) {
        let id = user.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
        self.app.sql(&format!("UPDATE users SET deletion_due_at = created_at WHERE id = '{id}'")).await;
        self.app.run("accounts.delete_due").await;
        self.settle().await;
    }

    /// The input of an hour of Ada's about her course.
    fn input(&self, start: DateTime<Utc>) -> Value {
        json!({
            "courseId": self.course.id,
            "title": "Valves",
            "startsAt": start,
            "endsAt": start + TimeDelta::hours(1),
            "meetingUrl": "https://meet.example/valves",
        })
    }

    /// Creates what an input says; returns the sessions.
    async fn created(&self, user: &User, input: Value) -> Vec<Value> {
        let selection = format!("liveSessions {{ {SESSION} }}");
        let mut made = self.app.mutate(user, "createLiveSession", &selection, input).await;
        made["liveSessions"].as_array_mut().unwrap().drain(..).collect()
    }

    /// An hour of Ada's that begins then, with so many seats; its id.
    async fn session(&self, start: DateTime<Utc>, seats: Option<i32>) -> String {
        let mut input = self.input(start);
        input["capacity"] = seats.into();
        self.created(&self.ada, input).await[0]["id"].as_str().unwrap().to_owned()
    }

    /// Joins a session: the reason, and the status of the attendance, if there is one.
    async fn join(&self, user: &User, id: &str, wait: bool) -> String {
        let input = json!({ "liveSessionId": id, "wait": wait });
        let selection = "attendance { status } eligibility { reason }";
        let joined = self.app.mutate(user, "joinLiveSession", selection, input).await;
        let status = joined["attendance"]["status"].as_str().unwrap_or("-");
        format!("{} {status}", joined["eligibility"]["reason"].as_str().unwrap())
    }

    async fn leave(&self, user: &User, id: &str) -> String {
        let input = json!({ "liveSessionId": id });
        let left = self.app.mutate(user, "leaveLiveSession", "attendance { status }", input).await;
        left["attendance"]["status"].as_str().unwrap().to_owned()
    }

    /// Records who was in a session; the states, or the code of the first error.
    async fn record(&self, user: &User, id: &str, entries: &[(&User, bool)]) -> String {
        let entry = |(user, attended): &(&User, bool)| json!({ "userId": user.id, "attended": attended });
        let entries: Vec<Value> = entries.iter().map(entry).collect();
        let input = json!({ "liveSessionId": id, "entries": entries });
        let recorded = self.app.payload(user, "recordAttendance", "attendances { status }", input).await;
        let states = recorded["attendances"].as_array();
        let error = || recorded["userErrors"][0]["code"].as_str().unwrap().to_owned();
        states.map_or_else(error, |rows| {
            rows.iter().map(|row| row["status"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        })
    }

    async fn change(&self, user: &User, input: Value) -> Vec<Value> {
        let selection = format!("liveSessions {{ {SESSION} }}");
        let mut made = self.app.mutate(user, "updateLiveSession", &selection, input).await;
        made["liveSessions"].as_array_mut().unwrap().drain(..).collect()
    }

    async fn cancel(&self, user: &User, id: &str) {
        let input = json!({ "liveSessionId": id });
        self.app.mutate(user, "cancelLiveSession", "liveSessions { status }", input).await;
    }

    /// A session as a user sees it.
    async fn seen(&self, user: Option<&User>, id: &str, selection: &str) -> Value {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on LiveSession {{ {selection} }} }} }}");
        self.app.data(user.map(|user| &*user.token), &query, json!({ "id": id })).await["node"].take()
    }

    /// The state of a user's place in a session.
    async fn place(&self, user: &User, id: &str) -> String {
        let seen = self.seen(Some(user), id, "viewerAttendance { status }").await;
        seen["viewerAttendance"]["status"].as_str().unwrap_or("-").to_owned()
    }

    /// The titles of a user's notifications, latest first.
    async fn told(&self, user: &User) -> Vec<String> {
        self.settle().await;
        let query = "{ viewer { notifications { nodes { kind title } } } }";
        let data = self.app.data(Some(&user.token), query, json!({})).await;
        let nodes = data["viewer"]["notifications"]["nodes"].as_array().unwrap();
        let told = |node: &Value| format!("{} {}", node["kind"].as_str().unwrap(), node["title"].as_str().unwrap());
        nodes.iter().map(told).collect()
    }

    /// A user's hours: attended, held, allowed, remaining.
    async fn hours(&self, user: &User, month: Option<&str>) -> String {
        let query =
            format!("query ($month: YearMonth) {{ viewer {{ subscriptionUsage(month: $month) {{ {USAGE} }} }} }}");
        let data = self.app.data(Some(&user.token), &query, json!({ "month": month })).await;
        let usage = &data["viewer"]["subscriptionUsage"];
        let parts = ["totalHoursAttended", "heldHours", "maxHoursAllowed", "remainingHours"];
        parts.map(|part| usage[part].as_str().unwrap()).join(" ")
    }

    /// The code of a mutation's error or first user error, with its message; empty if it succeeds.
    async fn error(&self, user: Option<&User>, field: &str, input: Value) -> (String, String) {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!(
            "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code field message }} }} }}"
        );
        let body = self.app.send(user.map(|user| &*user.token), &query, json!({ "input": input })).await;
        assert_ne!(body["errors"][0]["extensions"]["code"], "INTERNAL", "{field}: {body:#}");
        let message = body["data"][field]["userErrors"][0]["message"].as_str().unwrap_or_default();
        (code_of(&body).to_owned(), message.to_owned())
    }
}
