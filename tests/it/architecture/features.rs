//! Which file of a feature may know what.

use super::report::Report;
use super::source::Source;

/// The files of a feature; each may be a folder instead.
const VOCABULARY: [&str; 12] =
    ["lib", "mod", "model", "query", "command", "policy", "event", "error", "loader", "graphql", "job", "port"];

/// Crates that reach other systems.
const OUTSIDE: [&str; 6] = ["lettre", "redis", "s3s", "reqwest", "hyper", "axum"];

pub(super) fn check(source: &Source, report: &mut Report<'_>) {
    let Some((_, file)) = source.feature() else { return };
    if !VOCABULARY.contains(&file) {
        report.add(1, format!("{file}: a feature has no such file, only {}", VOCABULARY.join(", ")));
    }
    report.judge(&source.syntax.paths, |path| sql(file, path));
    report.judge(&source.syntax.paths, |path| graphql(file, path));
    report.judge(&source.syntax.paths, outside);
    if ["policy", "model", "event", "error"].contains(&file) {
        for line in &source.syntax.awaits {
            report.add(*line, format!(".await: {file}.rs has no IO"));
        }
    }
    if file == "port" {
        for function in source.syntax.functions.iter().filter(|function| function.is_public && !function.in_test) {
            if !function.takes_tx {
                report.add(function.line, format!("{}: a public function of port.rs takes &mut Tx", function.name));
            }
        }
    }
}

fn sql(file: &str, path: &[&str]) -> Option<String> {
    let forbidden = match path {
        ["diesel", "result", ..] => false,
        ["diesel", ..] => !["query", "model"].contains(&file),
        ["diesel_async", ..] if file == "model" => return Some("model.rs has no IO".into()),
        ["diesel_async", ..] | ["crate", "platform", "db", "RunQueryDsl", ..] => file != "query",
        _ => false,
    };
    forbidden.then(|| "SQL belongs in query.rs".into())
}

fn graphql(file: &str, path: &[&str]) -> Option<String> {
    let forbidden = path[0] == "async_graphql" && ["command", "policy", "query", "event", "port"].contains(&file);
    forbidden.then(|| format!("{file}.rs knows no GraphQL"))
}

fn outside(path: &[&str]) -> Option<String> {
    let reaches = OUTSIDE.contains(&path[0]) || path[0].starts_with("aws_");
    // An address is only parsed.
    let forbidden = reaches && !path.starts_with(&["lettre", "Address"]);
    forbidden.then(|| "features reach the world through platform".into())
}
