//! Scheduled jobs. Every node checks the schedules; one of them enqueues a due job.

use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;
use serde_json::json;

use super::{Registry, enqueue, query};
use crate::platform::App;
use crate::platform::internal_error::{Context, InternalError};

/// How often the schedules are checked.
const POLL: Duration = Duration::from_secs(1);

/// Enqueues scheduled jobs until the application stops.
pub async fn run(app: App, registry: Registry) {
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        if let Err(error) = tick(&app, &registry).await {
            tracing::warn!(error = error.report(), "the schedule could not be checked");
        }
    }
}

/// Enqueues the jobs that are due. If several occurrences were missed, only the latest is enqueued.
///
/// # Errors
/// The database failed, or a cron expression is invalid.
pub async fn tick(app: &App, registry: &Registry) -> Result<(), InternalError> {
    let now = app.clock.now();
    let last = query::last_turns(&mut *app.db.read().await?).await?;
    let new: Vec<&str> = registry.scheduled().map(|(name, _)| name).filter(|name| !last.contains_key(*name)).collect();
    if !new.is_empty() {
        query::know_schedules(&mut app.db.write().await?, &new, now).await?;
    }
    for (name, expression) in registry.scheduled() {
        let Some(last) = last.get(name) else { continue };
        let schedule: Cron = expression.parse().context(format!("the schedule of {name} is not valid"))?;
        let Some(due) = latest_turn(&schedule, *last, now)? else { continue };
        app.db
            .transaction(async |tx| {
                if query::win_turn(tx, name, due).await? {
                    let key = format!("{name}@{}", due.timestamp());
                    enqueue(tx, &app.clock, name, &json!({ "due": due }), &key).await?;
                }
                Ok::<_, InternalError>(())
            })
            .await?;
    }
    Ok(())
}

/// The latest occurrence of `schedule` after `last` and up to `now`; `None` if there is none.
fn latest_turn(
    schedule: &Cron,
    last: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, InternalError> {
    let previous = schedule.find_previous_occurrence(&now, true).context("a schedule has no previous turn")?;
    Ok((previous > last).then_some(previous))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_that_were_slept_through_count_once() {
        let schedule: Cron = "0 3 * * *".parse().unwrap();
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let last = at("2026-11-01T03:00:00Z");
        assert_eq!(latest_turn(&schedule, last, at("2026-11-02T02:59:59Z")).unwrap(), None);
        assert_eq!(latest_turn(&schedule, last, at("2026-11-05T04:00:00Z")).unwrap(), Some(at("2026-11-05T03:00:00Z")));
    }
}
