//! CPU time of processes, from `/proc`; zero on systems without it.

use std::fs;
use std::path::Path;

/// The CPU time used so far, in milliseconds.
pub(crate) struct Usage(f64);

impl Usage {
    pub(crate) fn of(pid: u32) -> Usage {
        Usage(stat(pid).map_or(0.0, |(_, ms)| ms))
    }

    /// Returns the usage of a process and its children.
    ///
    /// This includes ended children that the process has waited for.
    pub(crate) fn of_family(parent: u32) -> Usage {
        let mut total = stat(parent).map_or(0.0, |(_, ms)| ms) + waited_for(parent).unwrap_or(0.0);
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some((ppid, ms)) = stat(pid)
                && ppid == parent
            {
                total += ms;
            }
        }
        Usage(total)
    }

    pub(crate) fn since(&self, before: &Usage) -> f64 {
        self.0 - before.0
    }
}

/// Returns the pid of the PostgreSQL server that runs on a data directory.
pub(crate) fn postmaster(data: &Path) -> u32 {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// Returns the parent pid and the CPU milliseconds of a process.
///
/// These are the fields 4, 14 and 15 in proc(5); a tick is 10 ms on Linux.
fn stat(pid: u32) -> Option<(u32, f64)> {
    let fields = fields(pid)?;
    Some((fields.first()?.parse().ok()?, 10.0 * (ticks(&fields, 10)? + ticks(&fields, 11)?)))
}

/// Returns the CPU milliseconds of a process's waited-for children (fields 16 and 17).
fn waited_for(pid: u32) -> Option<f64> {
    let fields = fields(pid)?;
    Some(10.0 * (ticks(&fields, 12)? + ticks(&fields, 13)?))
}

/// Returns the fields after the name and the state; the first one is field 4.
fn fields(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').skip(1).map(str::to_owned).collect())
}

fn ticks(fields: &[String], place: usize) -> Option<f64> {
    fields.get(place)?.parse().ok()
}
