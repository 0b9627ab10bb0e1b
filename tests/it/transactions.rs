//! Transactions that meet: row locks, deadlocks, retries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use lyceum::platform::auth::Role;
use lyceum::platform::db::{Db, Tx};
use lyceum::platform::internal_error::InternalError;
use serde_json::json;
use tokio::sync::Barrier;

use crate::enrollments::school;
use crate::support::TestApp;

async fn run(tx: &mut Tx, sql: &str) -> Result<(), InternalError> {
    Ok(tx.conn().batch_execute(sql).await?)
}

async fn insert(db: &Db) -> Result<(), InternalError> {
    db.transaction(async |tx| run(tx, "INSERT INTO locked VALUES (1)").await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_is_run_again() {
    let app = TestApp::start().await;
    app.sql("CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL)").await;
    app.sql("INSERT INTO counters VALUES (1, 0), (2, 0)").await;
    let (db, meet, runs) = (&app.app.db, Barrier::new(2), AtomicUsize::new(0));
    let add = async |first: i32, second: i32| {
        let tried = AtomicUsize::new(0);
        let (meet, runs, tried) = (&meet, &runs, &tried);
        db.transaction(async |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            run(tx, &format!("UPDATE counters SET value = value + 1 WHERE id = {first}")).await?;
            // Only the first time: then each holds what the other one wants.
            if tried.fetch_add(1, Ordering::SeqCst) == 0 {
                meet.wait().await;
            }
            run(tx, &format!("UPDATE counters SET value = value + 1 WHERE id = {second}")).await
        })
        .await
    };
    let (one, two) = tokio::join!(add(1, 2), add(2, 1));
    one.unwrap();
    two.unwrap();
    assert_eq!(app.sql("SELECT string_agg(value::text, ' ' ORDER BY id) FROM counters").await, "2 2");
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of them was run twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_never_succeeds_is_given_up() {
    let app = TestApp::start().await;
    let runs = AtomicUsize::new(0);
    let failed = app.app.db.transaction(async |tx| {
        runs.fetch_add(1, Ordering::SeqCst);
        run(tx, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'serialization_failure'; END $$").await
    });
    failed.await.unwrap_err();
    assert_eq!(runs.load(Ordering::SeqCst), 4);
    runs.store(0, Ordering::SeqCst);
    let failed = app.app.db.transaction(async |tx| {
        runs.fetch_add(1, Ordering::SeqCst);
        run(tx, "SELECT 1 / 0").await
    });
    failed.await.unwrap_err();
    assert_eq!(runs.load(Ordering::SeqCst), 1, "another failure is not transient");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_enrolls_waits_for_the_author() {
    let school = school().await;
    let (db, sam) = (&school.app.app.db, school.app.user("Eve", Role::Student).await);
    let enroll = db.transaction(async |tx| {
        // An edit in progress holds the row as `editable` does.
        run(tx, "UPDATE courses SET title = 'New' WHERE true").await?;
        let input = json!({ "courseId": school.course.id });
        let enrolling = school.app.mutate(&sam, "enroll", "entitlement { id }", input);
        tokio::time::timeout(Duration::from_secs(10), enrolling).await.expect("it waits for the course's row");
        Ok::<_, InternalError>(())
    });
    enroll.await.unwrap();
    assert_eq!(school.students().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_is_being_deleted_takes_no_students() {
    let school = school().await;
    for number in 0..10 {
        let sam = school.app.user(&format!("Sam {number}"), Role::Student).await;
        let course = school.app.course(&school.ada, &format!("Course {number}"), 1).await;
        let delete = "mutation ($input: DeleteCourseInput!) { deleteCourse(input: $input) { userErrors { code } } }";
        let enroll = "mutation ($input: EnrollInput!) { enroll(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "courseId": course.id } });
        let (deleted, enrolled) = tokio::join!(
            school.app.send(Some(&school.ada.token), delete, input.clone()),
            school.app.send(Some(&sam.token), enroll, input.clone()),
        );
        // Whoever comes first: the course is archived for its student, or gone for everybody.
        assert!(deleted.get("errors").is_none() && enrolled.get("errors").is_none(), "{deleted} {enrolled}");
    }
    let orphans = "SELECT count(*) FROM entitlements WHERE course_id IS NULL AND ended_at IS NULL";
    assert_eq!(school.app.sql(orphans).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_transactions_are_canceled_and_leave_nothing_behind() {
    let app = TestApp::start().await;
    app.sql("CREATE TABLE locked (id int)").await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%locked%'
        AND query NOT LIKE '%pg_stat_activity%'";
    let (held, release) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let db = &app.app.db;
    let holder = db.transaction(async |tx| {
        run(tx, "LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").await?;
        held.notify_one();
        release.notified().await;
        Ok::<_, InternalError>(())
    });
    let impatient = async {
        held.notified().await;
        for _ in 0..10 {
            let clients = (0..10).map(|_| tokio::time::timeout(Duration::from_millis(100), insert(db)));
            assert!(futures_util::future::join_all(clients).await.iter().all(Result::is_err), "nobody gets the lock");
            let (_, open) = db.pool_status();
            assert!(open <= 4, "{open} connections");
        }
        // Nothing waits on in PostgreSQL for clients that are gone.
        crate::support::eventually("all are canceled", async || app.sql(waiting).await == "0").await;
        release.notify_one();
    };
    let (held, ()) = tokio::join!(holder, impatient);
    held.unwrap();
    assert_eq!(app.sql("SELECT count(*) FROM locked").await, "0");
    insert(db).await.unwrap();
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND query LIKE '%locked%'";
    assert_eq!(app.sql(open).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_by_hand_is_prepared_once_for_a_connection() {
    use diesel::sql_types::{BigInt, Text};
    use lyceum::platform::db::{RunQueryDsl, sql_query};

    #[derive(diesel::QueryableByName)]
    struct Prepared {
        #[diesel(sql_type = BigInt)]
        statements: i64,
        #[diesel(sql_type = BigInt)]
        executions: i64,
    }
    let app = TestApp::start().await;
    let prepared = app.app.db.transaction(async |tx| {
        for number in ["1", "2", "3"] {
            let set = sql_query("SELECT set_config('lyceum.number', $1, true)").bind::<Text, _>(number);
            set.execute(tx.conn()).await?;
        }
        let known = "SELECT count(*) AS statements, sum(generic_plans + custom_plans)::bigint AS executions \
            FROM pg_prepared_statements WHERE statement LIKE 'SELECT set_config(''lyceum.number%'";
        let known: Prepared = sql_query(known).get_result(tx.conn()).await?;
        Ok::<_, InternalError>(known)
    });
    let Prepared { statements, executions } = prepared.await.unwrap();
    assert_eq!((statements, executions), (1, 3));
}
