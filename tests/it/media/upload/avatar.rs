//! Pictures of users: uploaded like other pictures, by everybody, and shown to everybody.

use chrono::TimeDelta;
use futures_util::future::join_all;
use image::ImageFormat;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{OTHER_PNG, PNG, Studio, uuid};
use crate::support::picture::{jpeg_size, picture};
use crate::support::{TestApp, User};

const CREATE: &str = "mutation ($input: CreateUploadInput!) { createUpload(input: $input) { upload { id }
    userErrors { code field } } }";
const REMOVE: &str = "mutation ($input: RemoveAvatarInput!) { removeAvatar(input: $input) {
    user { id avatar { url } } userErrors { code field message } } }";

/// The application, and Bea, who is a student.
async fn studio(name: &str) -> (Studio, User) {
    let studio = Studio::embedded(&format!("avatar-{name}")).await;
    let bea = studio.app.user("Bea", Role::Student).await;
    (studio, bea)
}

fn avatar(content: &[u8]) -> Value {
    json!({ "filename": "me.png", "contentType": "image/png", "sizeBytes": content.len(),
        "attachTo": { "avatar": true } })
}

impl Studio {
    /// Uploads a picture of `user`; the id of its file.
    async fn portray(&self, user: &User, content: &[u8]) -> String {
        let upload = self.begin_with(user, avatar(content)).await;
        assert_eq!(upload["purpose"], "IMAGE");
        self.put(&upload, content.to_vec()).await;
        let done = self.complete(user, &upload).await;
        self.app.settle().await;
        self.app.settle().await;
        let query = "query ($id: ID!) { upload(id: $id) { attachFailure attachedTo { id } } }";
        let told = self.app.data(Some(&user.token), query, json!({ "id": upload["id"] })).await;
        assert_eq!(told["upload"], json!({ "attachFailure": null, "attachedTo": { "id": user.id } }));
        done["upload"]["file"]["id"].as_str().unwrap().to_owned()
    }

    async fn avatar(&self, user: &User) -> Value {
        let query = "query ($id: ID!) { user(id: $id) { avatar { altText width small: url(width: 48) url } } }";
        self.app.data(None, query, json!({ "id": user.id })).await["user"]["avatar"].take()
    }

    async fn objects_of(&self, file: &str) -> usize {
        self.keys(&format!("files/{}/", uuid(file).simple())).await.len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_uploads_a_picture_and_a_new_one_replaces_it() {
    let (studio, bea) = studio("shown").await;
    assert_eq!(studio.avatar(&bea).await, Value::Null);
    let first = studio.portray(&bea, &picture(700, 350, ImageFormat::Png)).await;
    let shown = studio.avatar(&bea).await;
    assert_eq!((&shown["altText"], &shown["width"]), (&json!("Bea"), &json!(700)));
    for (field, width) in [("small", 160), ("url", 700)] {
        let got = crate::support::http::get(shown[field].as_str().unwrap()).await.unwrap();
        assert!(got.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        assert_eq!(jpeg_size(&got.bytes().await.unwrap()), (width, width / 2));
    }
    let changes = "SELECT count(*) FROM events WHERE kind = 'user_changed'";
    assert_eq!(studio.sql(changes).await, "1");

    let second = studio.portray(&bea, OTHER_PNG).await;
    assert_eq!(studio.avatar(&bea).await["width"], 1);
    assert_eq!(studio.sql(changes).await, "2");
    // The old one has no grace period: the next sweep deletes it.
    studio.app.run("media.delete_unused_files").await;
    studio.app.settle().await;
    assert_eq!((studio.objects_of(&first).await, studio.objects_of(&second).await > 0), (0, true));
    assert_eq!(studio.sql("SELECT count(*) FROM media_files").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn students_upload_nothing_else() {
    let (studio, bea) = studio("else").await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let send = async |token: &str, input: &Value| studio.app.send(Some(token), CREATE, json!({ "input": input })).await;
    let picture = |target: Value| {
        let mut input = avatar(PNG);
        input["attachTo"] = target;
        input
    };
    for target in [Value::Null, json!({ "courseThumbnailId": course.id })] {
        let body = send(&bea.token, &picture(target)).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
    }
    let mut video = avatar(PNG);
    video["purpose"] = json!("VIDEO");
    for (input, field, code) in [
        (picture(json!({ "avatar": false })), json!(["attachTo", "avatar"]), "INVALID"),
        (video, json!(["purpose"]), "NOT_ALLOWED"),
    ] {
        let body = send(&bea.token, &input).await;
        let error = &body["data"]["createUpload"]["userErrors"][0];
        assert_eq!((&error["field"], &error["code"]), (&field, &json!(code)), "{body:#}");
    }
    let both = picture(json!({ "avatar": true, "courseThumbnailId": course.id }));
    assert!(send(&bea.token, &both).await.get("errors").is_some(), "one target only");
    // No scope lets an API token change how its user looks.
    let token = json!({ "name": "importer", "scopes": ["WRITE_COURSES"], "expiresAt": "2026-12-01T00:00:00Z" });
    let token = studio.app.mutate(&studio.ada, "createApiToken", "token", token).await;
    let body = send(token["token"].as_str().unwrap(), &avatar(PNG)).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body:#}");
    assert_eq!(studio.sql("SELECT count(*) FROM uploads").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_cannot_be_decoded_is_not_shown() {
    let (studio, bea) = studio("broken").await;
    let png = picture(300, 200, ImageFormat::Png);
    // The header is right, and the pixels are missing.
    studio.portray(&bea, &png[..png.len() - 20]).await;
    assert_eq!(studio.avatar(&bea).await, Value::Null);
    let upload = studio.begin_with(&bea, avatar(&png[..30])).await;
    studio.put(&upload, png[..30].to_vec()).await;
    let payload = studio.complete(&bea, &upload).await;
    assert_eq!(payload["userErrors"][0]["code"], "INVALID", "{payload:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_begins_uploads_of_pictures_without_end() {
    let app = TestApp::with(&[("LYCEUM_MAX_UPLOADS", "100")]).await;
    let (bea, eve) = (app.user("Bea", Role::Student).await, app.user("Eve", Role::Student).await);
    let begin = async |user: &User| app.send(Some(&user.token), CREATE, json!({ "input": avatar(PNG) })).await;
    let bodies = join_all((0..15).map(|_| begin(&bea))).await;
    let refused: Vec<&Value> = bodies.iter().filter(|body| body.get("errors").is_some()).collect();
    assert_eq!(refused.len(), 5, "{bodies:#?}");
    for body in refused {
        let extensions = &body["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["retryAfter"]), (&json!("RATE_LIMITED"), &json!(900)));
    }
    assert!(begin(&eve).await.get("errors").is_none(), "others may");
    app.app.clock.advance(TimeDelta::minutes(15));
    let token = app.user("Cleo", Role::Student).await;
    assert!(begin(&token).await.get("errors").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_removed_by_its_user_or_an_administrator() {
    let (studio, bea) = studio("remove").await;
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let remove = async |user: &User, input: Value| app.send(Some(&user.token), REMOVE, json!({ "input": input })).await;
    let gone = json!({ "user": { "id": bea.id, "avatar": null }, "userErrors": [] });
    for (user, input) in [(&bea, json!({})), (&root, json!({ "userId": bea.id }))] {
        let file = studio.portray(&bea, PNG).await;
        let body = remove(&eve, json!({ "userId": bea.id })).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
        assert_eq!(remove(user, input.clone()).await["data"]["removeAvatar"], gone);
        assert_eq!(studio.avatar(&bea).await, Value::Null);
        app.run("media.delete_unused_files").await;
        app.settle().await;
        assert_eq!(studio.objects_of(&file).await, 0);
        assert_eq!(remove(user, input).await["data"]["removeAvatar"], gone, "there need not be one");
    }
    let audited = "SELECT string_agg((actor_id = (SELECT id FROM users WHERE name = 'Root'))::text, '')
        FROM audit_entries WHERE action = 'avatar_removed'";
    assert_eq!(app.sql(audited).await, "true", "what an administrator does to others is written down");
    let nobody = remove(&root, json!({ "userId": "user_01h455vb4pex5vsknk084sn02q" })).await;
    assert_eq!(nobody["data"]["removeAvatar"]["userErrors"][0]["code"], "NOT_FOUND", "{nobody:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_goes_with_the_account() {
    let (studio, bea) = studio("deleted").await;
    let file = studio.portray(&bea, PNG).await;
    studio.sql("UPDATE users SET deletion_due_at = '2026-11-20 00:00+00' WHERE name = 'Bea'").await;
    studio.app.run("accounts.delete_due").await;
    studio.app.settle().await;
    studio.app.run("media.delete_unused_files").await;
    studio.app.settle().await;
    assert_eq!(studio.objects_of(&file).await, 0);
    assert_eq!(studio.sql("SELECT count(*) FROM media_files").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_a_picture_that_ends_after_the_account_changes_nothing() {
    let (studio, bea) = studio("late").await;
    let upload = studio.begin_with(&bea, avatar(PNG)).await;
    studio.put(&upload, PNG.to_vec()).await;
    studio.complete(&bea, &upload).await;
    studio.sql("UPDATE users SET deletion_due_at = '2026-11-20 00:00+00' WHERE name = 'Bea'").await;
    studio.app.run("accounts.delete_due").await;
    studio.app.settle().await;
    studio.app.settle().await;
    assert_eq!(studio.sql("SELECT count(*) FROM users WHERE avatar_id IS NOT NULL").await, "0");
    studio.app.run("media.delete_unused_files").await;
    studio.app.settle().await;
    assert_eq!(studio.sql("SELECT count(*) FROM media_files").await, "0");
}
