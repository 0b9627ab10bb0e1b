//! `lyceum serve`

use clap::Args as ClapArgs;

use super::{interrupted, seed};
use crate::accounts;
use crate::app::{self, Running};
use crate::config::Config;
use crate::graphql::Graph;
use crate::http::{self, Edge, server};
use crate::platform::fault::Fault;

/// What `serve` can be told.
#[derive(ClapArgs, Default)]
pub(super) struct Args {
    /// Fill an empty database with the demo school first (development only)
    #[arg(long)]
    demo: bool,
}

pub(super) async fn run(config: Config, args: Args) -> Result<(), Fault> {
    // First of all, so that a second start on the same address says so at once.
    let listener = server::bind(config.addr).await?;
    let running = app::start(config).await?;
    let served = serve(&running, listener, args).await;
    let stopped = running.stop().await;
    served.and(stopped)
}

async fn serve(running: &Running, listener: tokio::net::TcpListener, args: Args) -> Result<(), Fault> {
    let app = running.app.clone();
    running.prepare_database().await?;
    if args.demo && !accounts::any_users(&mut *app.db.read().await?).await? {
        let demo = seed::Args::default();
        tokio::select! {
            seeded = seed::fill(&app, &demo) => seeded?,
            stop = interrupted() => return stop,
        }
    }
    running.work()?;
    running.watch();
    let router = http::router(Edge { app: app.clone(), graph: Graph::new(app.clone())? });
    banner(running).await?;
    let stopping = app.stopping.clone();
    let serving = server::serve(&app, listener, router);
    tokio::pin!(serving);
    tokio::select! {
        served = &mut serving => return served,
        stop = interrupted() => stop?,
    }
    println!("\nStopping: running requests are finished first.");
    stopping.cancel();
    serving.await
}

async fn banner(running: &Running) -> Result<(), Fault> {
    let config = &running.app.config;
    let url = &config.public_url;
    println!("\nLyceum {} is ready.\n", env!("CARGO_PKG_VERSION"));
    println!("  API       {url}/graphql  (WebSocket on the same path)");
    println!("  Console   {url}/console");
    if !config.is_production() {
        println!("  Mails     {url}/dev/mail");
    }
    match &running.app.ffmpeg {
        Some(ffmpeg) => println!("  Videos    converted with ffmpeg {}", ffmpeg.version()),
        None => println!("  Videos    played as they come: no ffmpeg found; see LYCEUM_FFMPEG"),
    }
    if seed::is_demo(&running.app).await? {
        println!("\n  Sign in as admin@lyceum.example, instructor@lyceum.example or student@lyceum.example,");
        println!("  password {}", seed::PASSWORD);
    } else if !config.is_production() {
        println!("\n  No demo data: `lyceum seed` fills a school, `lyceum admin create` makes an administrator.");
    }
    if !running.embedded.is_empty() {
        println!("\n  Embedded, for development:");
        for (need, what) in &running.embedded {
            println!("  {need:<12} {what}");
        }
    }
    println!();
    Ok(())
}
