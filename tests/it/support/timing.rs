//! How long each test takes. libtest gives a test a thread of its own, named after it, but stable Rust does not let it
//! tell its time: so the fixtures do, from their first use until the thread ends. `make test` prints the ten slowest.

use std::cell::OnceCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;
use std::time::Instant;

thread_local! {
    static TEST: OnceCell<Test> = const { OnceCell::new() };
}

struct Test {
    started: Instant,
}

/// Counts from here, if this thread is a test's and does not do so already.
pub(crate) fn begin() {
    TEST.with(|test| {
        test.get_or_init(|| Test { started: Instant::now() });
    });
}

impl Drop for Test {
    fn drop(&mut self) {
        static TIMES: OnceLock<Option<File>> = OnceLock::new();
        let open =
            || OpenOptions::new().append(true).create(true).open(concat!(env!("CARGO_TARGET_TMPDIR"), "/times")).ok();
        let (thread, seconds) = (std::thread::current(), self.started.elapsed().as_secs_f64());
        // One write, so that lines of two threads do not mix. Without the file there is only no list.
        if let (Some(mut file), Some(name)) = (TIMES.get_or_init(open).as_ref(), thread.name()) {
            _ = file.write_all(format!("{seconds:8.2} s  {name}\n").as_bytes());
        }
    }
}
