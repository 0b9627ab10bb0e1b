//! `lyceum jobs`

use clap::Subcommand;
use uuid::Uuid;

use crate::app;
use crate::config::Config;
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::jobs;

/// How many are listed.
const LISTED: i64 = 1000;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the jobs that have failed too often, the last first
    Dead,
    /// Have dead jobs tried again by whoever serves or works
    Replay {
        /// The ids of the jobs, as `jobs dead` lists them
        #[arg(required = true)]
        ids: Vec<Uuid>,
    },
}

pub(super) async fn run(config: Config, command: Command) -> Result<(), Fault> {
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

async fn list(app: &App) -> Result<(), Fault> {
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

async fn replay(app: &App, ids: &[Uuid]) -> Result<(), Fault> {
    let mut unknown = Vec::new();
    for id in ids {
        if jobs::replay(app, *id).await? {
            println!("{id}  will be tried again");
        } else {
            unknown.push(id.to_string());
        }
    }
    if unknown.is_empty() { Ok(()) } else { Err(Fault::new(format!("no dead job has the id {}", unknown.join(", ")))) }
}
