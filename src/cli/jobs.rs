//! `lyceum jobs`

use clap::Subcommand;
use uuid::Uuid;

use crate::app;
use crate::config::Config;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;

/// The maximum number of jobs that `dead` lists.
const LISTED: i64 = 1000;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the dead jobs, which have used up their attempts, the latest first
    Dead,
    /// Queue dead jobs again; a running `serve` or `worker` process retries them
    Replay {
        /// The ids of the jobs, as `jobs dead` lists them
        #[arg(required = true)]
        ids: Vec<Uuid>,
    },
}

pub(super) async fn run(config: Config, command: Command) -> Result<(), InternalError> {
    let running = app::start(config).await?;
    let done = async {
        running.prepare_database().await?;
        match command {
            Command::Dead => list(&running.app).await,
            Command::Replay { ids } => replay(&running.app, &ids).await,
        }
    };
    let done = done.await;
    let stopped = running.stop().await;
    done.and(stopped)
}

async fn list(app: &App) -> Result<(), InternalError> {
    let dead = jobs::dead(&mut *app.db.read().await?, LISTED).await?;
    for job in &dead {
        println!("{}  {}  {}", job.id, job.handler, job.last_error.as_deref().unwrap_or_default());
    }
    match dead.len() {
        0 => println!("No job is dead."),
        count => println!("{count} dead; `lyceum jobs replay ID` has one tried again."),
    }
    Ok(())
}

async fn replay(app: &App, ids: &[Uuid]) -> Result<(), InternalError> {
    let mut unknown = Vec::new();
    for id in ids {
        if jobs::replay(app, *id).await? {
            println!("{id}  will be tried again");
        } else {
            unknown.push(id.to_string());
        }
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(InternalError::new(format!("no dead job has the id {}", unknown.join(", "))))
    }
}
