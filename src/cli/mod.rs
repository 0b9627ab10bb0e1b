//! The command line: `lyceum serve | worker | migrate | jobs | reconcile | storage | schema | seed | admin create | config check`.

mod admin;
pub mod config;
mod jobs;
mod migrate;
mod reconcile;
mod schema;
pub mod seed;
mod serve;
mod storage;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::graphql::Error;
use crate::platform::fault::{Context, Fault};
use crate::platform::telemetry;

/// A GraphQL backend for online course platforms.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the console, and do the background work (the default)
    Serve(serve::Args),
    /// Do the background work only
    Worker,
    /// Bring the database up to date
    Migrate,
    /// Background jobs that have failed too often
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Compare the object store with the database: what is left over, what is missing
    Reconcile(reconcile::Args),
    /// The object store
    #[command(subcommand)]
    Storage(storage::Command),
    /// Print the GraphQL schema
    Schema,
    /// Fill a demo school: courses, lessons, people
    Seed(seed::Args),
    /// Administrators
    #[command(subcommand)]
    Admin(admin::Command),
    /// Settings
    #[command(subcommand)]
    Config(config::Command),
}

/// Runs the program with the arguments and the environment that it was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve(serve::Args::default()));
    let config = Config::from_env();
    match command {
        Command::Config(config::Command::Check) => return config::check(config),
        Command::Config(config::Command::Table) => {
            print!("{}", config::table());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let config = match config {
        Ok(config) => config,
        Err(problems) => return config::report(&problems),
    };
    match run(command, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("lyceum: {}", fault.report());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, config: Config) -> Result<(), Fault> {
    telemetry::start_log(&config.log, config.log_json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::run(config, args).await,
            Command::Worker => worker::run(config).await,
            Command::Migrate => migrate::run(config).await,
            Command::Jobs(command) => jobs::run(config, command).await,
            Command::Reconcile(args) => reconcile::run(config, args).await,
            Command::Storage(command) => storage::run(config, command).await,
            Command::Schema => schema::run(),
            Command::Seed(args) => seed::run(config, args).await,
            Command::Admin(admin::Command::Create(args)) => admin::create(config, args).await,
            // Answered before the log was started.
            Command::Config(_) => Ok(()),
        }
    })
}

/// Resolves at the first SIGINT or SIGTERM.
async fn interrupted() -> Result<(), Fault> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// A command's error for the terminal.
fn explain(error: Error) -> Fault {
    match error {
        Error::Internal(fault) => fault,
        Error::Invalid(errors) => {
            Fault::new(errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "))
        }
        other => Fault::new(format!("refused: {other:?}")),
    }
}
