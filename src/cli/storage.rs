//! `lyceum storage`

use clap::Subcommand;

use crate::app;
use crate::config::Config;
use crate::platform::fault::Fault;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Let pages of LYCEUM_CORS_ORIGINS and of the program itself, and no others, use the bucket
    Cors,
}

pub(super) async fn run(config: Config, Command::Cors: Command) -> Result<(), Fault> {
    if config.s3.is_none() {
        println!("The embedded store has its rules by itself.");
        return Ok(());
    }
    let running = app::start(config).await?;
    let origins = running.app.config.page_origins();
    let set = running.app.storage.set_cors(&origins).await;
    let stopped = running.stop().await;
    set?;
    println!("Pages of {} may use the bucket.", origins.join(", "));
    stopped
}
