//! CPU time of processes, from `/proc`; zero where there is none.

use std::fs;
use std::path::Path;

/// Milliseconds of CPU used so far.
pub(crate) struct Usage(f64);

impl Usage {
    pub(crate) fn of(pid: u32) -> Usage {
        Usage(stat(pid).map_or(0.0, |(_, ms)| ms))
    }

    /// A process and its children. Children that ended count for their parent once it has waited for them.
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

/// The pid of the server that runs on a data folder.
pub(crate) fn postmaster(data: &Path) -> u32 {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// Parent and own milliseconds (proc(5): fields 4, 14 and 15; a tick is 10 ms on Linux).
fn stat(pid: u32) -> Option<(u32, f64)> {
    let fields = fields(pid)?;
    Some((fields.first()?.parse().ok()?, 10.0 * (ticks(&fields, 10)? + ticks(&fields, 11)?)))
}

/// Milliseconds of children that were waited for (fields 16 and 17).
fn waited_for(pid: u32) -> Option<f64> {
    let fields = fields(pid)?;
    Some(10.0 * (ticks(&fields, 12)? + ticks(&fields, 13)?))
}

/// The fields after the name and the state, so that the first is number 4.
fn fields(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').skip(1).map(str::to_owned).collect())
}

fn ticks(fields: &[String], place: usize) -> Option<f64> {
    fields.get(place)?.parse().ok()
}
