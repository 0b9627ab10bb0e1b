//! `lyceum migrate`

use crate::app;
use crate::config::Config;
use crate::platform::db::migrations;
use crate::platform::internal_error::InternalError;

pub(super) async fn run(config: Config) -> Result<(), InternalError> {
    let running = app::start(config).await?;
    let applied = migrations::run(&running.app.db).await;
    let stopped = running.stop().await;
    match applied?.as_slice() {
        [] => println!("The database is up to date."),
        names => println!("Applied {}.", names.join(", ")),
    }
    stopped
}
