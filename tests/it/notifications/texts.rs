//! The languages of notifications.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reader_gets_the_text_in_their_language() {
    let room = room().await;
    let locale = json!({ "locale": "de-CH" });
    room.app.mutate(&room.tim, "updateProfile", "user { id }", locale).await;
    room.video("Wheels").await;
    let texts = async |user: &User| {
        let list = list(&room.app, user, "").await;
        let node = &list["notifications"]["nodes"][0];
        (node["title"].as_str().unwrap().to_owned(), node["body"].as_str().unwrap().to_owned())
    };
    assert_eq!(texts(&room.tim).await, ("Neues Video in „Engines“".into(), "„Wheels“".into()));
    room.video("Levers").await;
    let both = ("2 neue Videos in „Engines“".into(), "„Levers“ und ein weiteres".into());
    assert_eq!(texts(&room.tim).await, both);
    room.video("Cogs").await;
    assert_eq!(texts(&room.tim).await.1, "„Cogs“ und 2 weitere");
    assert_eq!(texts(&room.sam).await, ("3 new videos in “Engines”".into(), "“Cogs” and 2 more".into()));
}
