//! `lyceum admin create`

use std::io::{IsTerminal, Write};

use clap::{Args, Subcommand};

use super::explain;
use crate::accounts::{self, RegisterInput};
use crate::app;
use crate::config::Config;
use crate::platform::fault::{Context, Fault};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create an administrator; the password is read from the terminal or from standard input
    Create(CreateArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The address to sign in with
    #[arg(long)]
    email: String,
    /// The name that others see
    #[arg(long, default_value = "Administrator")]
    name: String,
}

pub(super) async fn create(config: Config, args: CreateArgs) -> Result<(), Fault> {
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

/// An argument would stay in the shell's history and in the list of processes.
fn read_password() -> Result<String, Fault> {
    if std::io::stdin().is_terminal() {
        print!("Password (at least 10 characters, shown as you type): ");
        std::io::stdout().flush()?;
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
