//! Who is told by email.

use super::*;

impl Room {
    /// The addresses and subjects of the mails since the last time, sorted.
    async fn mailed(&self) -> Vec<String> {
        self.app.settle().await;
        self.app.settle().await;
        let mut mails: Vec<String> = self
            .app
            .mails
            .lock()
            .unwrap()
            .drain(..)
            .map(|mail| format!("{}: {}", mail.to.split('@').next().unwrap(), mail.subject))
            .filter(|line| line.contains("Engines"))
            .collect();
        mails.sort();
        mails
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_told_to_the_team_and_a_reply_to_who_follows() {
    let room = Room::open().await;
    room.mailed().await;
    let id = room.ask(&room.sam, "How?").await;
    assert_eq!(room.mailed().await, ["ada: A question in Engines"]);
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(room.mailed().await, ["sam: A reply to a question in Engines"]);
    room.reply(&room.ada, &id, "Or so.").await;
    let both = ["sam: A reply to a question in Engines", "tim: A reply to a question in Engines"];
    assert_eq!(room.mailed().await, both);
    room.app
        .mutate(&room.sam, "followQuestion", "question { id }", json!({ "questionId": id, "following": false }))
        .await;
    room.reply(&room.sam, &id, "Thanks.").await;
    assert_eq!(room.mailed().await, ["ada: A reply to a question in Engines", both[1]]);
    // The team's own questions are no news to it.
    room.ask(&room.ada, "What do you think?").await;
    assert_eq!(room.mailed().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_their_access_or_account_gets_no_mail() {
    let room = Room::open().await;
    let id = room.ask(&room.sam, "How?").await;
    room.reply(&room.tim, &id, "So.").await;
    room.mailed().await;
    room.app
        .sql(
            "UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' FROM users \
        WHERE users.id = user_id AND name = 'Tim'",
        )
        .await;
    room.app.sql("UPDATE users SET banned_at = now(), ban_reason = 'Spam' WHERE name = 'Sam'").await;
    room.app.forget_rows();
    room.reply(&room.ada, &id, "Or so.").await;
    assert_eq!(room.mailed().await, [""; 0]);
}
