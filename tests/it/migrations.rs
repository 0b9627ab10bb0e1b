//! Migrations go up, down and up again, and `src/platform/db/schema.rs` is what they make.

use std::fmt::Write;
use std::time::Duration;

use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::MigrationHarness;
use lyceum::platform::db::migrations::{self, MIGRATIONS};
use lyceum::platform::db::{self, Conn, Db};
use tokio_postgres::NoTls;

use crate::support::cluster;

/// Everything in the database that a migration can make, except for Diesel's own table, one line each.
const CATALOG: &str = "
    SELECT concat_ws(' ', 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' END, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relname <> '__diesel_schema_migrations'
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), condeferrable, condeferred)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '__diesel_schema_migrations'
    UNION ALL
    SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> '__diesel_schema_migrations'
    UNION ALL
    SELECT concat_ws(' ', 'relation', relkind, relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_diesel%'
    UNION ALL
    SELECT concat_ws(' ', 'function', pg_get_functiondef(oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'enum', t.typname, e.enumsortorder, e.enumlabel)
    FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
    UNION ALL
    SELECT concat_ws(' ', 'extension', extname) FROM pg_extension
    UNION ALL
    SELECT concat_ws(' ', 'rows', relname, (xpath('/row/c/text()',
        query_to_xml(format('SELECT count(*) AS c FROM %I', relname), false, true, '')))[1]::text) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '__diesel_schema_migrations'
    ORDER BY line";

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// The URL of a new, empty database.
async fn fresh() -> String {
    let url = cluster::throwaway();
    let name = format!("m_{}", uuid::Uuid::new_v4().simple());
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

fn connect(url: &str) -> Db {
    Db::new(&db::Settings { url: url.to_owned(), connections: 2, timeout: Duration::from_secs(15), schema: None })
        .unwrap()
}

async fn lines(conn: &mut AsyncPgConnection, sql: &str) -> Vec<String> {
    let rows: Vec<Line> = diesel::sql_query(sql).load(conn).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// The database's structure after one more, or one less, migration.
async fn after(conn: Conn, work: impl FnOnce(&mut AsyncMigrationHarness<Conn>)) -> (Conn, Vec<String>) {
    let mut harness = AsyncMigrationHarness::new(conn);
    work(&mut harness);
    let mut conn = harness.into_inner();
    let structure = lines(&mut conn, CATALOG).await;
    (conn, structure)
}

fn difference(before: &[String], after: &[String]) -> String {
    let lacks = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    lacks.chain(new).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_migration_goes_up_down_and_up_again() {
    let database = connect(&fresh().await);
    let count = migrations::count().unwrap();
    let mut conn = database.read().await.unwrap();
    let mut steps = vec![lines(&mut conn, CATALOG).await];
    for number in 0..count {
        let (next, structure) = after(conn, |harness| drop(harness.run_next_migration(MIGRATIONS).unwrap())).await;
        assert_ne!(structure, steps[number], "migration {} does something", number + 1);
        (conn, steps) = (next, [steps, vec![structure]].concat());
    }
    for number in (0..count).rev() {
        let (next, structure) = after(conn, |harness| drop(harness.revert_last_migration(MIGRATIONS).unwrap())).await;
        conn = next;
        assert_eq!(structure, steps[number], "down {}:\n{}", number + 1, difference(&steps[number], &structure));
    }
    let tables = lines(&mut conn, "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'").await;
    assert_eq!(tables, ["__diesel_schema_migrations"], "nothing is left");
    let (mut conn, structure) = after(conn, |harness| {
        let applied = harness.run_pending_migrations(MIGRATIONS).unwrap();
        assert_eq!(applied.len(), count);
    })
    .await;
    assert_eq!(structure, steps[count], "up again:\n{}", difference(&steps[count], &structure));
    let counter = lines(&mut conn, "SELECT last_position::text AS line FROM event_counter").await;
    assert_eq!(counter, ["0"], "what a migration inserts is there again");
    for kind in ["column users ", "constraint lessons ", "index CREATE UNIQUE INDEX", "rows event_counter 1"] {
        assert!(structure.iter().any(|line| line.starts_with(kind)), "the comparison sees {kind}: {structure:#?}");
    }
}

/// What lessons offer was a list in their rows and is a table since the nineteenth migration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lessons_offer_is_moved_and_moved_back() {
    let database = connect(&fresh().await);
    let mut conn = database.read().await.unwrap();
    for _ in 0..18 {
        conn = after(conn, |harness| drop(harness.run_next_migration(MIGRATIONS).unwrap())).await.0;
    }
    let rows = [
        "INSERT INTO users (id, email, name, role, created_at, updated_at)
            SELECT gen_random_uuid(), 'ada@people.example', 'Ada', 'INSTRUCTOR', now(), now()",
        "INSERT INTO courses (id, slug, title, instructor_id, created_at, updated_at)
            SELECT gen_random_uuid(), 'engines', 'Engines', id, now(), now() FROM users",
        "INSERT INTO sections (id, course_id, position, title, created_at, updated_at)
            SELECT gen_random_uuid(), id, 1, 'Basics', now(), now() FROM courses",
        r#"INSERT INTO lessons (id, course_id, section_id, position, title, duration_seconds, resources, created_at, updated_at)
            SELECT gen_random_uuid(), course_id, id, n, n, 1, CASE WHEN n = 1
                THEN '[{"name": "b", "url": "https://b.example"}, {"name": "a", "url": "https://a.example"}]' ELSE '[]' END::jsonb,
                now(), now() FROM sections, generate_series(1, 2) AS n"#,
    ];
    for sql in rows {
        diesel::sql_query(sql).execute(&mut conn).await.unwrap();
    }
    let list = "SELECT concat(title, ' ', resources) AS line FROM lessons ORDER BY title";
    let before = lines(&mut conn, list).await;
    let (mut conn, _) = after(conn, |harness| drop(harness.run_next_migration(MIGRATIONS).unwrap())).await;
    let table = "SELECT concat_ws(' ', title, r.position, name, url, file_id) AS line
        FROM lesson_resources r JOIN lessons ON lessons.id = lesson_id ORDER BY title, r.position";
    assert_eq!(lines(&mut conn, table).await, ["1 1 b https://b.example", "1 2 a https://a.example"]);
    // The program writes the table only.
    diesel::sql_query("UPDATE lessons SET resources = '[]'").execute(&mut conn).await.unwrap();
    let (mut conn, _) = after(conn, |harness| drop(harness.revert_last_migration(MIGRATIONS).unwrap())).await;
    assert_eq!(lines(&mut conn, list).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_migrate_at_once_both_succeed_and_nothing_is_done_twice() {
    for _ in 0..3 {
        let url = fresh().await;
        let names = migrations::pending(&connect(&url)).await.unwrap();
        assert_eq!(names.len(), migrations::count().unwrap(), "{names:?}");
        // Tasks of their own: a migration blocks its thread.
        let nodes: Vec<_> = (0..2)
            .map(|_| connect(&url))
            .map(|database| tokio::spawn(async move { migrations::run(&database).await.unwrap() }))
            .collect();
        let mut applied = Vec::new();
        for node in nodes {
            applied.extend(node.await.unwrap());
        }
        assert_eq!(applied.len(), names.len(), "{applied:?}");
        let database = connect(&url);
        assert_eq!(migrations::pending(&database).await.unwrap(), [""; 0]);
        assert_eq!(migrations::run(&database).await.unwrap(), [""; 0], "a third time there is nothing to do");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schema_rs_is_what_the_migrations_make() {
    let database = connect(&fresh().await);
    migrations::run(&database).await.unwrap();
    let mut conn = database.read().await.unwrap();
    let expected = print_schema(&mut conn).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/platform/db/schema.rs");
    let file = std::fs::read_to_string(path).unwrap();
    let printed = concat!(env!("CARGO_TARGET_TMPDIR"), "/schema.rs");
    std::fs::write(printed, &expected).unwrap();
    let file: Vec<&str> = file.lines().filter(|line| !line.starts_with("//")).collect();
    let file = file.join("\n").trim().to_owned() + "\n";
    for (number, (old, new)) in file.lines().zip(expected.lines()).enumerate() {
        assert_eq!(
            old,
            new,
            "schema.rs (left) differs from the database (right, all of it in {printed}) in line {} below its head",
            number + 1
        );
    }
    assert_eq!(file.lines().count(), expected.lines().count(), "schema.rs or the database has more:\n{expected}");
}

/// What `diesel print-schema` prints, except that an array's items are not null: nothing stores such nulls.
async fn print_schema(conn: &mut AsyncPgConnection) -> String {
    let tables = lines(
        conn,
        "SELECT tablename::text AS line FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> '__diesel_schema_migrations' ORDER BY 1",
    )
    .await;
    let mut text = String::new();
    for table in &tables {
        let key = lines(
            conn,
            &format!(
                "SELECT a.attname::text AS line FROM pg_index i
                JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) ON true
                JOIN pg_attribute a ON (a.attrelid, a.attnum) = (i.indrelid, k.attnum)
                WHERE i.indrelid = '{table}'::regclass AND i.indisprimary ORDER BY k.place"
            ),
        )
        .await;
        let columns = lines(
            conn,
            &format!(
                "SELECT concat_ws(' ', column_name, udt_name, is_nullable) AS line FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        )
        .await;
        writeln!(text, "diesel::table! {{\n    {table} ({}) {{", key.join(", ")).unwrap();
        for column in columns {
            let parts: Vec<&str> = column.split(' ').collect();
            let ty =
                if parts[2] == "YES" { format!("Nullable<{}>", diesel_type(parts[1])) } else { diesel_type(parts[1]) };
            writeln!(text, "        {} -> {ty},", parts[0]).unwrap();
        }
        text += "    }\n}\n\n";
    }
    // Keys of one column that lead to another table's primary key, if there is only one such way in either direction.
    let joinable = lines(
        conn,
        "SELECT format('diesel::joinable!(%s -> %s (%s));', f.conrelid::regclass, f.confrelid::regclass, a.attname) AS line
        FROM pg_constraint f JOIN pg_attribute a ON (a.attrelid, a.attnum) = (f.conrelid, f.conkey[1])
        JOIN pg_constraint p ON p.conrelid = f.confrelid AND p.contype = 'p' AND p.conkey = f.confkey
        WHERE f.contype = 'f' AND cardinality(f.conkey) = 1 AND f.conrelid <> f.confrelid
            AND f.connamespace = 'public'::regnamespace
            AND (SELECT count(*) FROM pg_constraint o WHERE o.contype = 'f' AND (o.conrelid, o.confrelid)
                IN ((f.conrelid, f.confrelid), (f.confrelid, f.conrelid))) = 1
        ORDER BY 1",
    )
    .await;
    text + &joinable.join("\n") + "\n"
}

fn diesel_type(name: &str) -> String {
    match name {
        "uuid" | "text" | "int2" | "int4" | "int8" | "bool" | "timestamptz" | "date" | "jsonb" | "numeric"
        | "bytea" | "float8" | "interval" | "varchar" => format!("{}{}", name[..1].to_uppercase(), &name[1..]),
        "tsvector" => "crate::platform::db::TsVector".into(),
        array if array.starts_with('_') => format!("Array<{}>", diesel_type(&array[1..])),
        other => panic!("how does Diesel call {other}? Add it here"),
    }
}
