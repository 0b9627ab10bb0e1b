//! The link to real Redis servers.

use std::time::{Duration, Instant};

use crate::support::redis::RedisServer;
use lyceum::platform::redis::RedisLink;

async fn values_come_and_go(link: &RedisLink) {
    let value = b"\0\xff\r\n".to_vec();
    let get = || redis::cmd("GET").arg("a").clone();
    assert_eq!(link.query::<Option<Vec<u8>>>(&get()).await.unwrap(), None);
    link.query::<()>(redis::cmd("SET").arg("a").arg(&value)).await.unwrap();
    assert_eq!(link.query::<Option<Vec<u8>>>(&get()).await.unwrap(), Some(value));
    link.query::<()>(redis::cmd("DEL").arg("a")).await.unwrap();
    assert_eq!(link.query::<Option<Vec<u8>>>(&get()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server() {
    let server = RedisServer::start();
    let link = RedisLink::connect(&server.url()).await.unwrap();
    assert_eq!(link.is_cluster(), Some(false));
    link.ping().await.unwrap();
    values_come_and_go(&link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let server = RedisServer::cluster();
    for url in [server.url(), format!("{0},{0}", server.url())] {
        let link = RedisLink::connect(&url).await.unwrap();
        assert_eq!(link.is_cluster(), Some(true), "{url}");
        link.ping().await.unwrap();
        values_come_and_go(&link).await;
    }
}

async fn answers_again(link: &RedisLink) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while link.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the link doesn't come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_redis_is_an_error_soon_and_comes_back() {
    let mut server = RedisServer::start();
    let link = RedisLink::connect(&server.url()).await.unwrap();
    link.ping().await.unwrap();
    server.kill();
    let started = Instant::now();
    assert!(link.ping().await.is_err());
    assert!(link.ping().await.is_err());
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    server.restart();
    answers_again(&link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_at_the_start_is_found_later() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    let link = RedisLink::connect(&url).await.unwrap();
    assert_eq!(link.is_cluster(), None);
    assert!(link.ping().await.is_err());
    server.restart();
    answers_again(&link).await;
    assert_eq!(link.is_cluster(), Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_ends_the_start() {
    let server = RedisServer::start();
    server.cli(&["config", "set", "requirepass", "right"]);
    let url = server.url().replace("redis://", "redis://:wrong@");
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
