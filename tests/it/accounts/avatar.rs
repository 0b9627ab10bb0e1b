//! Pictures: from the client to the store, looked at, shown, replaced, removed.

use chrono::TimeDelta;
use image::ImageFormat;
use lyceum::platform::auth::Role;
use lyceum::platform::storage::Storage;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::storage::Store;
use crate::support::app::code_of;
use crate::support::picture::{OTHER_PNG, PNG, bomb, jpeg_size, picture};
use crate::support::{TestApp, User};

const UPLOAD: &str = "mutation ($input: CreateAvatarUploadInput!) { createAvatarUpload(input: $input) {
    upload { id url headers { name value } expiresAt } userErrors { code field message } } }";
const COMPLETE: &str = "mutation ($input: CompleteAvatarUploadInput!) { completeAvatarUpload(input: $input) {
    user { id avatar { url } } userErrors { code field message } } }";
const REMOVE: &str = "mutation ($input: RemoveAvatarInput!) { removeAvatar(input: $input) {
    user { id avatar { url } } userErrors { code field message } } }";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";

struct Studio {
    app: TestApp,
    storage: Storage,
    _store: Store,
    ada: User,
}

impl Studio {
    async fn open(name: &str) -> Studio {
        let store = Store::start(&format!("avatar-{name}")).await;
        let storage = store.bucket().await;
        let app = TestApp::with_storage(storage.clone()).await;
        let ada = app.user("Ada", Role::Student).await;
        Studio { app, storage, _store: store, ada }
    }

    async fn begin(&self, content_type: &str, size: usize) -> Value {
        let input = json!({ "contentType": content_type, "sizeBytes": size });
        let mut payload = self.app.data(Some(&self.ada.token), UPLOAD, json!({ "input": input })).await;
        assert_eq!(payload["createAvatarUpload"]["userErrors"], json!([]), "{payload:#}");
        payload["createAvatarUpload"]["upload"].take()
    }

    /// As a browser does it: the URL, the headers that it was told, the file.
    async fn put(&self, upload: &Value, file: &'static [u8]) -> Response {
        let mut request = self.app.client.put(upload["url"].as_str().unwrap());
        for header in upload["headers"].as_array().unwrap() {
            request = request.header(header["name"].as_str().unwrap(), header["value"].as_str().unwrap());
        }
        request.body(file).send().await.unwrap()
    }

    async fn uploaded(&self, content_type: &str, file: &'static [u8]) -> Value {
        let upload = self.begin(content_type, file.len()).await;
        assert_eq!(self.put(&upload, file).await.status(), StatusCode::OK);
        upload
    }

    /// The payload of `completeAvatarUpload`.
    async fn complete(&self, user: &User, upload: &Value) -> Value {
        let input = json!({ "uploadId": upload["id"] });
        self.app.data(Some(&user.token), COMPLETE, json!({ "input": input })).await["completeAvatarUpload"].take()
    }

    /// Uploads `file` as Ada's picture; returns its key.
    async fn dress(&self, file: &'static [u8]) -> String {
        let upload = self.uploaded("image/png", file).await;
        let payload = self.complete(&self.ada, &upload).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        self.app.sql("SELECT avatar_key FROM users WHERE name = 'Ada'").await
    }

    async fn avatar_url(&self, token: Option<&str>) -> Option<String> {
        let query = "query ($id: ID!) { node(id: $id) { ... on User { avatar { url } } } }";
        let data = self.app.data(token, query, json!({ "id": self.ada.id })).await;
        data["node"]["avatar"]["url"].as_str().map(str::to_owned)
    }

    async fn has(&self, key: &str) -> bool {
        self.storage.head(key).await.unwrap().is_some()
    }

    async fn draft_key(&self) -> String {
        self.app
            .sql("SELECT 'uploads/avatars/' || replace(id::text, '-', '') FROM avatar_uploads ORDER BY id DESC LIMIT 1")
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uploaded_picture_is_shown_to_everybody_and_a_new_one_replaces_it() {
    let studio = Studio::open("shown").await;
    assert_eq!(studio.avatar_url(None).await, None);
    let upload = studio.begin("image/png", PNG.len()).await;
    assert_eq!(upload["headers"], json!([{ "name": "content-type", "value": "image/png" }]));
    assert_eq!(studio.put(&upload, JPEG).await.status(), StatusCode::FORBIDDEN, "another length than announced");
    assert_eq!(studio.put(&upload, PNG).await.status(), StatusCode::OK);
    assert_eq!(studio.avatar_url(None).await, None, "not before it was looked at");
    let payload = studio.complete(&studio.ada, &upload).await;
    let url = studio.avatar_url(None).await.unwrap();
    assert_eq!(payload, json!({ "user": { "id": studio.ada.id, "avatar": { "url": url } }, "userErrors": [] }));
    let shown = studio.app.client.get(&url).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert!(shown.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(shown.bytes().await.unwrap(), PNG);
    assert_eq!(studio.avatar_url(Some(&studio.ada.token)).await.unwrap(), url, "the same for everybody");
    assert_eq!(studio.app.sql("SELECT count(*) FROM events WHERE kind = 'user_changed'").await, "1");
    let (first, draft) = (studio.app.sql("SELECT avatar_key FROM users").await, studio.draft_key().await);
    assert!(studio.has(&draft).await);
    studio.app.settle().await;
    assert!(!studio.has(&draft).await && studio.has(&first).await, "what was uploaded is gone, the picture is not");
    let url = studio.avatar_url(None).await.unwrap();
    let shown = studio.app.client.get(&url).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/jpeg");
    assert!(shown.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(jpeg_size(&shown.bytes().await.unwrap()), (1, 1));
    assert!(studio.has(&format!("{first}-w1.jpg")).await);

    let second = studio.dress(OTHER_PNG).await;
    let new = studio.avatar_url(None).await.unwrap();
    assert_ne!(new, url);
    studio.app.settle().await;
    assert!(!studio.has(&first).await && studio.has(&second).await);
    assert!(!studio.has(&format!("{first}-w1.jpg")).await && studio.has(&format!("{second}-w1.jpg")).await);
    assert_eq!(studio.app.client.get(&new).send().await.unwrap().bytes().await.unwrap(), OTHER_PNG);
    assert_eq!(studio.app.client.get(&url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pictures_of_a_decent_size_may_be_announced() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Student).await;
    let cases = [
        ("image/svg+xml", 0, "INVALID contentType, OUT_OF_RANGE sizeBytes"),
        ("image/gif", 100, "INVALID contentType"),
        ("IMAGE/PNG", 100, "INVALID contentType"),
        ("", 100, "INVALID contentType"),
        ("image/png", -1, "OUT_OF_RANGE sizeBytes"),
        ("image/png", (5 << 20) + 1, "OUT_OF_RANGE sizeBytes"),
        ("image/webp", 5 << 20, ""),
    ];
    for (content_type, size, expected) in cases {
        let input = json!({ "contentType": content_type, "sizeBytes": size });
        let payload = app.data(Some(&ada.token), UPLOAD, json!({ "input": input })).await;
        let errors = payload["createAvatarUpload"]["userErrors"].as_array().unwrap();
        let told =
            |error: &Value| format!("{} {}", error["code"].as_str().unwrap(), error["field"][0].as_str().unwrap());
        let told = errors.iter().map(told).collect::<Vec<_>>().join(", ");
        assert_eq!(told, expected, "{content_type} {size}");
        assert_eq!(payload["createAvatarUpload"]["upload"].is_null(), !expected.is_empty(), "{content_type} {size}");
    }
    assert_eq!(app.sql("SELECT count(*) FROM avatar_uploads").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_what_was_announced_is_refused_and_removed() {
    let studio = Studio::open("wrong").await;
    let html = b"<!doctype html><script>alert(1)</script>";
    let bomb: &'static [u8] = bomb().leak();
    for (announced, file) in [
        ("image/png", JPEG),
        ("image/jpeg", PNG),
        ("image/png", html),
        ("image/webp", b"RIFF....WAVEfmt "),
        ("image/png", bomb),
        ("image/png", &PNG[..30]),
    ] {
        let upload = studio.uploaded(announced, file).await;
        let payload = studio.complete(&studio.ada, &upload).await;
        assert_eq!(payload["userErrors"][0]["code"], "INVALID", "{announced}: {payload:#}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["uploadId"]));
        let draft = studio.draft_key().await;
        studio.app.settle().await;
        assert!(!studio.has(&draft).await, "{announced}");
        // The upload is over: a right file does not mend it.
        let payload = studio.complete(&studio.ada, &upload).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{announced}: {payload:#}");
    }
    // A store that does not hold clients to the announced length.
    let upload = studio.begin("image/png", PNG.len() + 1).await;
    studio.storage.put(&studio.draft_key().await, "image/png", PNG.into()).await.unwrap();
    let payload = studio.complete(&studio.ada, &upload).await;
    assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains(&PNG.len().to_string()), "{payload:#}");
    assert_eq!(studio.avatar_url(None).await, None);
    assert_eq!(studio.app.sql("SELECT count(*) FROM events WHERE kind = 'user_changed'").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_completed_by_its_user_in_time_and_after_the_file() {
    let studio = Studio::open("time").await;
    let upload = studio.begin("image/png", PNG.len()).await;
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "nothing is there yet: {payload:#}");
    studio.put(&upload, PNG).await;
    let eve = studio.app.user("Eve", Role::Admin).await;
    for (user, id) in [(&eve, &upload["id"]), (&studio.ada, &json!("upload_01h455vb4pex5vsknk084sn02q"))] {
        let payload = studio.complete(user, &json!({ "id": id })).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{payload:#}");
    }
    studio.app.app.clock.advance(TimeDelta::minutes(15));
    let payload = studio.complete(&studio.ada, &upload).await;
    assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{payload:#}");
    studio.app.app.clock.advance(TimeDelta::seconds(-1));
    assert_eq!(studio.complete(&studio.ada, &upload).await["userErrors"], json!([]), "a moment before it was in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_twice_or_at_once_makes_one_picture() {
    let studio = Studio::open("twice").await;
    let upload = studio.uploaded("image/png", PNG).await;
    let (one, other) = tokio::join!(studio.complete(&studio.ada, &upload), studio.complete(&studio.ada, &upload));
    let good: Vec<&Value> = [&one, &other].into_iter().filter(|payload| payload["user"].is_object()).collect();
    assert!(!good.is_empty(), "{one:#} {other:#}");
    for payload in [&one, &other] {
        let late = payload["userErrors"][0]["code"] == "NOT_FOUND";
        assert!(payload["user"].is_object() || late, "{payload:#}");
    }
    studio.app.settle().await;
    let again = studio.complete(&studio.ada, &upload).await;
    assert_eq!(again["user"]["id"], good[0]["user"]["id"], "also when what was uploaded is gone");
    assert_eq!(studio.app.sql("SELECT count(*) FROM events WHERE kind = 'user_changed'").await, "1");
    assert!(studio.has(&studio.app.sql("SELECT avatar_key FROM users").await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_cannot_be_exchanged_after_it_was_looked_at() {
    let studio = Studio::open("exchange").await;
    let upload = studio.uploaded("image/png", PNG).await;
    assert_eq!(studio.complete(&studio.ada, &upload).await["userErrors"], json!([]));
    studio.app.settle().await;
    // The URL is still good.
    assert_eq!(studio.put(&upload, OTHER_PNG).await.status(), StatusCode::OK);
    let url = studio.avatar_url(None).await.unwrap();
    let shown = studio.app.client.get(&url).send().await.unwrap().bytes().await.unwrap();
    let draft = studio.draft_key().await;
    assert!(studio.has(&draft).await);
    studio.app.app.clock.advance(TimeDelta::minutes(31));
    studio.app.run("accounts.sweep_uploads").await;
    assert!(!studio.has(&draft).await, "what came too late is swept");
    assert_eq!(studio.app.client.get(&url).send().await.unwrap().bytes().await.unwrap(), shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_nobody_completes_are_swept_and_nothing_else() {
    let studio = Studio::open("sweep").await;
    let shown = studio.dress(PNG).await;
    studio.uploaded("image/png", OTHER_PNG).await;
    let left = studio.draft_key().await;
    // Somebody died between the copy and the commit.
    let copied = left.replace("uploads/", "");
    studio.storage.put(&copied, "image/png", OTHER_PNG.into()).await.unwrap();
    studio.app.app.clock.advance(TimeDelta::minutes(20));
    studio.uploaded("image/png", OTHER_PNG).await;
    let young = studio.draft_key().await;
    studio.app.run("accounts.sweep_uploads").await;
    assert!(studio.has(&left).await, "an upload that began in time may take a while");
    studio.app.app.clock.advance(TimeDelta::minutes(11));
    studio.app.run("accounts.sweep_uploads").await;
    assert!(!studio.has(&left).await && !studio.has(&copied).await);
    assert!(studio.has(&shown).await && studio.has(&young).await);
    assert_eq!(studio.app.sql("SELECT count(*) FROM avatar_uploads").await, "1");
    studio.app.run("accounts.sweep_uploads").await;
    assert_eq!(studio.app.sql("SELECT count(*) FROM jobs").await, "0", "all went well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_shown_in_several_widths_and_one_that_cannot_be_decoded_is_removed() {
    let studio = Studio::open("widths").await;
    let large: &'static [u8] = picture(700, 350, ImageFormat::Png).leak();
    let query = "query ($id: ID!) { user(id: $id) { avatar { altText width height thumbHash small: url(width: 48)
        large: url } } }";
    let avatar = async || studio.app.data(None, query, json!({ "id": studio.ada.id })).await["user"]["avatar"].take();
    let key = studio.dress(large).await;
    let shown = avatar().await;
    assert_eq!((&shown["width"], &shown["height"], &shown["thumbHash"]), (&json!(700), &json!(350), &Value::Null));
    studio.app.settle().await;
    let shown = avatar().await;
    assert_eq!((&shown["width"], &shown["height"], &shown["altText"]), (&json!(700), &json!(350), &json!("Ada")));
    assert!(shown["thumbHash"].is_string());
    for (field, width) in [("small", 160), ("large", 700)] {
        let file = studio.app.client.get(shown[field].as_str().unwrap()).send().await.unwrap();
        assert_eq!(jpeg_size(&file.bytes().await.unwrap()), (width, width / 2));
    }
    // One from before there were widths is hidden until a job has looked at it.
    studio.app.sql("UPDATE users SET avatar_picture = NULL").await;
    studio.app.forget_rows();
    assert_eq!(avatar().await, Value::Null);
    studio.app.run("accounts.process_old_avatars").await;
    assert_eq!(avatar().await, shown);

    // The header is right, and the pixels are missing.
    let broken: &'static [u8] = &large[..large.len() - 20];
    let next = studio.dress(broken).await;
    assert!(avatar().await.is_object());
    studio.app.settle().await;
    studio.app.settle().await;
    assert_eq!(avatar().await, Value::Null);
    assert_eq!(studio.storage.list("avatars/", "").await.unwrap().len(), 0, "{key} {next}");
    assert_eq!(studio.app.sql("SELECT count(*) FROM jobs").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_replaced_while_it_is_processed_leaves_nothing() {
    let studio = Studio::open("race").await;
    for _ in 0..4 {
        studio.dress(PNG).await;
        let (key, ()) = tokio::join!(studio.dress(OTHER_PNG), studio.app.settle());
        studio.app.app.clock.advance(TimeDelta::minutes(2));
        studio.app.settle().await;
        let objects = studio.storage.list("avatars/", "").await.unwrap();
        let keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
        assert_eq!(keys, [key.clone(), format!("{key}-w1.jpg")]);
        studio.app.app.clock.advance(TimeDelta::minutes(15));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_begins_uploads_without_end() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("Ada", Role::Student).await, app.user("Eve", Role::Student).await);
    let input = json!({ "contentType": "image/png", "sizeBytes": 10 });
    let begin = async |user: &User| app.send(Some(&user.token), UPLOAD, json!({ "input": input })).await;
    let bodies = futures_util::future::join_all((0..15).map(|_| begin(&ada))).await;
    let refused: Vec<&Value> = bodies.iter().filter(|body| body.get("errors").is_some()).collect();
    assert_eq!(refused.len(), 5, "{bodies:#?}");
    for body in refused {
        let extensions = &body["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["retryAfter"]), (&json!("RATE_LIMITED"), &json!(900)));
    }
    assert!(begin(&eve).await.get("errors").is_none(), "others may");
    app.app.clock.advance(TimeDelta::minutes(15));
    assert!(begin(&ada).await.get("errors").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_removed_by_its_user_or_an_administrator() {
    let studio = Studio::open("remove").await;
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let remove = async |user: &User, input: Value| app.send(Some(&user.token), REMOVE, json!({ "input": input })).await;
    let gone = json!({ "user": { "id": studio.ada.id, "avatar": null }, "userErrors": [] });
    for (user, input) in [(&studio.ada, json!({})), (&root, json!({ "userId": studio.ada.id }))] {
        let key = studio.dress(PNG).await;
        let body = remove(&eve, json!({ "userId": studio.ada.id })).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
        let body = remove(user, input.clone()).await;
        assert_eq!(body["data"]["removeAvatar"], gone, "{body:#}");
        assert!(studio.has(&key).await, "the store is not asked within the request");
        app.settle().await;
        assert!(!studio.has(&key).await);
        assert_eq!(remove(user, input).await["data"]["removeAvatar"], gone, "there need not be one");
    }
    let audited = app
        .sql(
            "SELECT string_agg((actor_id = (SELECT id FROM users WHERE name = 'Root'))::text, '') \
        FROM audit_entries WHERE action = 'avatar_removed'",
        )
        .await;
    assert_eq!(audited, "true", "what an administrator does to others is written down");
    let nobody = remove(&root, json!({ "userId": "user_01h455vb4pex5vsknk084sn02q" })).await;
    assert_eq!(code_of(&nobody), "NOT_FOUND", "{nobody:#}");
}
