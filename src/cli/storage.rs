//! `lyceum storage`

use clap::Subcommand;

use crate::app;
use crate::config::Config;
use crate::platform::internal_error::InternalError;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Set the bucket's CORS rules: allow only LYCEUM_CORS_ORIGINS and this server's own origin
    Cors,
}

pub(super) async fn run(config: Config, Command::Cors: Command) -> Result<(), InternalError> {
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
