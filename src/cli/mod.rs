//! The command line of `lyceum`.
//!
//! Commands: `serve`, `worker`, `migrate`, `jobs`, `reconcile`, `storage`, `schema`, `seed`, `admin`, `config`.

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
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::graphql::Error;
use crate::platform::internal_error::{Context, InternalError};
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
    /// Serve the API and the console, and run background jobs (the default)
    Serve(serve::Args),
    /// Run background jobs only
    Worker,
    /// Apply pending database migrations
    Migrate,
    /// List and retry dead jobs, which have used up their attempts
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Compare the object store with the database: find orphaned and missing objects
    Reconcile(reconcile::Args),
    /// Configure the object store
    #[command(subcommand)]
    Storage(storage::Command),
    /// Print the GraphQL schema
    Schema,
    /// Create a demo school with courses, lessons and users, or complete one whose creation was interrupted
    Seed(seed::SeedArgs),
    /// Manage administrators
    #[command(subcommand)]
    Admin(admin::Command),
    /// Check and list the settings
    #[command(subcommand)]
    Config(config::Command),
}

/// Runs the program with the process's arguments and environment.
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
        Err(error) => {
            eprintln!("lyceum: {}", error.report());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, config: Config) -> Result<(), InternalError> {
    telemetry::start_log(&config.log, config.log_json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(async {
        match command {
            // These two end by a signal.
            Command::Serve(args) => serve::run(config, args).await,
            Command::Worker => worker::run(config).await,
            other => match Interrupts::new()?.until(to_end(other, config)).await {
                Some(done) => done,
                None => Err(InternalError::new("interrupted")),
            },
        }
    })
}

/// Runs a command that ends by itself.
async fn to_end(command: Command, config: Config) -> Result<(), InternalError> {
    match command {
        Command::Migrate => migrate::run(config).await,
        Command::Jobs(command) => jobs::run(config, command).await,
        Command::Reconcile(args) => reconcile::run(config, args).await,
        Command::Storage(command) => storage::run(config, command).await,
        Command::Schema => schema::run(),
        Command::Seed(args) => seed::run(config, args).await,
        Command::Admin(admin::Command::Create(args)) => admin::create(config, args).await,
        // `Config` is handled in `main`, before logging starts.
        Command::Serve(_) | Command::Worker | Command::Config(_) => Ok(()),
    }
}

/// SIGINT and SIGTERM. From its creation on, none is missed, whatever the program does meanwhile.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn new() -> Result<Interrupts, InternalError> {
        let what = "cannot wait for signals";
        let interrupt = signal(SignalKind::interrupt()).context(what)?;
        Ok(Interrupts { interrupt, terminate: signal(SignalKind::terminate()).context(what)? })
    }

    /// Waits for the next signal.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Runs `work` until a signal; `None` if one came first.
    ///
    /// What `work` has started until then is dropped with it. In particular a postmaster is stopped and waited for.
    async fn until<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.next() => None,
            done = work => Some(done),
        }
    }
}

/// Converts a command's error into one that can be printed on the terminal.
fn explain(error: Error) -> InternalError {
    match error {
        Error::Internal(error) => error,
        Error::Invalid(errors) => {
            InternalError::new(errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "))
        }
        other => InternalError::new(format!("rejected: {other:?}")),
    }
}
