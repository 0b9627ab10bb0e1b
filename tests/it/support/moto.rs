//! Another program's idea of an object store: moto's server, one for all tests, a bucket for each.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lyceum::platform::storage::{Settings, Storage};
use tokio::sync::OnceCell;

use super::redis::free_port;
use super::socket::PATIENCE;

/// Where `.ci/deps` puts it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/moto/bin/moto_server");

struct Moto {
    /// Ends with this process, whose pipe it listens to.
    _child: Child,
    endpoint: String,
}

/// A new bucket in moto's store. It checks neither signatures nor until when they are good.
pub(crate) async fn bucket() -> Storage {
    static MOTO: OnceCell<Moto> = OnceCell::const_new();
    static BUCKETS: AtomicUsize = AtomicUsize::new(0);
    let moto = MOTO.get_or_init(start).await;
    let storage = Storage::connect(Settings {
        endpoint: Some(moto.endpoint.clone()),
        bucket: format!("lyceum-test-{}", BUCKETS.fetch_add(1, Ordering::Relaxed)),
        region: "us-east-1".to_owned(),
        access_key: "a".to_owned(),
        secret_key: "s".to_owned(),
    });
    storage.ensure_bucket().await.unwrap();
    storage
}

async fn start() -> Moto {
    assert!(std::path::Path::new(PROGRAM).exists(), "{PROGRAM} is missing; `make deps-test` installs it");
    for _ in 0..5 {
        let port = free_port();
        let mut command = Command::new("sh");
        // The shell waits for the end of its input: the end of this process, however it comes.
        command.args(["-c", "\"$0\" -H 127.0.0.1 -p \"$1\" & cat >/dev/null; kill $!", PROGRAM, &port.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Moto { _child: command.spawn().expect("run sh"), endpoint: format!("http://127.0.0.1:{port}") };
        let started = Instant::now();
        while started.elapsed() < 2 * PATIENCE {
            // Another server that took the port would not say this.
            if let Ok(answer) = super::http::get(format!("{}/moto-api/data.json", moto.endpoint)).await
                && answer.status().is_success()
            {
                return moto;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("moto_server does not start");
}
