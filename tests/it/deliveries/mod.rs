//! Notifications by email and to devices.

mod crash;
mod devices;
mod digests;
mod looks;
mod mails;
mod suppression;
mod unsubscribing;
mod walks;

use lyceum::platform::mail::Mail;
use serde_json::{Value, json};

use crate::discussions::Room;
use crate::support::TestApp;
use crate::support::app::User;

/// The mails about notifications since the last time.
fn list_mails(app: &TestApp) -> Vec<Mail> {
    app.mails.lock().unwrap().drain(..).filter(|mail| mail.list.is_some()).collect()
}

/// Lets a second pass: users are told of what happens after they enrolled, followed or asked.
fn later(app: &TestApp) {
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
}

/// Works on everything that is due, a second later. What has happened becomes a notification, and that is sent.
async fn work(app: &TestApp) {
    later(app);
    app.settle().await;
    app.settle().await;
}

/// Works on everything that is due; the recipients and subjects of the mails about notifications since the last time,
/// sorted.
async fn mailed(app: &TestApp) -> Vec<String> {
    work(app).await;
    let line = |mail: &Mail| format!("{}: {}", mail.to.split('@').next().unwrap(), mail.subject);
    let mut lines: Vec<String> = list_mails(app).iter().map(line).collect();
    lines.sort();
    lines
}

async fn settings(app: &TestApp, user: &User, input: Value) {
    app.mutate(user, "updateNotificationSettings", "notificationSettings { digest }", input).await;
}

/// Sets the language and the time zone of a user.
async fn profile(app: &TestApp, name: &str, locale: &str, zone: &str) {
    app.sql(&format!("UPDATE users SET locale = '{locale}', time_zone = '{zone}' WHERE name = '{name}'")).await;
    app.forget_rows();
}

/// The preference for a kind.
fn preference(kind: &str, email: bool, push: bool) -> Value {
    json!({ "preferences": [{ "kind": kind, "inApp": true, "email": email, "push": push }] })
}

/// A room without mails in it, where Sam has asked a question; its id.
async fn asked(app: TestApp) -> (Room, String) {
    let room = Room::with(app).await;
    later(&room.app);
    let question = room.ask(&room.sam, "How?").await;
    mailed(&room.app).await;
    (room, question)
}

/// How many deliveries are in a state.
async fn count(app: &TestApp, status: &str) -> String {
    app.sql(&format!("SELECT count(*) FROM notification_deliveries WHERE status = '{status}'")).await
}
