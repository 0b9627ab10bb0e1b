//! Commands of administrators about background work.

use serde_json::json;

use super::user::lock_administration;
use crate::accounts::model::{JobId, ListedJob};
use crate::accounts::{error, policy};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::jobs::list;
use crate::platform::jobs::replay_in;

/// Has a dead job tried again.
///
/// # Errors
/// The actor is not an administrator; there is no such job, or it is not dead.
pub async fn replay_job(app: &App, actor: &Actor, client: &Client, id: JobId) -> Result<ListedJob> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators replay jobs.".into()));
    }
    app.db
        .transaction(async |tx| {
            lock_administration(tx, app, actor).await?;
            let is_replayed = replay_in(tx, id.uuid(), app.clock.now()).await?;
            let found = list::by_ids(tx.conn(), &[id.uuid()]).await?.pop();
            let job = found.ok_or_else(error::no_such_job)?;
            if !is_replayed {
                return Err(error::job_is_alive());
            }
            let details = json!({ "jobId": id.encode(), "kind": job.handler });
            let entry = Entry { action: Action::JobReplayed, actor: actor.id(), subject: None, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(job)
        })
        .await
}
