//! The program as processes: several of them, killed ones, stopped ones, with lost databases and lost Redis servers.

mod crash;
mod database;
mod shutdown;
mod start;
mod together;

use tokio::time::{sleep, timeout};

use crate::support::User;
use crate::support::process::Node;
use crate::support::socket::PATIENCE;

/// The demo instructor on one node, and a section for new lessons.
struct Teacher {
    user: User,
    section: String,
}

impl Teacher {
    /// Also publishes the first news, called Hello.
    async fn on(node: &Node) -> Teacher {
        let user = node.sign_in("instructor").await;
        let section = node.section(&user).await;
        let teacher = Teacher { user, section };
        teacher.publish(node, "Hello").await;
        teacher
    }

    async fn publish(&self, node: &Node, title: &str) {
        node.news(&self.user, &self.section, title).await;
    }
}

pub(crate) async fn eventually(what: &str, done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
