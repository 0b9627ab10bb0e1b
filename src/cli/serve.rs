//! `lyceum serve`

use clap::Args as ClapArgs;

use super::{interrupted, seed};
use crate::app::{self, Running};
use crate::config::Config;
use crate::graphql::Executor;
use crate::http::{self, HttpState, server};
use crate::platform::internal_error::InternalError;

/// The arguments of `serve`.
#[derive(ClapArgs, Default)]
pub(super) struct Args {
    /// Create the demo school first if the database has no users, or complete it (for development)
    #[arg(long)]
    demo: bool,
}

pub(super) async fn run(config: Config, args: Args) -> Result<(), InternalError> {
    if args.demo {
        seed::refuse_in_production(&config)?;
    }
    // Bind first, so that starting a second process on the same address fails immediately.
    let listener = server::bind(config.addr).await?;
    let running = app::start(config).await?;
    let served = serve(&running, listener, args).await;
    let stopped = running.stop().await;
    served.and(stopped)
}

async fn serve(running: &Running, listener: tokio::net::TcpListener, args: Args) -> Result<(), InternalError> {
    let app = running.app.clone();
    running.prepare_database().await?;
    if args.demo && matches!(seed::state(&app).await?, seed::State::Empty | seed::State::Begun) {
        let demo = seed::Args::default();
        tokio::select! {
            seeded = seed::fill(&app, &demo) => seeded?,
            stop = interrupted() => return stop,
        }
    }
    running.work()?;
    running.watch();
    let state = HttpState { app: app.clone(), executor: Executor::new(app.clone())? };
    if let Some(addr) = app.config.metrics_addr {
        let (listener, router) = (server::bind(addr).await?, http::metrics_router(state.clone()));
        let metrics = app.clone();
        app.tasks.spawn(async move { drop(server::serve(&metrics, listener, router).await) });
    }
    let router = http::router(state);
    banner(running).await?;
    let stopping = app.stopping.clone();
    let serving = server::serve(&app, listener, router);
    tokio::pin!(serving);
    tokio::select! {
        served = &mut serving => return served,
        stop = interrupted() => stop?,
    }
    println!("\nStopping: running requests are finished first.");
    app.draining.cancel();
    tokio::select! {
        served = &mut serving => return served,
        () = tokio::time::sleep(app.config.drain) => {}
        // The second signal ends the wait.
        stop = interrupted() => stop?,
    }
    stopping.cancel();
    serving.await
}

async fn banner(running: &Running) -> Result<(), InternalError> {
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
    if seed::state(&running.app).await? == seed::State::Complete {
        println!("\n  Sign in as admin@lyceum.example, instructor@lyceum.example or student@lyceum.example,");
        println!("  password {}", seed::PASSWORD);
    } else if !config.is_production() {
        println!("\n  No demo data: `lyceum seed` fills a school, `lyceum admin create` makes an administrator.");
    }
    if !running.embedded.is_empty() {
        let purpose = if config.is_production() { "In this process" } else { "Embedded, for development" };
        println!("\n  {purpose}:");
        for (need, what) in &running.embedded {
            println!("  {need:<12} {what}");
        }
    }
    println!();
    Ok(())
}
