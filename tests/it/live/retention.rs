//! Attendances are deleted when they are old, if the school wants that; the hours and statistics of their months stay.

use super::*;
use crate::support::plans::{Plans, whole_tables};

const JOB: &str = "live.forget_attendances";
const COUNT: &str = "SELECT count(*) FROM live_attendances";
/// All that is told of a month and of a user.
const STATISTICS: &str = "query { subscriptionStatistics(month: \"2026-09\") {
    month activeMembers membersByPlan { members } upgrades participants totalHoursUsed totalHoursRemaining attendanceRate
    engagementRate topUsers { user { name } totalHoursAttended sessionsAttended } distribution { fromHours toHours users }
    trend { month hours members } computedAt } }";
const HISTORY: &str = "{ viewer { subscriptionUsageHistory(months: 3) { month totalHoursAttended heldHours
    maxHoursAllowed remainingHours rolledOverHours extraHours sessionsAttended lastAttendanceDate resetsAt warning } } }";
/// Moves what has happened into September.
const BACK: &str = "UPDATE live_usage SET month = '2026-09-01';
    UPDATE live_attendances SET month = '2026-09-01', since = since - interval '61 days',
        settled_at = settled_at - interval '61 days'";

impl School {
    /// A session in which Sam was and Tim was not, and which Uma has left before, two months ago.
    async fn with_history(settings: &[(&str, &str)]) -> School {
        let school = School::with(settings).await;
        let uma = school.app.user("Uma", Role::Student).await;
        let id = school.session(at(60), None).await;
        for user in [&school.sam, &school.tim, &uma] {
            school.join(user, &id, false).await;
        }
        school.leave(&uma, &id).await;
        school.turn_to(at(50)).await;
        school.join(&school.sam, &id, false).await;
        school.turn_to(at(120)).await;
        school.app.sql(BACK).await;
        school
    }
}

/// Brief 003, "Monthly Reset": historical data is preserved for analytics. "Database Indexes": regular cleanup of old
/// attendance records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hours_and_statistics_of_a_month_stay_when_its_attendances_are_deleted() {
    let school = School::with_history(&[("LYCEUM_ATTENDANCE_DAYS", "61")]).await;
    // One that is about to be, and one of today.
    let (held, recent) = (school.session(at(1200), None).await, school.session(at(180), None).await);
    for id in [&held, &recent] {
        school.join(&school.sam, id, false).await;
    }
    school.turn_to(at(240)).await;
    let told = async || {
        let statistics = school.app.data(Some(&school.root.token), STATISTICS, json!({})).await;
        (statistics, school.app.data(Some(&school.sam.token), HISTORY, json!({})).await)
    };
    let before = told().await;
    let month = &before.0["subscriptionStatistics"];
    assert_eq!((&month["participants"], &month["attendanceRate"]), (&json!(2), &json!(0.5)), "{month:#}");
    assert_eq!(before.1["viewer"]["subscriptionUsageHistory"][2]["totalHoursAttended"], "1");
    assert_eq!(school.app.sql(COUNT).await, "5");
    school.app.run(JOB).await;
    assert_eq!(school.app.sql(COUNT).await, "2", "those of Sam that are not old");
    assert_eq!(told().await, before);
    school.app.run(JOB).await;
    assert_eq!(school.app.sql(COUNT).await, "2");
    assert_eq!(school.place(&school.sam, &held).await, "HELD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attendances_are_kept_for_good_by_default_and_for_as_long_as_the_setting_says() {
    for (days, left) in [("0", "3"), ("62", "3"), ("61", "0")] {
        let school = School::with_history(&[("LYCEUM_ATTENDANCE_DAYS", days)]).await;
        school.app.run(JOB).await;
        assert_eq!(school.app.sql(COUNT).await, left, "{days} days");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_had_participants_is_not_deleted_when_its_attendances_are() {
    let school = School::with_history(&[("LYCEUM_ATTENDANCE_DAYS", "61")]).await;
    let id = school.app.sql("SELECT id FROM live_sessions").await;
    let id = lyceum::live::LiveSessionId::new(id.parse().unwrap()).encode();
    for left in ["3", "0"] {
        assert_eq!(school.app.sql(COUNT).await, left);
        let refused = school.error(Some(&school.ada), "deleteLiveSession", json!({ "liveSessionId": id })).await;
        assert_eq!(refused.0, "NOT_ALLOWED");
        school.app.run(JOB).await;
    }
}

/// Whether there were places was not kept by an earlier version, which runs while this one is rolled out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_places_of_an_earlier_version_is_not_deleted() {
    for (days, code) in [("61", "NOT_ALLOWED"), ("0", "")] {
        let school = School::with(&[("LYCEUM_ATTENDANCE_DAYS", days)]).await;
        let id = school.session(at(60), None).await;
        let delete =
            async || school.error(Some(&school.ada), "deleteLiveSession", json!({ "liveSessionId": id })).await.0;
        school.join(&school.sam, &id, false).await;
        for stored in ["false", "NULL"] {
            school.app.sql(&format!("UPDATE live_sessions SET had_places = {stored}")).await;
            assert_eq!(delete().await, "NOT_ALLOWED", "{stored}");
        }
        school.turn_to(at(120)).await;
        assert_eq!(school.app.sql("SELECT had_places::text FROM live_sessions").await, "true");
        // Of one that is older, only the setting says that attendances may have been deleted.
        let old = "had_places = NULL, created_at = created_at - interval '62 days'";
        school.app.sql(&format!("DELETE FROM live_attendances; UPDATE live_sessions SET {old}")).await;
        assert_eq!(delete().await, code, "{days} days");
    }
}

/// Five thousand members who were in a session long ago, or have left it, beside the few of today.
const MANY: &str = "
    INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), 'member' || n || '@example.org', 'Member', 'STUDENT', now(), now()
        FROM generate_series(1, 5000) n;
    INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since, settled_at)
        SELECT u.id, s.id, u.id, CASE WHEN u.email LIKE '%5@%' THEN 'RELEASED' ELSE 'ATTENDED' END, 60, '2026-11-01',
            s.starts_at, CASE WHEN u.email LIKE '%5@%' THEN NULL ELSE s.ends_at END
        FROM live_sessions s, users u WHERE u.name = 'Member';
    ANALYZE live_attendances";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_attendances_are_found_by_an_index() {
    let school = School::with(&[("LYCEUM_ATTENDANCE_DAYS", "61")]).await;
    school.session(at(60), None).await;
    school.app.sql(MANY).await;
    let mut plans = Plans::of(&school.app).await;
    // Nothing is old: the table is not read to see that.
    school.app.run(JOB).await;
    for plan in plans.next("DELETE FROM live_attendances", 2).await {
        assert!(whole_tables(&plan["Plan"], &["live_attendances"]).is_empty(), "{plan:#}");
    }
    assert_eq!(school.app.sql(COUNT).await, "5000");
    school.app.sql(BACK).await;
    school.app.app.clock.advance(TimeDelta::hours(3));
    school.app.run(JOB).await;
    assert_eq!(school.app.sql(COUNT).await, "0", "in batches");
}
