//! What holds for every file of `src/`.

use super::report::Report;
use super::source::Source;

const MAX_LINES: usize = 450;

pub(super) fn check(source: &Source, report: &mut Report<'_>) {
    // The length of what diesel prints is that of the database.
    if source.lines > MAX_LINES && source.path != "platform/db/schema.rs" {
        let lines = source.lines;
        report.add(MAX_LINES + 1, format!("{lines} lines; a file has at most {MAX_LINES}: make a folder of it"));
    }
    if source.syntax.is_empty {
        report.add(1, "there is no empty file");
    }
    let program = || source.syntax.paths.iter().filter(|path| !path.in_test);
    report.judge(program(), |path| environment(source, path));
    report.judge(program(), spawn);
    report.judge(program(), |path| run_query_dsl(source, path));
}

fn environment(source: &Source, path: &[&str]) -> Option<String> {
    // Splitting a search path reads nothing.
    let reads = path.starts_with(&["std", "env"]) && !path.starts_with(&["std", "env", "split_paths"]);
    (reads && source.path != "config/lib.rs").then(|| "only config/lib.rs reads the environment".into())
}

fn spawn(path: &[&str]) -> Option<String> {
    let spawns = path.starts_with(&["tokio", "spawn"]) || path.starts_with(&["tokio", "task", "spawn"]);
    spawns.then(|| "spawn on the App's task tracker, so that shutdown waits for it".into())
}

fn run_query_dsl(source: &Source, path: &[&str]) -> Option<String> {
    let forbidden = path.starts_with(&["diesel_async", "RunQueryDsl"]) && source.path != "platform/db/run.rs";
    forbidden.then(|| "use platform::db::RunQueryDsl, which compiles faster".into())
}
