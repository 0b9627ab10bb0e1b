//! What administrators see of a month.

use super::family::Home;
use super::memberships::MEMBERS_ONLY;
use super::*;
use crate::orders::fakes::google_play::{PlayFake, active};
use crate::support::plans::{Plans, most_rows, whole_tables};

const QUERY: &str = "query ($month: YearMonth) { subscriptionStatistics(month: $month) {
    month participants totalHoursUsed totalHoursRemaining attendanceRate engagementRate computedAt
    topUsers { user { name } totalHoursAttended } distribution { fromHours toHours users }
    trend { month hours members } } }";

/// Brief 003, "Admin Statistics".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_current_month_is_as_of_now() {
    let school = School::open().await;
    let ids = [school.session(at(60), None).await, school.session(at(180), None).await];
    let statistics =
        async |user: &User, month: Value| school.app.send(Some(&user.token), QUERY, json!({ "month": month })).await;
    let empty = statistics(&school.root, Value::Null).await["data"]["subscriptionStatistics"].take();
    assert_eq!((&empty["participants"], &empty["attendanceRate"]), (&json!(0), &json!(0.0)));
    // Sam is in both, Tim misses the second.
    for (id, minutes) in ids.iter().zip([50, 170]) {
        for user in [&school.sam, &school.tim] {
            school.join(user, id, false).await;
        }
        school.turn_to(at(minutes)).await;
        school.join(&school.sam, id, false).await;
        if minutes == 50 {
            school.join(&school.tim, id, false).await;
        }
    }
    school.turn_to(at(240)).await;
    let found = statistics(&school.root, Value::Null).await["data"]["subscriptionStatistics"].take();
    for (field, expected) in [
        ("month", json!("2026-11")),
        ("participants", json!(2)),
        ("totalHoursUsed", json!("3")),
        // Hours that are free are no membership's.
        ("totalHoursRemaining", json!("0")),
        ("attendanceRate", json!(0.75)),
        ("engagementRate", json!(0.0)),
        ("computedAt", json!(shown(240))),
        (
            "topUsers",
            json!([
                { "user": { "name": "Sam" }, "totalHoursAttended": "2" },
                { "user": { "name": "Tim" }, "totalHoursAttended": "1" },
            ]),
        ),
        (
            "distribution",
            json!([
                { "fromHours": "1", "toHours": "2", "users": 1 },
                { "fromHours": "2", "toHours": "3", "users": 1 },
            ]),
        ),
    ] {
        assert_eq!(found[field], expected, "{field}");
    }
    let trend = found["trend"].as_array().unwrap();
    assert_eq!((trend.len(), &trend[0]), (12, &json!({ "month": "2025-12", "hours": "0", "members": 0 })));
    assert_eq!(trend[11], json!({ "month": "2026-11", "hours": "3", "members": 2 }));
    // A correction counts at once.
    school.record(&school.ada, &ids[1], &[(&school.tim, true)]).await;
    let found = statistics(&school.root, json!("2026-11")).await;
    assert_eq!(found["data"]["subscriptionStatistics"]["attendanceRate"], 1.0);
    assert_eq!(code_of(&statistics(&school.ada, Value::Null).await), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_no_seat_is_no_participant() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "1"), ("LYCEUM_LIVE_MINUTES", "60,90")]).await;
    let full = school.session(at(120), Some(1)).await;
    let mut input = school.input(at(240));
    input["endsAt"] = json!(at(330));
    let long = school.created(&school.ada, input).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(school.join(&school.sam, &full, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.tim, &full, false).await, "FULL -");
    assert_eq!(school.join(&school.tim, &long, false).await, "INSUFFICIENT_HOURS -");
    assert_eq!(school.join(&school.tim, &full, true).await, "FULL WAITING");
    let body = school.app.send(Some(&school.root.token), QUERY, json!({})).await;
    let found = &body["data"]["subscriptionStatistics"];
    assert_eq!((&found["participants"], &found["totalHoursRemaining"]), (&json!(1), &json!("0")));
}

/// Brief 003, "Key Metrics" and "Admin Dashboard": members by plan, upgrades.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_has_its_members_by_plan_and_who_wanted_more() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "0")]).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let sam = school.subscribe(&school.sam, &basic, "30").await;
    school.subscribe(&school.tim, &basic, "30").await;
    school.app.app.clock.advance(TimeDelta::hours(20));
    let change = json!({ "membershipId": sam, "planPriceId": premium, "when": "NOW" });
    school.app.mutate(&school.sam, "changeMembership", "membership { id }", change).await;
    school.settle().await;
    let query =
        "query ($month: YearMonth) { subscriptionStatistics(month: $month) { activeMembers upgrades engagementRate
        membersByPlan { members plan { name } } } }";
    for round in ["kept", "filled by the migration"] {
        for (month, found) in [
            ("2026-10", json!({ "activeMembers": 0, "upgrades": 0, "engagementRate": 0.0, "membersByPlan": [] })),
            (
                "2026-11",
                json!({ "activeMembers": 2, "upgrades": 1, "engagementRate": 0.0, "membersByPlan": [
                    { "members": 2, "plan": { "name": "Basic" } }, { "members": 1, "plan": { "name": "Premium" } },
                ] }),
            ),
            // A month that only the present plans cover.
            (
                "2027-01",
                json!({ "activeMembers": 2, "upgrades": 0, "engagementRate": 0.0, "membersByPlan": [
                    { "members": 1, "plan": { "name": "Basic" } }, { "members": 1, "plan": { "name": "Premium" } },
                ] }),
            ),
        ] {
            let mut seen = school.app.data(Some(&school.root.token), query, json!({ "month": month })).await;
            let plans = seen["subscriptionStatistics"]["membersByPlan"].as_array_mut().unwrap();
            plans.sort_by_key(|row| row["plan"]["name"].to_string());
            assert_eq!(seen["subscriptionStatistics"], found, "{month}, {round}");
        }
        let migration = include_str!("../../../migrations/2026-11-23-000150_membership_spans_filled/up.sql");
        let (fill, _) = migration.split_once("CREATE INDEX").unwrap();
        school.app.sql(&format!("DELETE FROM membership_spans; {fill}")).await;
    }
}

/// What a month has of members, beside what users have attended: the members of plans by the names of these.
async fn members_of(school: &School, month: &str) -> String {
    let query = "query ($month: YearMonth) { subscriptionStatistics(month: $month) { activeMembers upgrades
        engagementRate totalHoursRemaining membersByPlan { members plan { name } } } }";
    let mut seen = school.app.data(Some(&school.root.token), query, json!({ "month": month })).await;
    let found = seen["subscriptionStatistics"].take();
    let plan = |row: &Value| format!("{} {}", row["plan"]["name"].as_str().unwrap(), row["members"]);
    let mut plans: Vec<String> = found["membersByPlan"].as_array().unwrap().iter().map(plan).collect();
    plans.sort();
    let [members, upgrades, rate] = ["activeMembers", "upgrades", "engagementRate"].map(|field| &found[field]);
    let left = found["totalHoursRemaining"].as_str().unwrap();
    format!("{members} members ({}), {upgrades} upgrades, {rate} engaged, {left} hours left", plans.join(", "))
}

/// Brief 003, "Key Metrics": engagement rate; "Admin Dashboard": hours left, members by plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_left_and_engagement_are_those_of_all_active_members() {
    // Nine in the morning of the last day of November.
    let school = School::later(&[("LYCEUM_LIVE_FREE_HOURS", "1")], TimeDelta::days(10)).await;
    let start = school.now() + TimeDelta::hours(2);
    let mut more = Vec::new();
    for name in ["Uma", "Vic", "Wim", "Xia"] {
        more.push(school.app.user(name, Role::Student).await);
    }
    let [uma, vic, wim, xia] = &more[..] else { unreachable!() };
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let family = school.plan_with("Family", "6", "60", json!({ "familySize": 2 })).await;
    school.subscribe(&school.sam, &basic, "30").await;
    let idle = school.subscribe(&school.tim, &basic, "30").await;
    let paused = school.subscribe(xia, &basic, "30").await;
    let shared = school.subscribe(uma, &family, "60").await;
    school.adopt(uma, &shared, vic, "vic").await;
    let before = members_of(&school, "2026-11").await;
    assert_eq!(before, "4 members (Basic 3, Family 1), 0 upgrades, 0.0 engaged, 18 hours left");
    // Sam, Vic of Uma's family and Wim, who is no member, attend a session.
    let id = school.session(start, None).await;
    for time in [start - TimeDelta::hours(1), start] {
        school.turn_to(time).await;
        for user in [&school.sam, vic, wim] {
            school.join(user, &id, false).await;
        }
    }
    school.turn_to(start + TimeDelta::hours(1)).await;
    let attended = members_of(&school, "2026-11").await;
    assert_eq!(attended, "4 members (Basic 3, Family 1), 0 upgrades, 0.5 engaged, 16 hours left");
    // Tim has more at once, although he has no seat; Xia has none for now.
    let input = json!({ "membershipId": idle, "planPriceId": premium, "when": "NOW" });
    school.app.mutate(&school.tim, "changeMembership", "membership { id }", input).await;
    school.settle().await;
    school.app.mutate(xia, "pauseMembership", "membership { id }", json!({ "membershipId": paused })).await;
    let changed = "4 members (Basic 3, Family 1, Premium 1), 1 upgrades, 0.5 engaged, 16 hours left";
    assert_eq!(members_of(&school, "2026-11").await, changed);
    school.turn_to("2026-12-01T01:00:00Z".parse().unwrap()).await;
    assert_eq!(members_of(&school, "2026-11").await, changed, "the month is over");
    let next = "3 members (Basic 1, Family 1, Premium 1), 0 upgrades, 0.0 engaged, 18 hours left";
    assert_eq!(members_of(&school, "2026-12").await, next);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_memberships_in_a_month_the_hours_of_the_later_one_are_left() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    let first = school.subscribe(&school.sam, &premium, "50").await;
    school.app.app.clock.advance(TimeDelta::hours(1));
    for field in ["pauseMembership", "cancelMembership"] {
        school.app.mutate(&school.sam, field, "membership { id }", json!({ "membershipId": first })).await;
        school.settle().await;
    }
    school.subscribe(&school.sam, &basic, "30").await;
    for hours in [1, 20] {
        school.turn_to(school.now() + TimeDelta::hours(hours)).await;
        let expected = "1 members (Basic 1, Premium 1), 0 upgrades, 0.0 engaged, 4 hours left";
        assert_eq!(members_of(&school, "2026-11").await, expected, "{}", school.now());
        assert_eq!(school.hours(&school.sam, Some("2026-11")).await, "0 0 4 4");
    }
}

/// Issue 16: while a new version is rolled out, the one before, which does not keep who is a member, goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_a_member_is_mended_after_an_earlier_version() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let uma = school.app.user("Uma", Role::Student).await;
    let basic = school.plan("Basic", "4", "30").await;
    school.plan("Premium", "8", "50").await;
    let mut ids = Vec::new();
    for user in [&school.sam, &school.tim, &uma] {
        let id = school.subscribe(user, &basic, "30").await;
        ids.push(id.parse::<lyceum::memberships::MembershipId>().unwrap().uuid());
    }
    school.app.app.clock.advance(TimeDelta::hours(1));
    // Sam's membership has ended, Tim's has begun, and Uma's was of another plan before.
    let ended = format!("status = 'EXPIRED', ended_at = '{}', billing_at = NULL", school.now().to_rfc3339());
    let (sam, tim, uma) = (ids[0], ids[1], ids[2]);
    school.app.sql(&format!("UPDATE memberships SET {ended}, remind_at = NULL WHERE id = '{sam}'")).await;
    school.app.sql(&format!("DELETE FROM membership_spans WHERE membership_id = '{tim}'")).await;
    let premium = "plan_id = (SELECT id FROM plans WHERE name = 'Premium')";
    school.app.sql(&format!("UPDATE membership_spans SET {premium} WHERE membership_id = '{uma}'")).await;
    for _ in 0..2 {
        school.app.run("memberships.mend_spans").await;
        assert_eq!(school.app.sql("SELECT count(*) FROM membership_spans").await, "4");
    }
    school.turn_to("2026-12-01T01:00:00Z".parse().unwrap()).await;
    let november = "3 members (Basic 3, Premium 1), 0 upgrades, 0.0 engaged, 8 hours left";
    assert_eq!(members_of(&school, "2026-11").await, november);
    let december = "2 members (Basic 2), 0 upgrades, 0.0 engaged, 8 hours left";
    assert_eq!(members_of(&school, "2026-12").await, december);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_that_had_rolled_over_were_left_also_to_members_without_a_seat() {
    let school = School::later(&MEMBERS_ONLY, TimeDelta::days(10)).await;
    let price = school.plan_with_rollover("Rolling", "4", "30", "2").await;
    school.subscribe(&school.sam, &price, "30").await;
    let paused = school.subscribe(&school.tim, &price, "30").await;
    school.app.sql("UPDATE memberships SET plan_since = '2026-09-10T00:00:00Z'").await;
    school.app.sql("UPDATE membership_spans SET starts_at = '2026-09-10T00:00:00Z'").await;
    let left = [("2026-09", 8), ("2026-10", 12)];
    for (month, hours) in left {
        let expected = format!("2 members (Rolling 2), 0 upgrades, 0.0 engaged, {hours} hours left");
        assert_eq!(members_of(&school, month).await, expected, "{month}");
    }
    // Of who has none anymore, it stays what it was.
    school.app.mutate(&school.tim, "pauseMembership", "membership { id }", json!({ "membershipId": paused })).await;
    school.settle().await;
    for (month, hours) in left.into_iter().chain([("2026-11", 6)]) {
        let expected = format!("2 members (Rolling 2), 0 upgrades, 0.0 engaged, {hours} hours left");
        assert_eq!(members_of(&school, month).await, expected, "{month}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_on_google_play_are_members_as_long_as_they_have_access() {
    let fake = PlayFake::start().await;
    let settings: Vec<_> = MEMBERS_ONLY.into_iter().chain(fake.settings()).collect();
    let school = School::later(&settings, TimeDelta::days(10)).await;
    let (basic, premium) = (school.plan("Basic", "4", "30").await, school.plan("Premium", "8", "50").await);
    for (price, name) in [(basic, "basic"), (premium, "premium")] {
        let input = json!({ "planPriceId": price, "productId": "basic", "basePlanId": name });
        school.app.mutate(&school.root, "setPlayProduct", "planPrice { id }", input).await;
        fake.set(name, active(&school.sam.id, name, school.now() + TimeDelta::days(30)));
    }
    let confirm = async |name: &str| {
        let input = json!({ "planSlug": name, "purchaseToken": name });
        school.app.mutate(&school.sam, "confirmPlayPurchase", "membership { id }", input).await;
        school.settle().await;
    };
    confirm("basic").await;
    let bought = members_of(&school, "2026-11").await;
    assert_eq!(bought, "1 members (Basic 1), 0 upgrades, 0.0 engaged, 4 hours left");
    school.app.app.clock.advance(TimeDelta::hours(1));
    fake.change("premium", |purchase| purchase["linkedPurchaseToken"] = "basic".into());
    confirm("premium").await;
    let upgraded = "1 members (Basic 1, Premium 1), 1 upgrades, 0.0 engaged, 8 hours left";
    assert_eq!(members_of(&school, "2026-11").await, upgraded);
    school.turn_to("2026-12-01T01:00:00Z".parse().unwrap()).await;
    let next = members_of(&school, "2026-12").await;
    assert_eq!(next, "1 members (Premium 1), 0 upgrades, 0.0 engaged, 8 hours left");
    fake.change("premium", |purchase| purchase["subscriptionState"] = "SUBSCRIPTION_STATE_EXPIRED".into());
    confirm("premium").await;
    let ended = members_of(&school, "2026-12").await;
    assert_eq!(ended, "1 members (Premium 1), 0 upgrades, 0.0 engaged, 0 hours left");
    assert_eq!(members_of(&school, "2026-11").await, upgraded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_attends_with_own_hours_and_those_of_a_family_is_one_of_the_top_users_once() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let school = &home.school;
    let attend = async |minutes: i64| {
        let id = school.session(at(minutes), None).await;
        school.join(&school.tim, &id, false).await;
        school.turn_to(at(minutes)).await;
        school.join(&school.tim, &id, false).await;
        school.turn_to(at(minutes + 60)).await;
    };
    attend(120).await;
    let price = school.plan("Basic", "4", "30").await;
    school.subscribe(&school.tim, &price, "30").await;
    assert_eq!(home.members(&school.sam).await, "");
    for minutes in [240, 360] {
        attend(minutes).await;
    }
    let query =
        "{ subscriptionStatistics { participants activeMembers engagementRate totalHoursUsed totalHoursRemaining
        topUsers { user { name } totalHoursAttended remainingHours sessionsAttended lastAttendanceDate }
        distribution { fromHours users } } }";
    let found = school.app.data(Some(&school.root.token), query, json!({})).await["subscriptionStatistics"].take();
    let tim = json!({ "user": { "name": "Tim" }, "totalHoursAttended": "3", "remainingHours": "2", "sessionsAttended": 3,
        "lastAttendanceDate": shown(360) });
    let expected = json!({ "participants": 1, "activeMembers": 2, "engagementRate": 1.0, "totalHoursUsed": "3",
        "totalHoursRemaining": "5", "topUsers": [tim], "distribution": [{ "fromHours": "3", "users": 1 }] });
    assert_eq!(found, expected);
}

/// A million attendances: 5,000 members, who have attended 200 sessions each in twelve months.
const MILLION: &str = "
    SET session_replication_role = replica;
    INSERT INTO live_sessions (id, host_id, title, starts_at, ends_at, created_at, settled_at)
        SELECT gen_random_uuid(), (SELECT id FROM users WHERE name = 'Ada'), 'Class', at, at + interval '1 hour', at, at
        FROM (SELECT timestamptz '2025-12-01' + n * interval '42 hours' AS at FROM generate_series(1, 200) n) times;
    INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), 'member' || n || '@example.org', 'Member', 'STUDENT', now(), now()
        FROM generate_series(1, 5000) n;
    INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since)
        SELECT gen_random_uuid(), s.id, u.id, 'ATTENDED', 60, date_trunc('month', starts_at), starts_at
        FROM live_sessions s, users u WHERE u.name = 'Member';
    INSERT INTO live_usage (user_id, month, allowed_minutes, attended_minutes, sessions_attended)
        SELECT user_id, month, 6000, sum(minutes), count(*) FROM live_attendances GROUP BY 1, 2;
    INSERT INTO memberships (id, user_id, plan_id, plan_price_id, kind, status, country, plan_since, started_at,
            created_at, updated_at)
        SELECT u.id, u.id, p.plan_id, p.id, 'LIVE_CLASS', 'ACTIVE', 'DE', at, at, at, at
        FROM users u, plan_prices p, (SELECT timestamptz '2025-12-01' AS at) times WHERE u.name = 'Member';
    INSERT INTO membership_spans (membership_id, starts_at, plan_id) SELECT id, plan_since, plan_id FROM memberships;
    ANALYZE live_attendances; ANALYZE live_usage; ANALYZE live_sessions; ANALYZE memberships; ANALYZE membership_spans";

/// All hours of the members in a month.
fn used_and_left(answer: &Value) -> i64 {
    let found = &answer["data"]["subscriptionStatistics"];
    let hours = |field: &str| found[field].as_str().unwrap().parse::<i64>().unwrap();
    hours("totalHoursUsed") + hours("totalHoursRemaining")
}

/// Brief 003, "Performance Considerations": each look-up has an index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_attendances_do_not_slow_what_is_read() {
    let school = School::open().await;
    let app = &school.app;
    school.plan("Large", "100", "30").await;
    app.sql(MILLION).await;
    app.forget_rows();
    assert_eq!(app.sql("SELECT count(*) FROM live_attendances").await, "1000000");
    let member = app.sql("SELECT id FROM users WHERE name = 'Member' LIMIT 1").await;
    let member = lyceum::accounts::UserId::new(member.parse().unwrap()).encode();
    // What is left of the present month is what each of the members sees.
    let month = app.send(Some(&school.root.token), QUERY, json!({})).await;
    assert_eq!(used_and_left(&month), 500_000, "{month:#}");
    let mut plans = Plans::of(app).await;
    // The sums, the distribution and the top of a month, who has attended, and what is left, read its rows; what is
    // left, for a thousand members at a time, those of the month before as well, of which hours have rolled over; the
    // trend those of twelve.
    let month = app.send(Some(&school.root.token), QUERY, json!({ "month": "2026-05" })).await;
    assert_eq!(month["data"]["subscriptionStatistics"]["participants"], 5000, "{month:#}");
    assert_eq!(month["data"]["subscriptionStatistics"]["engagementRate"], 1.0, "{month:#}");
    assert_eq!(used_and_left(&month), 500_000, "{month:#}");
    for plan in plans.next("live_usage", 11).await {
        let (plan, is_trend) = (&plan["Plan"], plan["Query Text"].as_str().unwrap().contains("BETWEEN"));
        let rows = most_rows(plan);
        assert!(rows <= if is_trend { 61_000.0 } else { 5_000.0 }, "{rows} rows: {plan:#}");
        assert!(is_trend || whole_tables(plan, &["live_usage"]).is_empty(), "{plan:#}");
    }
    // A member's month is a row, and a page of attendances is a page.
    let usage = "query ($id: ID!) { node(id: $id) { ... on User { subscriptionUsage(month: \"2026-05\") {
        totalHoursAttended sessionsAttended } } } }";
    let usage = app.data(Some(&school.root.token), usage, json!({ "id": member })).await;
    assert!(usage["node"]["subscriptionUsage"]["sessionsAttended"].as_i64().unwrap() > 15, "{usage:#}");
    let session = app.sql("SELECT id FROM live_sessions LIMIT 1").await;
    let session = lyceum::live::LiveSessionId::new(session.parse().unwrap()).encode();
    let page = "query ($id: ID!) { node(id: $id) { ... on LiveSession { attendances(first: 50) {
        nodes { status user { name } } pageInfo { hasNextPage } } } } }";
    let page = app.data(Some(&school.root.token), page, json!({ "id": session })).await;
    assert_eq!(page["node"]["attendances"]["pageInfo"]["hasNextPage"], true, "{page:#}");
    for plan in plans.next("live_", 3).await {
        let plan = &plan["Plan"];
        let rows = most_rows(plan);
        // There are no more than 200 sessions, which are a few blocks.
        assert!(rows <= 200.0, "{rows} rows: {plan:#}");
    }
}
