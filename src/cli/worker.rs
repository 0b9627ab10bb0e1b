//! `lyceum worker`

use super::Interrupts;
use crate::app;
use crate::config::Config;
use crate::platform::internal_error::InternalError;

pub(super) async fn run(config: Config) -> Result<(), InternalError> {
    let mut interrupts = Interrupts::new()?;
    let Some(running) = interrupts.until(app::start(config)).await else { return Ok(()) };
    let running = running?;
    let worked = async {
        running.prepare_database().await?;
        running.work()?;
        match &running.app.ffmpeg {
            Some(ffmpeg) => println!("The worker is ready; it converts videos with ffmpeg {}.", ffmpeg.version()),
            None => println!("The worker is ready; it found no ffmpeg and leaves videos as they come."),
        }
        interrupts.next().await;
        Ok(())
    };
    let worked = worked.await;
    let stopped = running.stop().await;
    worked.and(stopped)
}
