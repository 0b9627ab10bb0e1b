//! What statements read: `auto_explain` writes their plans into the log of the cluster.

use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{TestApp, cluster, eventually};

/// Writes the plans of a connection's statements, with what they have read, into the log.
const EXPLAIN: [&str; 6] = [
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_format = 'json'",
];

/// The plans of what a node reads.
pub(crate) struct Plans {
    /// How much of the log was read.
    place: usize,
}

impl Plans {
    /// Begins with the node's next statement.
    pub(crate) async fn of(app: &TestApp) -> Plans {
        let connections = futures_util::future::join_all((0..4).map(|_| app.app.db.read())).await;
        for conn in connections {
            let mut conn = conn.unwrap();
            for setting in EXPLAIN {
                diesel::sql_query(setting).execute(&mut *conn).await.unwrap();
            }
        }
        Plans { place: std::fs::metadata(log()).unwrap().len() as usize }
    }

    /// Waits for `count` more plans of statements that have `part` in their text. The log is written by other processes.
    pub(crate) async fn next(&mut self, part: &str, count: usize) -> Vec<Value> {
        let mut seen = Vec::new();
        eventually("the plans are in the log", async || {
            seen.extend(self.written());
            seen.retain(|plan: &Value| plan["Query Text"].as_str().unwrap().contains(part));
            seen.len() >= count
        })
        .await;
        seen
    }

    fn written(&mut self) -> Vec<Value> {
        let log = std::fs::read(log()).unwrap();
        let new = String::from_utf8_lossy(&log[self.place..]).into_owned();
        // Those of other tests are not JSON. The last one may be written only in part.
        let plans = new.split("  plan:\n").skip(1).filter(|plan| !plan.starts_with("\tQuery Text"));
        let read = |plan: &str| serde_json::Deserializer::from_str(plan).into_iter::<Value>().next()?.ok();
        let Some(plans) = plans.map(read).collect::<Option<Vec<Value>>>() else { return Vec::new() };
        self.place += new.len();
        plans
    }
}

fn log() -> std::path::PathBuf {
    cluster::folder().join("postgres/postgres.log")
}

/// The rows that the nodes of a plan have read from tables and indexes, the most of one node.
pub(crate) fn most_rows(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let read = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let own = if node["Relation Name"].is_string() { read * number("Actual Loops") } else { 0.0 };
    let below = node["Plans"].as_array().into_iter().flatten();
    below.map(most_rows).fold(own, f64::max)
}

/// Those of `tables` that a plan reads from one end to the other.
pub(crate) fn whole_tables(node: &Value, tables: &[&str]) -> Vec<String> {
    let below = node["Plans"].as_array().into_iter().flatten().flat_map(|node| whole_tables(node, tables));
    let table = node["Relation Name"].as_str().filter(|_| node["Node Type"] == "Seq Scan");
    below.chain(table.filter(|table| tables.contains(table)).map(str::to_owned)).collect()
}
