//! Schemas with all tables. A test that ends gives its schema back, and a later one empties it and uses it again,
//! because running all migrations takes ten times as long. One that was altered or has grown is left behind.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::Client;
use uuid::Uuid;

use super::cluster;

/// A schema of the throw-away cluster, for one test.
pub(crate) struct Schema(String);

/// Schemas that tests have given back, oldest first.
static USED: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
/// What a schema looks like to which nothing was done yet.
static FRESH: OnceCell<Fresh> = OnceCell::const_new();

struct Fresh {
    shape: String,
    /// Empties every table of the schema on the search path, and inserts what the migrations insert.
    reset: String,
}

/// How often, every ten milliseconds, it is checked that the last connection of the previous test is gone.
const CHECKS: usize = 100;

/// A hash of the tables, columns, indexes, constraints, triggers and functions of schema `$1`, with the statistics that
/// the planner uses; `large` if a table has outgrown what an emptied one should have.
const SHAPE: &str = "WITH space AS (SELECT '$1'::regnamespace AS id),
    part AS (
        SELECT format('r %s %s %s %s %s', relname, relkind, relpages, reltuples, relhastriggers) AS line
        FROM pg_class, space WHERE relnamespace = id
        UNION ALL
        SELECT format('a %s %s %s %s %s', relname, attname, atttypid, attnotnull, atthasdef)
        FROM pg_class, space, pg_attribute WHERE relnamespace = id AND relkind = 'r' AND attrelid = pg_class.oid
        UNION ALL
        SELECT format('c %s %s %s %s', conname, contype, convalidated, length(conbin::text))
        FROM pg_constraint, space WHERE connamespace = id
        UNION ALL
        SELECT format('t %s %s %s', relname, tgname, tgenabled)
        FROM pg_class, space, pg_trigger WHERE relnamespace = id AND tgrelid = pg_class.oid AND NOT tgisinternal
        UNION ALL
        SELECT format('p %s %s', proname, md5(prosrc)) FROM pg_proc, space WHERE pronamespace = id
    )
    SELECT CASE WHEN (SELECT max(pg_relation_size(pg_class.oid)) FROM pg_class, space
            WHERE relnamespace = id AND relkind = 'r') > 1000000 THEN 'large'
        ELSE md5(string_agg(line, '|' ORDER BY line)) END FROM part";

impl Schema {
    /// A schema with empty tables.
    pub(crate) async fn new() -> Arc<Schema> {
        let client = cluster::connect(cluster::throwaway()).await;
        let fresh = FRESH.get_or_init(|| fresh(&client)).await;
        loop {
            let used = USED.lock().unwrap().pop_front();
            let Some(name) = used else { break };
            if is_reset(&client, fresh, &name).await {
                return Arc::new(Schema(name));
            }
        }
        Arc::new(Schema(migrate(&client).await))
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A test that failed may have left anything.
        if !std::thread::panicking() {
            USED.lock().unwrap().push_back(std::mem::take(&mut self.0));
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

async fn fresh(client: &Client) -> Fresh {
    let name = migrate(client).await;
    let shape = cluster::first(client, &SHAPE.replace("$1", &name)).await;
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
        WHERE relnamespace = '$1'::regnamespace AND relkind = 'r'";
    let mut reset = "SET session_replication_role = replica;".to_owned();
    for table in cluster::first(client, &tables.replace("$1", &name)).await.split(' ') {
        reset += &format!("DELETE FROM {table};");
        if cluster::first(client, &format!("SELECT count(*) FROM {name}.{table}")).await != "0" {
            reset += &format!("INSERT INTO {table} SELECT * FROM {name}.{table};");
        }
    }
    Fresh { shape, reset: reset + "RESET session_replication_role;" }
}

/// Empties the tables of a schema, unless they are not those of a fresh one or somebody still uses them.
async fn is_reset(client: &Client, fresh: &Fresh, name: &str) -> bool {
    // The previous test's connections are named after its schema.
    let busy = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    let mut checks = 0;
    while cluster::first(client, &busy).await != "0" {
        if checks == CHECKS {
            return false;
        }
        checks += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if cluster::first(client, &SHAPE.replace("$1", name)).await != fresh.shape {
        return false;
    }
    client.batch_execute(&format!("BEGIN; SET LOCAL search_path = {name}; {} COMMIT", fresh.reset)).await.unwrap();
    true
}

/// Makes a schema and runs all migrations in it, at once: the harness of diesel takes a lock for each.
async fn migrate(client: &Client) -> String {
    let name = format!("t_{}", Uuid::new_v4().simple());
    let mut folders: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let mut sql = format!("CREATE SCHEMA {name}; SET search_path = {name};");
    for folder in folders {
        sql += &std::fs::read_to_string(folder.join("up.sql")).unwrap();
    }
    client.batch_execute(&format!("{sql} RESET search_path")).await.unwrap();
    name
}
