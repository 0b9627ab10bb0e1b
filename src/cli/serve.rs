//! `lyceum serve`

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::{Interrupts, seed};
use crate::app::{self, Running};
use crate::config::{self, Config};
use crate::graphql::Executor;
use crate::http::{self, HttpState, server};
use crate::platform::internal_error::{Context, InternalError};

/// How often to look whether another command has given the database back.
const ANOTHER_LOOK: Duration = Duration::from_secs(1);

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
    let mut interrupts = Interrupts::new()?;
    // Both first, so that starting a second server on the same folder or address fails immediately.
    let _held = occupy(&config)?;
    let listener = server::bind(config.addr).await?;
    let Some(running) = interrupts.until(start(config)).await else { return stopped_early() };
    let running = running?;
    let served = serve(&running, listener, args, interrupts).await;
    let stopped = running.stop().await;
    served.and(stopped)
}

/// Starts the application when no other command runs the embedded database, which would stop it at its own end.
async fn start(config: Config) -> Result<Running, InternalError> {
    let mut told = false;
    loop {
        let running = app::start(config.clone()).await?;
        if running.owns_database() {
            return Ok(running);
        }
        if !std::mem::replace(&mut told, true) {
            println!("Waiting for another lyceum command that uses the data folder to end.");
        }
        running.stop().await?;
        tokio::time::sleep(ANOTHER_LOOK).await;
    }
}

/// Takes the data folder for this server, if the database is in it; the lock ends with the file.
///
/// Two servers on one embedded database would not hear of each other's events, and the second would lose the database
/// when the first one stops. Other commands may run beside a server: they attach to its database.
fn occupy(config: &Config) -> Result<Option<File>, InternalError> {
    if config.database_url.is_some() {
        return Ok(None);
    }
    let (folder, path) = (config.data.display(), config.data.join("serve.lock"));
    let what = || format!("cannot use the data folder {folder} (LYCEUM_DATA)");
    std::fs::create_dir_all(&config.data).context(what())?;
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.context(what())?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).context(what())?;
            write!(file, "process {}, {}", std::process::id(), config.public_url).context(what())?;
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut other = String::new();
            file.read_to_string(&mut other).context(what())?;
            Err(InternalError::new(format!(
                "another `lyceum serve` uses the data folder {folder}: {other}. Stop it, or give this one a folder and \
                 an address of its own, for example LYCEUM_DATA=.lyceum-2 LYCEUM_ADDR=127.0.0.1:8081"
            )))
        }
        Err(TryLockError::Error(error)) => Err(error).context(what()),
    }
}

/// Migrates the database and makes or completes the demo school, if it is asked for and there is no other data.
async fn prepare(running: &Running, args: &Args) -> Result<(), InternalError> {
    running.prepare_database().await?;
    if args.demo && matches!(seed::state(&running.app).await?, seed::State::Empty | seed::State::Begun) {
        seed::fill(&running.app, &seed::Args::default()).await?;
    }
    Ok(())
}

async fn serve(
    running: &Running,
    listener: tokio::net::TcpListener,
    args: Args,
    mut interrupts: Interrupts,
) -> Result<(), InternalError> {
    let app = running.app.clone();
    let Some(prepared) = interrupts.until(prepare(running, &args)).await else { return stopped_early() };
    prepared?;
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
        () = interrupts.next() => {}
    }
    println!("\nStopping: running requests are finished first.");
    app.draining.cancel();
    tokio::select! {
        served = &mut serving => return served,
        () = tokio::time::sleep(app.config.drain) => {}
        // The second signal ends the wait.
        () = interrupts.next() => {}
    }
    stopping.cancel();
    serving.await
}

fn stopped_early() -> Result<(), InternalError> {
    println!("\nStopped before it was ready; the next start goes on.");
    Ok(())
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
        let program = config::program();
        println!("\n  No demo data: `{program} seed` fills a school, `{program} admin create` makes an administrator.");
    }
    if !running.embedded.is_empty() {
        let purpose = if config.is_production() { "In this process" } else { "Embedded, for development" };
        println!("\n  {purpose}:");
        for (need, what) in &running.embedded {
            println!("  {need:<12} {what}");
        }
    }
    if !config.is_production() {
        println!("\n  Settings: `{} config check` lists them. Ctrl-C stops everything.", config::program());
    }
    println!();
    Ok(())
}
