//! Videos: from an instructor's disk to the object store. Every test of uploads runs against the embedded store and
//! against moto's.

mod attach;
mod avatar;
mod checksum;
mod hook;
mod image;
mod lease;
mod progress;
mod purposes;
mod races;
mod resources;
mod restart;
mod sweep;
mod thumbnail;
mod unused;
mod whole;
mod wrong;

use lyceum::accounts::{self, UserById};
use lyceum::graphql::loaders::Load;
use lyceum::platform::auth::{Client, Role};
use lyceum::platform::storage::Storage;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::storage::Store;
use crate::support::picture::{OTHER_PNG, PNG};
use crate::support::{TestApp, User, moto};

const SECRET: &str = "kJ8s2mQx7vB4nT1zR6wY3pL9";
const UPLOAD: &str =
    "id filename contentType sizeBytes status progressPercent receivedBytes failure url headers { name value }
    partSizeBytes partCount parts { number sizeBytes } videoId purpose sha256
    file { id purpose filename contentType sizeBytes sha256 deletionDueAt }";

/// Runs a test against both stores: on one of ours, and on moto's.
macro_rules! on_both_stores {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                super::$name($crate::media::upload::Studio::embedded(stringify!($name)).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn moto() {
                super::$name($crate::media::upload::Studio::moto().await).await;
            }
        }
    )*};
}
use on_both_stores;

/// An instructor with something to upload.
struct Studio {
    app: TestApp,
    storage: Storage,
    /// `None`: moto's, which checks no signatures.
    store: Option<Store>,
    ada: User,
}

impl Studio {
    async fn embedded(name: &str) -> Studio {
        let store = Store::start(&format!("studio-{name}")).await;
        let storage = store.bucket().await;
        Studio::on(storage, Some(store)).await
    }

    async fn moto() -> Studio {
        Studio::on(moto::bucket().await, None).await
    }

    async fn on(storage: Storage, store: Option<Store>) -> Studio {
        let settings =
            [("LYCEUM_STORAGE_HOOK_SECRET", SECRET), ("LYCEUM_MAX_UPLOADS", "3"), ("LYCEUM_MAX_UPLOAD_MIB", "1024")];
        // Long, because these tests turn the clock by days.
        let settings = [settings.as_slice(), &[("LYCEUM_TOKEN_MINUTES", "1440")]].concat();
        let app = TestApp::storing(storage.clone(), &settings).await;
        let ada = app.user("Ada", Role::Instructor).await;
        Studio { app, storage, store, ada }
    }

    /// Whether the store looks at signatures.
    fn checks_signatures(&self) -> bool {
        self.store.is_some()
    }

    /// The payload of a mutation.
    async fn call(&self, user: &User, field: &str, selection: &str, input: Value) -> Value {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!(
            "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
        );
        self.app.data(Some(&user.token), &query, json!({ "input": input })).await[field].take()
    }

    /// Ada begins an upload.
    async fn begin(&self, content_type: &str, size: usize, multipart: bool) -> Value {
        let input =
            json!({ "filename": "a b.mp4", "contentType": content_type, "sizeBytes": size, "multipart": multipart });
        self.begin_with(&self.ada, input).await
    }

    /// Somebody begins an upload.
    async fn begin_with(&self, user: &User, input: Value) -> Value {
        let mut payload = self.call(user, "createUpload", &format!("upload {{ {UPLOAD} }}"), input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        payload["upload"].take()
    }

    /// Somebody uploads a file that is not for a video; the id of the file that comes of it.
    async fn uploaded(&self, user: &User, purpose: &str, content_type: &str, content: &[u8]) -> String {
        let input = json!({ "purpose": purpose, "filename": "Plan B, größer.pdf", "contentType": content_type,
            "sizeBytes": content.len() });
        let upload = self.begin_with(user, input).await;
        assert_eq!(self.put(&upload, content.to_vec()).await.status(), StatusCode::OK);
        let payload = self.complete(user, &upload).await;
        assert_eq!(payload["upload"]["status"], "COMPLETED", "{payload:#}");
        self.app.settle().await;
        payload["upload"]["file"]["id"].as_str().unwrap_or_else(|| panic!("{payload:#}")).to_owned()
    }

    /// Time goes by, and everybody's tokens end: Ada gets another one.
    async fn later(&mut self, time: chrono::TimeDelta) {
        self.app.app.clock.advance(time);
        let key = UserById(self.ada.id.parse().unwrap());
        let app = &self.app.app;
        let row = UserById::load(app, &[key]).await.unwrap().remove(&key).unwrap();
        let client = Client::new(None, "another");
        let opened = app.db.transaction(async |tx| accounts::open(tx, app, &client, &row).await).await;
        self.ada.token = opened.unwrap().tokens.access_token;
    }

    /// What its owner sees of a file.
    async fn file(&self, id: &str) -> Value {
        let query = "query ($id: ID!) { node(id: $id) { ... on MediaFile { id deletionDueAt } } }";
        self.app.data(Some(&self.ada.token), query, json!({ "id": id })).await["node"].take()
    }

    /// As a browser does it: the URL, the headers that it was told, the file.
    async fn put(&self, upload: &Value, file: Vec<u8>) -> Response {
        let mut request = self.app.client.put(upload["url"].as_str().unwrap());
        for header in upload["headers"].as_array().unwrap() {
            request = request.header(header["name"].as_str().unwrap(), header["value"].as_str().unwrap());
        }
        request.body(file).send().await.unwrap()
    }

    /// Begins the upload of a file that is sent whole, and sends it.
    async fn sent(&self, content_type: &str, file: Vec<u8>) -> Value {
        let upload = self.begin(content_type, file.len(), false).await;
        assert_eq!(self.put(&upload, file).await.status(), StatusCode::OK);
        upload
    }

    /// Asks where to send parts; all that have not arrived if `numbers` is null.
    async fn part_urls(&self, upload: &Value, numbers: Value) -> Vec<Value> {
        let input = json!({ "uploadId": upload["id"], "numbers": numbers });
        let selection = "upload { status progressPercent } partUrls { number sizeBytes url }";
        let payload = self.call(&self.ada, "uploadPartUrls", selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        payload["partUrls"].as_array().unwrap().clone()
    }

    /// Sends a part of a file to where it belongs.
    async fn put_part(&self, part: &Value, upload: &Value, file: &[u8]) -> Response {
        let (number, size) = (part["number"].as_u64().unwrap(), part["sizeBytes"].as_u64().unwrap());
        let from = (number - 1) * upload["partSizeBytes"].as_u64().unwrap();
        let bytes = file[usize::try_from(from).unwrap()..usize::try_from(from + size).unwrap()].to_vec();
        self.app.client.put(part["url"].as_str().unwrap()).body(bytes).send().await.unwrap()
    }

    /// Sends a part that the store must not take. It may hang up before it has read it; moto fails instead of refusing.
    async fn refuses_part(&self, part: &Value, file: &[u8]) -> bool {
        let size = usize::try_from(part["sizeBytes"].as_u64().unwrap()).unwrap();
        let sent = self.app.client.put(part["url"].as_str().unwrap()).body(file[..size].to_vec()).send().await;
        sent.is_err() || sent.is_ok_and(|answer| !answer.status().is_success())
    }

    /// Sends all parts that have not arrived.
    async fn put_parts(&self, upload: &Value, file: &[u8]) {
        for part in self.part_urls(upload, Value::Null).await {
            assert_eq!(self.put_part(&part, upload, file).await.status(), StatusCode::OK);
        }
    }

    /// The payload of `completeUpload`.
    async fn complete(&self, user: &User, upload: &Value) -> Value {
        let input = json!({ "uploadId": upload["id"] });
        self.call(user, "completeUpload", "upload { id status progressPercent failure videoId file { id } }", input)
            .await
    }

    /// The upload as its owner sees it.
    async fn look(&self, upload: &Value) -> Value {
        let query = format!("query ($id: ID!) {{ upload(id: $id) {{ {UPLOAD} }} }}");
        self.app.data(Some(&self.ada.token), &query, json!({ "id": upload["id"] })).await["upload"].take()
    }

    async fn status(&self, upload: &Value) -> String {
        self.look(upload).await["status"].as_str().unwrap().to_owned()
    }

    async fn has(&self, key: &str) -> bool {
        self.storage.head(key).await.unwrap().is_some()
    }

    /// What is in the store, below a prefix.
    async fn keys(&self, prefix: &str) -> Vec<String> {
        self.storage.list(prefix, "").await.unwrap().into_iter().map(|object| object.key).collect()
    }

    /// Tells what the store would tell: that an object was made.
    async fn tell(&self, key: &str) -> StatusCode {
        self.post(&event(key)).await
    }

    async fn post(&self, event: &Value) -> StatusCode {
        let request = self.app.client.post(format!("{}/hooks/storage", self.app.url)).bearer_auth(SECRET);
        request.json(event).send().await.unwrap().status()
    }

    /// One row, as text.
    async fn sql(&self, sql: &str) -> String {
        self.app.sql(sql).await
    }
}

/// A UUID as it is in keys.
fn uuid_of(upload: &Value) -> String {
    lyceum::graphql::id::split(upload["id"].as_str().unwrap()).unwrap().1.simple().to_string()
}

/// Where a file goes that is sent whole.
fn draft_key(upload: &Value) -> String {
    format!("uploads/videos/{}", uuid_of(upload))
}

/// Where a file goes that is sent in parts.
fn parts_key(upload: &Value) -> String {
    format!("videos/{}/original", uuid_of(upload))
}

/// What S3 tells of an object. The key is as in a form.
fn event(key: &str) -> Value {
    let key = key.replace('%', "%25").replace('+', "%2B").replace(' ', "+");
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-11-20T09:00:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": { "s3SchemaVersion": "1.0", "configurationId": "uploads", "bucket": { "name": "lyceum" },
            "object": { "key": key, "size": 1, "sequencer": "0A1B2C3D4E5F678901" } },
    }] })
}

/// A file that begins as an MP4 does.
fn mp4(size: usize) -> Vec<u8> {
    file(b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", size)
}

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj";

/// The bare UUID of an id.
fn uuid(id: &str) -> uuid::Uuid {
    lyceum::graphql::id::split(id).unwrap().1
}

fn file(start: &[u8], size: usize) -> Vec<u8> {
    let mut file = start.to_vec();
    file.extend((file.len()..size).map(|place| place.to_le_bytes()[1]));
    file.truncate(size);
    file
}
