//! Captions.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{Studio, playback};

const SET: &str = "mutation ($input: SetVideoCaptionsInput!) { setVideoCaptions(input: $input) {
    video { captions { language label } } userErrors { code field message } } }";
const REMOVE: &str = "mutation ($input: RemoveVideoCaptionsInput!) { removeVideoCaptions(input: $input) {
    video { captions { language label } } userErrors { code field message } } }";

fn text(words: &str) -> String {
    format!("WEBVTT\n\n00:01.000 --> 00:03.000\n{words}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captions_come_by_language_are_replaced_and_removed() {
    let studio = Studio::with("captions", None, &[]).await;
    let (app, ada) = (&studio.app, &studio.ada);
    let id = studio.arrive(ada, vec![1]).await;
    let lesson = studio.lesson(id, "Ownership").await;
    studio.preview(&lesson, true).await;
    let set = async |language: &str, label: Option<&str>, words: &str| {
        let input = json!({ "videoId": id.encode(), "language": language, "label": label, "text": text(words) });
        let payload = app.data(Some(&ada.token), SET, json!({ "input": input })).await["setVideoCaptions"].take();
        assert_eq!(payload["userErrors"], json!([]));
        payload["video"]["captions"].clone()
    };
    set("pt-br", Some("Português"), "Olá").await;
    let both = json!([{ "language": "en", "label": "en" }, { "language": "pt-BR", "label": "Português" }]);
    assert_eq!(set("EN", None, "Hello").await, both);
    let read = async || {
        let answer = studio.play(None, &lesson).await;
        let mut texts = Vec::new();
        for caption in playback(&answer)["captions"].as_array().unwrap() {
            let file = app.client.get(caption["url"].as_str().unwrap()).send().await.unwrap();
            assert!(file.headers()["content-type"].to_str().unwrap().starts_with("text/vtt"));
            texts.push((caption["language"].as_str().unwrap().to_owned(), file.text().await.unwrap()));
        }
        texts
    };
    assert_eq!(read().await, [("en".to_owned(), text("Hello")), ("pt-BR".to_owned(), text("Olá"))]);
    assert_eq!(set("en", Some("English"), "Good day").await[0]["label"], "English");
    assert_eq!(read().await[0].1, text("Good day"));
    app.settle().await;
    assert_eq!(studio.objects(id).await, 3, "the original and two languages; the replaced text is gone");
    let input = json!({ "videoId": id.encode(), "language": "pt-BR" });
    let payload = app.data(Some(&ada.token), REMOVE, json!({ "input": input })).await["removeVideoCaptions"].take();
    assert_eq!(payload["video"]["captions"], json!([{ "language": "en", "label": "English" }]));
    app.settle().await;
    assert_eq!((read().await.len(), studio.objects(id).await), (1, 2));
    let payload = app.data(Some(&ada.token), REMOVE, json!({ "input": input })).await["removeVideoCaptions"].take();
    assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captions_are_checked_and_nothing_of_a_refused_text_is_stored() {
    let studio = Studio::with("checked", None, &[]).await;
    let app = &studio.app;
    let eve = app.user("Eve", Role::Instructor).await;
    let id = studio.arrive(&studio.ada, vec![1]).await;
    let told = async |token: &str, input: Value| {
        let payload = app.data(Some(token), SET, json!({ "input": input })).await["setVideoCaptions"].take();
        let errors = payload["userErrors"].as_array().unwrap().clone();
        let told =
            |error: &Value| format!("{} {}", error["code"].as_str().unwrap(), error["field"][0].as_str().unwrap());
        (errors.iter().map(told).collect::<Vec<_>>().join(", "), errors[0]["message"].as_str().unwrap().to_owned())
    };
    let mut many = String::from("WEBVTT\n\n");
    while many.len() <= 1_000_000 {
        many +=
            "NOTE words words words words words words words words words words words words words words words words\n\n";
    }
    let input = |language: &str, label: &str, text: &str| json!({ "videoId": id.encode(), "language": language, "label": label, "text": text });
    let token = &studio.ada.token;
    for (input, expected, why) in [
        (
            input("english!", &"x".repeat(61), "1\n00:00:01,000"),
            "INVALID language, TOO_LONG label, INVALID text",
            "tag",
        ),
        (input("en", "", &text("<script>alert(1)</script>")), "INVALID text", "Line 4: <script>"),
        (input("en", "", &many), "TOO_LONG text", "1000000"),
    ] {
        let (codes, message) = told(token, input).await;
        assert_eq!(codes, expected);
        assert!(message.contains(why), "{message}");
    }
    let (codes, _) = told(&eve.token, input("en", "", &text("Hello"))).await;
    assert_eq!(codes, "NOT_FOUND videoId", "somebody else's video");
    assert_eq!(studio.objects(id).await, 1);
}
