//! A function that writes a cached table records what it changes.

use super::report::Report;
use super::source::Source;
use super::sql::{self, Statement};
use super::syntax::Function;

const ALL: &[Statement] = &[Statement::Insert, Statement::Update, Statement::Delete];

/// The tables behind the row cache, each with the statements that can make a cached value stale. A function with such a
/// statement calls `Tx::changed`, or a function named `…_changed` that does.
const CACHED: [(&str, &[Statement]); 14] = [
    // Inserts are exempt: no id is loaded before its user exists.
    ("users", &[Statement::Update, Statement::Delete]),
    ("channels", ALL),
    ("channel_members", ALL),
    ("channel_slugs", ALL),
    ("channel_stats", ALL),
    ("categories", ALL),
    ("category_slugs", ALL),
    ("courses", ALL),
    ("course_settings", ALL),
    ("course_slugs", ALL),
    ("course_stats", ALL),
    ("sections", ALL),
    ("lessons", ALL),
    ("lesson_resources", ALL),
];

pub(super) fn check(source: &Source, report: &mut Report<'_>) {
    if !source.is_query() {
        return;
    }
    for function in source.syntax.functions.iter().filter(|function| !function.in_test && !function.records_change) {
        let tables = stale(function);
        if !tables.is_empty() {
            let (name, tables) = (&function.name, tables.join(" and "));
            report.add(function.line, format!("{name}: a function that writes {tables} (cached) calls Tx::changed"));
        }
    }
}

/// The cached tables of which the function makes values stale, each once.
fn stale(function: &Function) -> Vec<&str> {
    let targets = function.targets.iter().map(|target| (target.table.as_str(), target.statement));
    let in_sql = function.literals.iter().flat_map(|text| sql::tables(text));
    let in_sql = in_sql.filter_map(|table| Some((table.name, table.written?)));
    let mut tables: Vec<&str> =
        targets.chain(in_sql).filter(|(table, by)| is_stale_after(table, *by)).map(|(table, _)| table).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn is_stale_after(table: &str, statement: Statement) -> bool {
    CACHED.iter().any(|(cached, statements)| *cached == table && statements.contains(&statement))
}
