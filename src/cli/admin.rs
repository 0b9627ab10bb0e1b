//! `lyceum admin create`

use std::io::{IsTerminal, Write};

use clap::{Args, Subcommand};

use super::explain;
use crate::accounts::{self, RegisterInput};
use crate::app;
use crate::config::Config;
use crate::platform::internal_error::{Context, InternalError};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create an administrator; the password is read from the terminal or from standard input
    Create(CreateArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The email address to sign in with
    #[arg(long)]
    email: String,
    /// The display name
    #[arg(long, default_value = "Administrator")]
    name: String,
}

pub(super) async fn create(config: Config, args: CreateArgs) -> Result<(), InternalError> {
    let password = read_password()?;
    let running = app::start(config).await?;
    let input = RegisterInput { email: args.email, name: args.name, password };
    let created = async {
        running.prepare_database().await?;
        accounts::create_admin(&running.app, input).await.map_err(explain)
    };
    let created = created.await;
    let stopped = running.stop().await;
    println!("{} is an administrator.", created?.email);
    stopped
}

/// Reads the password from standard input.
///
/// An argument would show up in the shell history and the process list.
fn read_password() -> Result<String, InternalError> {
    if std::io::stdin().is_terminal() {
        print!("Password (at least 10 characters, shown as you type): ");
        std::io::stdout().flush()?;
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
