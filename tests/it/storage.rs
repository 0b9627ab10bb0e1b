//! The object store's client against the embedded store, over HTTP.
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lyceum::platform::embedded::objects::{Objects, Options};
use lyceum::platform::origins::PageOrigins;
use lyceum::platform::storage::{Headers, ObjectInfo, Settings, Storage};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use sha2::Digest;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::moto;

const MINUTE: Duration = Duration::from_secs(60);
const PAGE: &str = "http://localhost:3000";

pub(crate) struct Store {
    pub(crate) objects: Objects,
    folder: PathBuf,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Store {
    pub(crate) async fn start(name: &str) -> Store {
        Store::telling(name, None).await
    }

    /// One that tells of the objects that were made.
    pub(crate) async fn telling(name: &str, events: Option<mpsc::Sender<Value>>) -> Store {
        let folder = std::env::temp_dir().join(format!("lyceum-objects-{name}-{}", std::process::id()));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let options = Options {
            folder: folder.join("made/on/demand"),
            addr: "127.0.0.1:0".parse().unwrap(),
            access_key: None,
            secret_key: None,
            allowed_origins: PageOrigins::new(vec![PAGE.to_owned()], false),
            events,
        };
        let objects = Objects::start(options, &tasks, stop.clone()).await.unwrap();
        Store { objects, folder, tasks, stop }
    }

    fn client(&self, secret_key: &str) -> Storage {
        self.connect(self.objects.endpoint(), secret_key)
    }

    /// The store as seen through another endpoint.
    pub(crate) fn at(&self, endpoint: &str) -> Storage {
        self.connect(endpoint.to_owned(), self.objects.secret_key())
    }

    fn connect(&self, endpoint: String, secret_key: &str) -> Storage {
        Storage::connect(Settings {
            endpoint: Some(endpoint),
            bucket: "lyceum-test".to_owned(),
            region: "us-east-1".to_owned(),
            access_key: self.objects.access_key().to_owned(),
            secret_key: secret_key.to_owned(),
        })
    }

    /// Where the files are, a folder for each bucket.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.join("made/on/demand")
    }

    pub(crate) async fn bucket(&self) -> Storage {
        let storage = self.client(self.objects.secret_key());
        storage.ensure_bucket().await.unwrap();
        storage
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop.cancel();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn upload(url: &str, content_type: &str, content: &'static str) -> Response {
    Client::new().put(url).header("content-type", content_type).body(content).send().await.unwrap()
}

#[tokio::test]
async fn objects_come_and_go() {
    let store = Store::start("come-and-go").await;
    let storage = store.bucket().await;
    storage.ensure_bucket().await.unwrap();
    let key = "videos/2026/über mich & co.mp4";
    assert_eq!(storage.get(key).await.unwrap(), None);
    assert_eq!(storage.head(key).await.unwrap(), None);
    storage.delete(key).await.unwrap();

    let content = Bytes::from((0..3_000_000_u32).map(|n| n.to_be_bytes()[3]).collect::<Vec<u8>>());
    storage.put(key, "text/plain", Bytes::from("old")).await.unwrap();
    storage.put(key, "video/mp4", content.clone()).await.unwrap();
    assert_eq!(storage.get(key).await.unwrap(), Some(content.clone()));
    let info = storage.head(key).await.unwrap().unwrap();
    let ObjectInfo { size, content_type, etag, .. } = info;
    assert_eq!((size, content_type.as_str(), etag.len()), (3_000_000, "video/mp4", 32));

    let url = storage.presign_get(key, MINUTE).await.unwrap();
    let whole = crate::support::http::get(&url).await.unwrap();
    assert_eq!(whole.headers()["content-type"], "video/mp4");
    assert_eq!(whole.bytes().await.unwrap(), content);
    let part = Client::new().get(&url).header("range", "bytes=5-9").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await.unwrap(), content.slice(5..10));

    storage.delete(key).await.unwrap();
    assert_eq!(storage.get(key).await.unwrap(), None);
    assert_eq!(crate::support::http::get(&url).await.unwrap().status(), StatusCode::NOT_FOUND);

    storage.put("empty", "text/plain", Bytes::new()).await.unwrap();
    assert_eq!(storage.get("empty").await.unwrap(), Some(Bytes::new()));
}

#[tokio::test]
async fn an_upload_url_takes_just_what_it_was_signed_for() {
    let store = Store::start("upload").await;
    let storage = store.bucket().await;
    let key = "uploads/a.txt";
    let url = storage.presign_put(key, "text/plain", 5, None, MINUTE).await.unwrap();
    assert!(url.starts_with(&format!("{}/lyceum-test/uploads/a.txt?", store.objects.endpoint())), "{url}");

    assert_eq!(upload(&url, "text/html", "hello").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(upload(&url, "text/plain", "hello!").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(upload(&url, "text/plain", "hell").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(upload(&url.replace("a.txt", "b.txt"), "text/plain", "hello").await.status(), StatusCode::FORBIDDEN);
    let (start, signature) = url.split_once("X-Amz-Signature=").unwrap();
    let forged: String = signature.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect();
    let forged = format!("{start}X-Amz-Signature={forged}");
    assert_eq!(upload(&forged, "text/plain", "hello").await.status(), StatusCode::FORBIDDEN);
    let longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    assert_ne!(longer, url);
    assert_eq!(upload(&longer, "text/plain", "hello").await.status(), StatusCode::FORBIDDEN);
    let stranger = store.client("another secret").presign_put(key, "text/plain", 5, None, MINUTE).await.unwrap();
    assert_eq!(upload(&stranger, "text/plain", "hello").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        crate::support::http::get(&url).await.unwrap().status(),
        StatusCode::FORBIDDEN,
        "it isn't signed for reading"
    );
    assert_eq!(storage.head(key).await.unwrap(), None);

    assert_eq!(upload(&url, "text/plain", "hello").await.status(), StatusCode::OK);
    assert_eq!(storage.get(key).await.unwrap(), Some(Bytes::from("hello")));
    assert_eq!(storage.head(key).await.unwrap().unwrap().content_type, "text/plain");
}

#[tokio::test]
async fn objects_are_copied_and_looked_at() {
    let store = Store::start("copy").await;
    copies(&store.bucket().await).await;
}

/// Another program's idea of an object store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_copied_and_looked_at_in_motos_store_too() {
    copies(&moto::bucket().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_lets_pages_of_some_origins_send_and_read() {
    let storage = moto::bucket().await;
    storage.set_cors(&["https://app.example".into()]).await.unwrap();
    storage.put("film", "video/mp4", Bytes::from("hello")).await.unwrap();
    let url = storage.presign_get("film", Duration::from_secs(60)).await.unwrap();
    let asked = |origin: &'static str, method: &'static str, header: &'static str| {
        let ask = crate::support::http::client().request(reqwest::Method::OPTIONS, &url).header("origin", origin);
        let ask = ask.header("access-control-request-method", method);
        ask.header("access-control-request-headers", header).send()
    };
    for (method, header) in [("GET", "range"), ("PUT", "content-type"), ("PUT", "x-amz-checksum-sha256")] {
        let allowed = asked("https://app.example", method, header).await.unwrap();
        assert_eq!(allowed.headers()["access-control-allow-origin"], "https://app.example", "{method} {header}");
    }
    let foreign = asked("https://evil.example", "PUT", "content-type").await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
}

async fn copies(storage: &Storage) {
    let (from, to) = ("drafts/a b+ü", "shown/a");
    assert_eq!(storage.start_of(from, 4).await.unwrap(), None);
    let headers = Headers::of("image/png").kept_forever();
    assert_eq!(storage.copy(from, to, &headers).await.unwrap(), None);
    assert_eq!(storage.sha256(from).await.unwrap(), None);
    storage.put(from, "text/plain", Bytes::from("a picture")).await.unwrap();
    assert_eq!(storage.start_of(from, 4).await.unwrap(), Some(Bytes::from("a pi")));
    assert_eq!(storage.start_of(from, 99).await.unwrap(), Some(Bytes::from("a picture")));
    let sum = sha2::Sha256::digest("a picture").to_vec();
    assert_eq!(storage.sha256(from).await.unwrap(), Some(sum.clone()));
    // Not every store computes it.
    let copied = storage.copy(from, to, &headers).await.unwrap().unwrap();
    assert!(copied.sha256.is_none_or(|told| told == sum));
    storage.put(from, "text/plain", Bytes::from("something else")).await.unwrap();

    let url = storage.presign_shared(to, chrono::Utc::now()).await.unwrap();
    let shown = crate::support::http::get(&*url).await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert!(!shown.headers().contains_key("content-disposition"));
    assert_eq!(shown.bytes().await.unwrap(), "a picture");
    let saved = Headers::of("text/plain").saved_as("../a \"b\"; c.txt\r\n");
    storage.copy(to, "saved/a", &saved).await.unwrap().unwrap();
    let url = storage.presign_get("saved/a", MINUTE).await.unwrap();
    let headers = crate::support::http::get(&url).await.unwrap().headers().clone();
    let expected = "attachment; filename*=UTF-8''.._a%20%22b%22%3B%20c.txt%0D%0A";
    let told = (headers["content-type"].to_str().unwrap(), headers["content-disposition"].to_str().unwrap());
    assert_eq!(told, ("text/plain", expected));
    assert!(!headers.contains_key("cache-control"));
    assert_eq!(storage.get(from).await.unwrap(), Some(Bytes::from("something else")));
}

#[tokio::test]
async fn a_shared_url_is_the_same_for_a_day_and_good_for_longer() {
    let store = Store::start("shared").await;
    let storage = store.bucket().await;
    storage.put("a", "text/plain", Bytes::from("hello")).await.unwrap();
    let today = chrono::Utc::now().date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc();
    let (late, day) = (today + chrono::TimeDelta::seconds(86_399), chrono::TimeDelta::days(1));
    let url = storage.presign_shared("a", today).await.unwrap();
    assert_eq!(storage.presign_shared("a", late).await.unwrap(), url);
    let other = store.client(store.objects.secret_key());
    assert_eq!(other.presign_shared("a", late).await.unwrap(), url, "another node says the same");
    assert_ne!(storage.presign_shared("b", today).await.unwrap(), url);
    assert_ne!(storage.presign_shared("a", today + day).await.unwrap(), url);
    // Yesterday's last one is good until the end of today, the one before was until its beginning.
    let yesterday = storage.presign_shared("a", late - day).await.unwrap();
    assert_eq!(crate::support::http::get(&*yesterday).await.unwrap().status(), StatusCode::OK);
    let before = storage.presign_shared("a", late - day * 2).await.unwrap();
    assert_eq!(crate::support::http::get(&*before).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(crate::support::http::get(&*url).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn signed_urls_expire() {
    let store = Store::start("expire").await;
    let storage = store.bucket().await;
    storage.put("a", "text/plain", Bytes::from("hello")).await.unwrap();
    let second = Duration::from_secs(1);
    let put = storage.presign_put("a", "text/plain", 3, None, second).await.unwrap();
    let get = storage.presign_get("a", second).await.unwrap();
    assert_eq!(crate::support::http::get(&get).await.unwrap().status(), StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(upload(&put, "text/plain", "new").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(crate::support::http::get(&get).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(storage.get("a").await.unwrap(), Some(Bytes::from("hello")));
    assert!(storage.presign_get("a", Duration::from_secs(8 * 24 * 3600)).await.is_err());
}

#[tokio::test]
async fn nobody_gets_in_without_the_key() {
    let store = Store::start("key").await;
    let storage = store.bucket().await;
    storage.put("a", "text/plain", Bytes::from("hello")).await.unwrap();
    let url = format!("{}/lyceum-test/a", store.objects.endpoint());
    assert_eq!(crate::support::http::get(&url).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(upload(&url, "text/plain", "hello").await.status(), StatusCode::FORBIDDEN);
    let stranger = store.client("another secret");
    assert!(stranger.get("a").await.is_err());
    assert!(stranger.head("a").await.is_err());
    assert!(stranger.ensure_bucket().await.is_err());
    assert!(stranger.put("a", "text/plain", Bytes::new()).await.is_err());
    assert!(stranger.delete("a").await.is_err());
    assert_eq!(storage.get("a").await.unwrap(), Some(Bytes::from("hello")));
}

async fn preflight(url: &str, origin: &str) -> Response {
    let request = Client::new().request(Method::OPTIONS, url).header("origin", origin);
    let request = request.header("access-control-request-method", "PUT");
    request.header("access-control-request-headers", "content-type,x-amz-acl").send().await.unwrap()
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_call() {
    let store = Store::start("cors").await;
    let storage = store.bucket().await;
    let url = storage.presign_put("a", "text/plain", 5, None, MINUTE).await.unwrap();
    let allowed = preflight(&url, PAGE).await;
    assert_eq!(allowed.status(), StatusCode::NO_CONTENT);
    assert_eq!(allowed.headers()["access-control-allow-origin"], PAGE);
    assert!(allowed.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    assert_eq!(allowed.headers()["access-control-allow-headers"], "content-type,x-amz-acl");
    assert_eq!(allowed.headers()["vary"], "origin");
    for origin in ["http://evil.example", "http://localhost:3001", "https://localhost:3000", "null"] {
        let refused = preflight(&url, origin).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{origin}");
        assert!(!refused.headers().contains_key("access-control-allow-origin"), "{origin}");
    }

    let request = || Client::new().put(&url).header("content-type", "text/plain").body("hello");
    let response = request().header("origin", PAGE).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
    assert!(response.headers()["access-control-expose-headers"].to_str().unwrap().contains("etag"));
    let response = request().header("origin", "http://evil.example").send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    assert_eq!(response.headers()["vary"], "origin");
    // Errors too, or a page couldn't tell why.
    let response = Client::new().put(&url).header("origin", PAGE).body("wrong").send().await.unwrap();
    assert!(response.status().is_client_error());
    assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
}

#[tokio::test]
async fn objects_survive_a_restart_and_stop_is_prompt() {
    let store = Store::start("restart").await;
    let storage = store.bucket().await;
    storage.put("a", "text/plain", Bytes::from("hello")).await.unwrap();
    let started = Instant::now();
    store.stop.cancel();
    store.tasks.close();
    store.tasks.wait().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(storage.get("a").await.is_err());

    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let options = Options {
        folder: store.folder.join("made/on/demand"),
        addr: store.objects.endpoint().trim_start_matches("http://").parse().unwrap(),
        access_key: Some(store.objects.access_key().to_owned()),
        secret_key: Some(store.objects.secret_key().to_owned()),
        allowed_origins: PageOrigins::new(Vec::new(), false),
        events: None,
    };
    let again = Objects::start(options, &tasks, stop.clone()).await.unwrap();
    assert_eq!(again.endpoint(), store.objects.endpoint());
    assert_eq!(storage.get("a").await.unwrap(), Some(Bytes::from("hello")));
    stop.cancel();
}

#[tokio::test]
async fn a_store_that_is_not_there_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let storage = Storage::connect(Settings {
        endpoint: Some(endpoint),
        bucket: "b".to_owned(),
        region: "us-east-1".to_owned(),
        access_key: "a".to_owned(),
        secret_key: "s".to_owned(),
    });
    let started = Instant::now();
    let report = storage.get("a").await.unwrap_err().report();
    assert!(report.contains("fetch the object a"), "{report}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}
