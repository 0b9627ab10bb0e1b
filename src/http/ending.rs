//! When the server ends a subscription by itself, whichever transport it uses.

use std::future::pending;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::platform::App;
use crate::platform::auth::Actor;

/// Why the server ends what a client has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server stops.
    Stopping,
    /// The session was ended.
    Revoked,
    /// The access token has expired.
    Expired,
}

/// Until when the session of a caller lasts.
pub(super) struct SessionEnd {
    /// When the access token expires; `None` for an anonymous caller.
    pub(super) expires_at: Option<Instant>,
    /// Canceled when the session is ended. Cancel it when it is not needed anymore.
    pub(super) revoked: CancellationToken,
}

impl SessionEnd {
    /// Watches the session of `actor`.
    pub(super) fn of(app: &App, actor: &Actor) -> SessionEnd {
        let expires_at = match actor {
            Actor::Anonymous => None,
            Actor::User { expires_at, .. } => {
                let left = (*expires_at - app.clock.now()).to_std().unwrap_or_default();
                Some(Instant::now() + left)
            }
        };
        SessionEnd { expires_at, revoked: app.revocations.watch(actor) }
    }

    /// Returns a guard that stops watching when it is dropped.
    pub(super) fn guard(&self) -> DropGuard {
        self.revoked.clone().drop_guard()
    }
}

/// Completes when the server stops, or when the session is revoked or expires.
pub(super) async fn ending(shutdown: CancellationToken, session: SessionEnd) -> Ending {
    let expired = async {
        match session.expires_at {
            Some(instant) => sleep_until(instant).await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Ending::Stopping,
        () = session.revoked.cancelled() => Ending::Revoked,
        () = expired => Ending::Expired,
    }
}
