//! The cache, in memory and over real Redis servers.
use std::time::{Duration, Instant};

use crate::support::redis::RedisServer;
use bytes::Bytes;
use lyceum::platform::cache::Cache;
use lyceum::platform::redis::RedisLink;

const LONG: Duration = Duration::from_secs(60);

async fn values_come_and_go(cache: &Cache) {
    let binary = Bytes::from_static(b"\0\xff\r\n");
    assert_eq!(cache.get("a").await.unwrap(), None);
    cache.set("a", Bytes::from("old"), Duration::from_millis(300)).await.unwrap();
    cache.set("a", binary.clone(), LONG).await.unwrap();
    cache.set("short", Bytes::from("x"), Duration::from_millis(300)).await.unwrap();
    cache.set("empty", Bytes::new(), LONG).await.unwrap();
    assert_eq!(cache.get("short").await.unwrap(), Some(Bytes::from("x")));
    assert_eq!(cache.get("empty").await.unwrap(), Some(Bytes::new()));
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(cache.get("short").await.unwrap(), None);
    assert_eq!(cache.get("a").await.unwrap(), Some(binary), "the second set gives the time");
    cache.delete("a").await.unwrap();
    cache.delete("a").await.unwrap();
    assert_eq!(cache.get("a").await.unwrap(), None);
    cache.set("now", Bytes::from("x"), Duration::ZERO).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory() {
    let cache = Cache::memory();
    values_come_and_go(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_redis() {
    let server = RedisServer::start();
    let link = RedisLink::connect(&server.url()).await.unwrap();
    assert!(matches!(link, RedisLink::Single(_)));
    link.ping().await.unwrap();
    let cache = Cache::redis(link.clone(), "one:");
    values_come_and_go(&cache).await;

    cache.set("a", Bytes::from("x"), LONG).await.unwrap();
    assert_eq!(Cache::redis(link, "two:").get("a").await.unwrap(), None);
    assert_eq!(server.cli(&["get", "one:a"]).trim(), "x");
    assert!(server.cli(&["pttl", "one:a"]).trim().parse::<u64>().unwrap() > 50_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster() {
    let server = RedisServer::cluster();
    for url in [server.url(), format!("{0},{0}", server.url())] {
        let link = RedisLink::connect(&url).await.unwrap();
        assert!(matches!(link, RedisLink::Cluster(_)), "{url}");
        link.ping().await.unwrap();
        values_come_and_go(&Cache::redis(link, "one:")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_redis_is_a_fault_soon_and_comes_back() {
    let mut server = RedisServer::start();
    let link = RedisLink::connect(&server.url()).await.unwrap();
    let cache = Cache::redis(link, "one:");
    cache.set("a", Bytes::from("x"), LONG).await.unwrap();
    server.kill();
    let started = Instant::now();
    assert!(cache.get("a").await.is_err());
    assert!(cache.get("a").await.is_err());
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    server.restart();
    let deadline = Instant::now() + Duration::from_secs(10);
    while cache.set("a", Bytes::from("y"), LONG).await.is_err() {
        assert!(Instant::now() < deadline, "the link doesn't come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(cache.get("a").await.unwrap(), Some(Bytes::from("y")));
}

#[tokio::test]
async fn a_start_without_redis_is_a_fault() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    assert!(RedisLink::connect(&url).await.is_err());
}

/// A server with TLS only, and the certificate to trust it by.
fn tls_server() -> (RedisServer, String, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("lyceum-redis-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args([std::ffi::OsStr::new("-out"), certificate.as_os_str(), "-keyout".as_ref(), key.as_os_str()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let port = crate::support::redis::free_port();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let options = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"];
    let port_text = port.to_string();
    let server = RedisServer::with(&[["--tls-port", &port_text].as_slice(), &options].concat());
    (server, format!("rediss://localhost:{port}"), folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_checked_and_works_with_a_trusted_certificate() {
    let (_server, url, folder) = tls_server();
    let report = RedisLink::connect(&url).await.err().unwrap().report();
    assert!(report.contains("certificate"), "{report}");
    // Which certificates are trusted is read from the environment, so the good case is a process of its own.
    let test = format!("{}::tls_with_the_trust_of_the_environment", module_path!());
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test.split_once("::").unwrap().1, "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", folder.join("cert.pem"))
        .env("TEST_REDIS_URL", &url)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
#[ignore = "run by tls_is_checked_and_works_with_a_trusted_certificate"]
#[allow(clippy::disallowed_methods)]
async fn tls_with_the_trust_of_the_environment() {
    let url = std::env::var("TEST_REDIS_URL").unwrap();
    RedisLink::connect(&url).await.unwrap().ping().await.unwrap();
}
