//! `lyceum config check`

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::{Config, SETTINGS, program};

#[derive(Clone, Copy, Subcommand)]
pub(super) enum Command {
    /// Print the effective settings, with secrets masked, and every problem
    Check,
    /// Print the settings as a Markdown table, as in docs/settings.md
    Table,
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

/// Returns the settings as a Markdown page.
pub fn table() -> String {
    let mut page = "# Settings\n\nEnvironment variables; in development also from a file `.env`. \
        `lyceum config check` (after `make run`: `cargo run -- config check`) \
        prints what is in force.\n\n| setting | default | what it does |\n| --- | --- | --- |\n"
        .to_owned();
    for setting in SETTINGS {
        page.push_str(&format!("| `{}` | {} | {} |\n", setting.name, setting.default, setting.help));
    }
    page
}

pub(super) fn report(problems: &[String]) -> ExitCode {
    eprintln!("lyceum cannot start with these settings:");
    for problem in problems {
        eprintln!("  - {problem}");
    }
    eprintln!("\n`{} config check` shows all settings.", program());
    ExitCode::FAILURE
}
