//! `lyceum reconcile`

use chrono::TimeDelta;
use clap::Args as ClapArgs;

use crate::app;
use crate::config::Config;
use crate::media::{self, Report};
use crate::platform::internal_error::InternalError;

/// The arguments of `reconcile`.
#[derive(ClapArgs)]
pub(super) struct Args {
    /// Remove objects that no row refers to; without this flag, nothing is changed
    #[arg(long)]
    remove: bool,
    /// Ignore objects younger than this, in hours
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..))]
    hours: u16,
}

pub(super) async fn run(config: Config, args: Args) -> Result<(), InternalError> {
    let running = app::start(config).await?;
    let compared = async {
        running.prepare_database().await?;
        media::reconcile(&running.app, TimeDelta::hours(args.hours.into()), args.remove).await
    };
    let compared = compared.await;
    let stopped = running.stop().await;
    print(&compared?, args.remove);
    stopped
}

fn print(report: &Report, remove: bool) {
    for key in &report.orphans {
        println!("no row refers to  {key}");
    }
    for parts in report.open_parts.iter().flatten() {
        println!("nobody ends       {parts}");
    }
    for (id, key) in &report.missing {
        println!("missing           {key}  (id {id})");
    }
    let Report { objects, orphan_count, orphan_bytes, missing_count, removed, .. } = report;
    println!("{objects} objects; {orphan_count} without a row ({orphan_bytes} bytes); {missing_count} missing.");
    match &report.open_parts {
        Some(open) => println!("{} uploads in parts are left over.", open.len()),
        None => println!("This store does not tell of uploads in parts."),
    }
    match remove {
        true => println!("{removed} were removed."),
        false => println!("Nothing was changed; `lyceum reconcile --remove` removes what no row refers to."),
    }
}
