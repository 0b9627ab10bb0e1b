//! Access that is given, taken, taken for nothing, and that expires.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_gives_access_until_it_is_taken_back() {
    let school = school().await;
    assert_eq!(school.reason(None).await, "SIGN_IN_REQUIRED");
    let refused =
        json!({ "granted": false, "source": null, "reason": "NOT_ENROLLED", "unlocksAt": null, "expiresAt": null });
    assert_eq!(school.access(Some(&school.sam)).await, refused);
    let row = school.grant(&school.sam, None).await;
    assert_eq!(
        (&row["source"], &row["user"]["name"], &row["grantedBy"]["name"]),
        (&json!("GRANT"), &json!("Sam"), &json!("Root"))
    );
    let granted =
        json!({ "granted": true, "source": "GRANT", "reason": "ENTITLED", "unlocksAt": null, "expiresAt": null });
    assert_eq!(school.access(Some(&school.sam)).await, granted);
    assert_eq!(school.students().await, 1);
    assert_eq!(school.grant(&school.sam, None).await["id"], row["id"], "again changes nothing");
    let ended = school.revoke(&school.sam).await;
    assert_eq!((&ended["id"], &ended["endReason"]), (&row["id"], &json!("REVOKED")));
    assert_eq!((school.access(Some(&school.sam)).await, school.students().await), (refused, 0));
    let events = school.app.sql("SELECT string_agg(kind, ' ' ORDER BY id) FROM events WHERE kind LIKE 'access%'").await;
    assert_eq!(events, "access_granted access_ended");
    let trail = "SELECT string_agg(action || ' ' || (subject_id = user_id)::text, ', ' ORDER BY at, audit_entries.id) \
        FROM audit_entries, entitlements WHERE action LIKE 'course_access%'";
    assert_eq!(school.app.sql(trail).await, "course_access_granted true, course_access_revoked true");
    let again = school.grant(&school.sam, None).await;
    assert_ne!(again["id"], row["id"], "the ledger keeps the line that was ended");
    assert_eq!(school.app.sql("SELECT count(*) FROM entitlements").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_give_and_take_and_mistakes_are_told() {
    let school = school().await;
    let (user, course) = (&school.sam.id, &school.course.id);
    for field in ["grantCourseAccess", "revokeCourseAccess"] {
        let ty = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {ty}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
        for (token, code) in [
            (Some(&*school.ada.token), "FORBIDDEN"),
            (Some(&*school.sam.token), "FORBIDDEN"),
            (None, "UNAUTHENTICATED"),
        ] {
            let body = school.app.send(token, &query, json!({ "input": { "userId": user, "courseId": course } })).await;
            assert_eq!(body["errors"][0]["extensions"]["code"], code, "{body:#}");
        }
    }
    let now = school.now();
    let ghost = "user_00000000000000000000000001";
    let no_course = "course_00000000000000000000000001";
    for (input, code, place) in [
        (json!({ "userId": user, "courseId": course, "expiresAt": now }), "OUT_OF_RANGE", json!(["expiresAt"])),
        (json!({ "userId": user, "courseId": course, "reason": "x".repeat(501) }), "TOO_LONG", json!(["reason"])),
        (json!({ "userId": ghost, "courseId": course }), "NOT_FOUND", json!(["userId"])),
        (json!({ "userId": user, "courseId": no_course }), "NOT_FOUND", json!(["courseId"])),
    ] {
        let errors = school.refused(&school.root, "grantCourseAccess", input).await;
        assert_eq!(errors, [(code.to_owned(), place)]);
    }
    let nothing =
        school.refused(&school.root, "revokeCourseAccess", json!({ "userId": user, "courseId": course })).await;
    assert_eq!(nothing, [("NOT_FOUND".to_owned(), json!([]))]);
    assert_eq!(school.app.sql("SELECT count(*) FROM entitlements").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_ends_on_its_last_second_and_the_count_follows() {
    let school = school().await;
    let end = school.now() + TimeDelta::minutes(10);
    let row = school.grant(&school.sam, Some(end)).await;
    school.pass(TimeDelta::minutes(10) - TimeDelta::seconds(1)).await;
    assert_eq!((school.reason(Some(&school.sam)).await.as_str(), school.students().await), ("ENTITLED", 1));
    // Not even the job has run.
    school.app.app.clock.advance(TimeDelta::seconds(1));
    let access = school.access(Some(&school.sam)).await;
    assert_eq!((&access["granted"], &access["reason"]), (&json!(false), &json!("EXPIRED")));
    assert_eq!(access["expiresAt"], json!(end.to_rfc3339()));
    school.app.settle().await;
    assert_eq!(school.students().await, 0);
    assert_eq!(school.app.sql("SELECT end_reason FROM entitlements").await, "EXPIRED");
    assert_eq!(school.reason(Some(&school.sam)).await, "EXPIRED", "it is known that there was access");
    let again = school.grant(&school.sam, None).await;
    assert_ne!(again["id"], row["id"]);
    assert_eq!(school.reason(Some(&school.sam)).await, "ENTITLED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_moved_counts_and_the_older_job_does_nothing() {
    let school = school().await;
    let first = school.grant(&school.sam, Some(school.now() + TimeDelta::minutes(10))).await;
    let moved = school.grant(&school.sam, Some(school.now() + TimeDelta::minutes(30))).await;
    assert_eq!((&first["id"], &first["startsAt"]), (&moved["id"], &moved["startsAt"]));
    school.pass(TimeDelta::minutes(20)).await;
    assert_eq!((school.reason(Some(&school.sam)).await.as_str(), school.students().await), ("ENTITLED", 1));
    school.pass(TimeDelta::minutes(10)).await;
    assert_eq!((school.reason(Some(&school.sam)).await.as_str(), school.students().await), ("EXPIRED", 0));
    // A job that was lost is made up for by the sweep.
    school.grant(&school.sam, Some(school.now() + TimeDelta::minutes(10))).await;
    school.app.sql("DELETE FROM jobs WHERE handler = 'enrollments.expire'").await;
    school.pass(TimeDelta::minutes(11)).await;
    assert_eq!(school.students().await, 1);
    school.app.run("enrollments.expire_due").await;
    assert_eq!(school.students().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_costs_nothing_is_for_everybody_who_enrolls() {
    let school = school().await;
    let input = json!({ "courseId": school.course.id });
    let taken =
        school.app.mutate(&school.sam, "enroll", "entitlement { id source course { title } }", input.clone()).await;
    assert_eq!(
        (&taken["entitlement"]["source"], &taken["entitlement"]["course"]["title"]),
        (&json!("FREE"), &json!("Engines"))
    );
    let again = school.app.mutate(&school.sam, "enroll", "entitlement { id }", input.clone()).await;
    assert_eq!(again["entitlement"]["id"], taken["entitlement"]["id"]);
    // The end of one source is not the end of another.
    school.grant(&school.sam, None).await;
    assert_eq!(school.students().await, 1);
    school.revoke(&school.sam).await;
    assert_eq!((school.access(Some(&school.sam)).await["source"].take(), school.students().await), (json!("FREE"), 1));
    let none = school
        .refused(&school.root, "revokeCourseAccess", json!({ "userId": school.sam.id, "courseId": school.course.id }))
        .await;
    assert_eq!(none[0].0, "NOT_FOUND", "an administrator takes back what administrators have given");
    let eve = school.app.user("Eve", Role::Student).await;
    school.app.sql("UPDATE courses SET price_minor = 1").await;
    assert_eq!(school.refused(&eve, "enroll", input.clone()).await, [("NOT_ALLOWED".to_owned(), json!(["courseId"]))]);
    school.app.sql("UPDATE courses SET price_minor = 0, published_at = NULL").await;
    assert_eq!(school.refused(&eve, "enroll", input).await, [("NOT_FOUND".to_owned(), json!(["courseId"]))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_holds_what_the_program_promises() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    let copy = "INSERT INTO entitlements SELECT gen_random_uuid(), user_id, course_id, source, starts_at, expires_at FROM entitlements";
    let owned = "DELETE FROM courses";
    let half_ended = "UPDATE entitlements SET ended_at = now()";
    for (statement, constraint) in
        [(copy, "given_once"), (owned, "entitlements_open_check"), (half_ended, "entitlements_check")]
    {
        let guarded = format!(
            "CREATE FUNCTION pg_temp.refused() RETURNS text LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN 'done'; \
             EXCEPTION WHEN integrity_constraint_violation THEN RETURN SQLERRM; END $$; SELECT pg_temp.refused()"
        );
        let answer = school.app.sql(&guarded).await;
        assert!(answer.contains(constraint), "{statement}: {answer}");
    }
}
