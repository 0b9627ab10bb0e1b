//! `lyceum config check`

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::{Config, SETTINGS};

#[derive(Clone, Copy, Subcommand)]
pub(super) enum Command {
    /// Print what is in force, secrets masked, and every problem
    Check,
}

pub(super) fn check(config: Result<Config, Vec<String>>) -> ExitCode {
    let given = Config::given();
    for setting in SETTINGS {
        let value = match given.get(setting.name) {
            None => setting.default.to_owned(),
            Some(_) if setting.secret => "******** (set)".to_owned(),
            Some(value) => format!("{value} (set)"),
        };
        println!("{:<24} {:<40} {}", setting.name, value, setting.help);
    }
    match config {
        Ok(_) => {
            println!("\nNo problems.");
            ExitCode::SUCCESS
        }
        Err(problems) => report(&problems),
    }
}

pub(super) fn report(problems: &[String]) -> ExitCode {
    eprintln!("lyceum cannot start with these settings:");
    for problem in problems {
        eprintln!("  - {problem}");
    }
    eprintln!("\n`lyceum config check` shows all settings.");
    ExitCode::FAILURE
}
