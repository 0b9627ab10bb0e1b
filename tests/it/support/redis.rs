//! A private `redis-server` on a free port of loopback.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::timing;

/// A running server, killed when it is dropped.
pub(crate) struct RedisServer {
    child: Option<Child>,
    port: u16,
    folder: PathBuf,
    options: Vec<String>,
}

impl RedisServer {
    /// Starts an empty server that writes nothing to disk.
    pub(crate) fn start() -> RedisServer {
        RedisServer::with(&[])
    }

    /// Starts a cluster of one node that owns all slots.
    pub(crate) fn cluster() -> RedisServer {
        let server = RedisServer::with(&["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
        assert!(server.cli(&["cluster", "addslotsrange", "0", "16383"]).contains("OK"));
        server.wait_for("the cluster", |server| server.cli(&["cluster", "info"]).contains("cluster_state:ok"));
        server
    }

    /// Starts a server with further options of its command line.
    pub(crate) fn with(options: &[&str]) -> RedisServer {
        timing::begin();
        // Another process may take the port between its choice and the server's start: then the server exits.
        for _ in 0..10 {
            let port = free_port();
            let folder = std::env::temp_dir().join(format!("lyceum-redis-{}-{port}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("make a folder");
            let options = options.iter().map(|option| option.to_string()).collect();
            let mut server = RedisServer { child: None, port, folder, options };
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server doesn't start");
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }

    /// Starts the killed server again, on the same port.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "redis-server doesn't start again");
    }

    /// The process id, for signals.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running server").id()
    }

    /// What `redis-cli` prints for a command.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .expect("run redis-cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn launch(&mut self) -> bool {
        let mut child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.options)
            .stdout(Stdio::null())
            .spawn()
            .expect("run redis-server");
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if child.try_wait().expect("ask for the child").is_some() {
                return false;
            }
            if self.cli(&["ping"]).contains("PONG") {
                self.child = Some(child);
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        _ = child.kill();
        _ = child.wait();
        false
    }

    fn wait_for(&self, what: &str, done: impl Fn(&RedisServer) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done(self) {
            assert!(Instant::now() < deadline, "{what} isn't ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

// A cluster node also listens on port + 10000, so the port must stay below 55536.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        if port < 55_000 && TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port + 10_000)).is_ok() {
            return port;
        }
    }
}
