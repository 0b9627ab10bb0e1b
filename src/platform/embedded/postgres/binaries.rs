//! Locating PostgreSQL's programs.
//!
//! Debian keeps `initdb` and `postgres` off the `PATH`; Homebrew and the PostgreSQL project's packages have their own
//! install locations.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::platform::internal_error::InternalError;

/// The oldest PostgreSQL version whose SQL this program uses.
const OLDEST: u32 = 15;

/// Where packages install PostgreSQL. A folder, and the prefix before the version in the names of its entries.
const INSTALLS: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
    ("/usr", "pgsql-"),
];

/// The programs of one PostgreSQL installation.
#[derive(Debug, PartialEq)]
pub struct Binaries {
    /// The path of `initdb`, which creates a cluster.
    pub initdb: PathBuf,
    /// The path of `postgres`, the server.
    pub postgres: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
}

/// Finds PostgreSQL 15 or newer in `path`, then where packages install it.
///
/// `path` has the format of the `PATH` variable. Package folders are searched from the newest version to the oldest.
/// Blocks while it runs each candidate to get its version.
///
/// # Errors
/// No suitable version is installed; the report lists the searched folders and what to install.
pub fn find_binaries(path: Option<&OsStr>) -> Result<Binaries, InternalError> {
    find(path, None)
}

/// Like [`find_binaries`], but restricted to `major`. Only the version that created a cluster can open it.
pub(super) fn find(path: Option<&OsStr>, major: Option<u32>) -> Result<Binaries, InternalError> {
    choose(&folders(path), major, ask_version)
}

/// The folders that may contain the programs, in order of preference.
fn folders(path: Option<&OsStr>) -> Vec<PathBuf> {
    // `split_paths` only parses its argument; it doesn't read the environment.
    let mut folders: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    for (parent, prefix) in INSTALLS {
        let names = std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
        folders.extend(by_version(names, prefix).into_iter().map(|name| Path::new(parent).join(name).join("bin")));
    }
    folders
}

/// The names that consist of `prefix` and a version, newest first.
fn by_version(names: impl Iterator<Item = OsString>, prefix: &str) -> Vec<OsString> {
    let mut found: Vec<(u32, OsString)> =
        names.filter_map(|name| Some((leading_number(name.to_str()?.strip_prefix(prefix)?)?, name))).collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, name)| name).collect()
}

/// Returns the programs of the first suitable folder. `ask` returns the major version of a `postgres`.
fn choose(
    folders: &[PathBuf],
    major: Option<u32>,
    ask: impl Fn(&Path) -> Option<u32>,
) -> Result<Binaries, InternalError> {
    let mut unfit = Vec::new();
    for folder in folders {
        let (initdb, postgres) = (folder.join("initdb"), folder.join("postgres"));
        if !initdb.is_file() || !postgres.is_file() {
            continue;
        }
        match ask(&postgres) {
            Some(found) if found >= OLDEST && major.is_none_or(|major| major == found) => {
                // Child processes run in another folder, so a relative entry of PATH must become absolute.
                return Ok(Binaries {
                    initdb: std::path::absolute(initdb)?,
                    postgres: std::path::absolute(postgres)?,
                    major: found,
                });
            }
            Some(found) => unfit.push(format!("version {found} in {}", folder.display())),
            None => unfit.push(format!("no answer from {}", postgres.display())),
        }
    }
    Err(missing(folders, major, &unfit))
}

fn missing(folders: &[PathBuf], major: Option<u32>, unfit: &[String]) -> InternalError {
    let looked: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .chain(INSTALLS.iter().map(|(parent, prefix)| format!("{parent}/{prefix}*/bin")))
        .collect();
    let wanted = match major {
        Some(major) => format!("PostgreSQL {major}, which made this cluster, is not installed"),
        None => format!("PostgreSQL {OLDEST} or newer is not installed"),
    };
    let unfit = if unfit.is_empty() { String::new() } else { format!(" (found only {})", unfit.join(", ")) };
    let version = major.unwrap_or(17);
    InternalError::new(format!(
        "{wanted}{unfit}. Looked for `initdb` and `postgres` in {}. Install it with `apt-get install postgresql` or \
         `brew install postgresql@{version}`, or set DATABASE_URL to use a server of your own.",
        looked.join(", ")
    ))
}

fn ask_version(postgres: &Path) -> Option<u32> {
    let output =
        Command::new(postgres).arg("--version").env_clear().env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    parse_version(std::str::from_utf8(&output.stdout).ok()?)
}

/// Parses the major version from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(answer: &str) -> Option<u32> {
    leading_number(answer.split_once("(PostgreSQL) ")?.1)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("echo (GNU coreutils) 9.1\n"), None);
        assert_eq!(parse_version("postgres (PostgreSQL) devel\n"), None);
    }

    #[test]
    fn packaged_versions_come_newest_first_by_number() {
        let names = ["9.6", "17", "15", "share", "100"].into_iter().map(OsString::from);
        assert_eq!(by_version(names, ""), ["100", "17", "15", "9.6"]);
        let names = ["postgresql@15", "postgresql@17", "postgresql", "redis@7"].into_iter().map(OsString::from);
        assert_eq!(by_version(names, "postgresql@"), ["postgresql@17", "postgresql@15"]);
    }

    /// Folders `v13`, `v15`, `v17` with empty programs, and `none` without.
    fn installations(test: &str) -> (PathBuf, Vec<PathBuf>) {
        let root = std::env::temp_dir().join(format!("lyceum-binaries-{test}-{}", std::process::id()));
        let folders: Vec<PathBuf> = ["none", "v13", "v15", "v17"].iter().map(|name| root.join(name)).collect();
        for folder in &folders {
            std::fs::create_dir_all(folder).unwrap();
            for program in ["initdb", "postgres"].iter().filter(|_| !folder.ends_with("none")) {
                std::fs::write(folder.join(program), "").unwrap();
            }
        }
        (root, folders)
    }

    fn by_name(postgres: &Path) -> Option<u32> {
        postgres.parent()?.file_name()?.to_str()?.strip_prefix('v')?.parse().ok()
    }

    #[test]
    fn the_first_that_fits_is_taken() {
        let (root, folders) = installations("fits");
        assert_eq!(choose(&folders, None, by_name).unwrap().major, 15);
        assert_eq!(choose(&folders, Some(17), by_name).unwrap().postgres, root.join("v17/postgres"));
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_is_missing_is_told_in_full() {
        let (root, folders) = installations("missing");
        let report = choose(&folders[..2], None, by_name).unwrap_err().report();
        for part in [
            "PostgreSQL 15 or newer",
            "version 13 in",
            "/none",
            "/usr/lib/postgresql/",
            "pgsql-*",
            "apt-get",
            "brew",
            "DATABASE_URL",
        ] {
            assert!(report.contains(part), "{part:?} is not in {report}");
        }
        let report = choose(&folders, Some(16), by_name).unwrap_err().report();
        assert!(report.contains("PostgreSQL 16, which made this cluster") && report.contains("version 17"), "{report}");
        std::fs::remove_dir_all(root).unwrap();
    }
}
