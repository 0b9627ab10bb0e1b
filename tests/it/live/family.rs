//! Families: users who share the hours of one membership.

use super::memberships::MEMBERS_ONLY;
use super::*;
use crate::support::socket::Socket;

const FAMILY: &str = "family { size memberHours owner { name } members { user { name } } invitations { email } }";
const LOST: &str = "LIVE_SESSION_CHANGED You no longer have a seat in “Valves”";

/// A school in which Sam has a membership, whose hours Tim shares, and Uma is nothing yet.
pub(super) struct Home {
    pub(super) school: School,
    pub(super) uma: User,
    pub(super) membership: String,
}

impl Home {
    /// With so many hours a month, and more of the plan.
    pub(super) async fn of(hours: &str, more: Value) -> Home {
        Home::later(hours, more, TimeDelta::zero()).await
    }

    pub(super) async fn later(hours: &str, more: Value, by: TimeDelta) -> Home {
        let school = School::later(&MEMBERS_ONLY, by).await;
        let uma = school.app.user("Uma", Role::Student).await;
        // Users are told of what happens after they have signed up.
        school.turn_to(school.now() + TimeDelta::minutes(1)).await;
        let price = school.plan_with("Family", hours, "30", more).await;
        let membership = school.subscribe(&school.sam, &price, "30").await;
        school.adopt(&school.sam, &membership, &school.tim, "tim").await;
        Home { school, uma, membership }
    }

    async fn adopt_uma(&self) {
        self.school.adopt(&self.school.sam, &self.membership, &self.uma, "uma").await;
    }

    /// The names of the members beside the owner, as a user sees them; `-` without a family.
    pub(super) async fn members(&self, user: &User) -> String {
        let query = "{ viewer { family { members { user { name } } } } }";
        let data = self.school.app.data(Some(&user.token), query, json!({})).await;
        let members = data["viewer"]["family"]["members"].as_array();
        let name = |member: &Value| member["user"]["name"].as_str().unwrap_or("?").to_owned();
        members.map_or("-".to_owned(), |rows| rows.iter().map(name).collect::<Vec<_>>().join(" "))
    }

    /// What a user has of the family's hours: attended, held, at most.
    async fn share(&self, user: &User) -> Value {
        let query = "{ viewer { subscriptionUsage { user { id } sessionsAttended
            family { owner { name } ownHoursAttended ownHeldHours memberHours } } } }";
        self.school.app.data(Some(&user.token), query, json!({})).await["viewer"]["subscriptionUsage"].take()
    }

    pub(super) async fn remove(&self, user: &User) {
        let input = json!({ "membershipId": self.membership, "userId": user.id });
        self.school.app.mutate(&self.school.sam, "removeFamilyMember", "family { size }", input).await;
        self.school.settle().await;
    }

    pub(super) async fn leave(&self, user: &User) {
        let input = json!({ "ownerId": self.school.sam.id });
        self.school.app.mutate(user, "leaveFamily", "owner { name }", input).await;
        self.school.settle().await;
    }

    /// Does something with Sam's membership.
    pub(super) async fn step(&self, field: &str) {
        let input = json!({ "membershipId": self.membership });
        self.school.app.mutate(&self.school.sam, field, "membership { id }", input).await;
        self.school.settle().await;
    }

    /// The sessions in which a user has a place, each by its state.
    async fn places(&self, user: &User, ids: &[&String]) -> String {
        let mut places = Vec::new();
        for id in ids {
            places.push(self.school.place(user, id).await);
        }
        places.join(" ")
    }
}

/// Brief 003, "Planned Features" 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_invited_shares_one_pool_of_hours() {
    let school = School::with(&MEMBERS_ONLY).await;
    let price = school.plan_with("Family", "4", "30", json!({ "familySize": 2, "familyMemberHours": 3 })).await;
    let membership = school.subscribe(&school.sam, &price, "30").await;
    let id = school.session(at(120), None).await;
    assert_eq!(school.join(&school.tim, &id, false).await, "NO_MEMBERSHIP -");
    let code = school.invite(&school.sam, &membership, "tim").await;
    let query = format!("{{ viewer {{ {FAMILY} }} }}");
    let seen = school.app.data(Some(&school.sam.token), &query, json!({})).await["viewer"]["family"].take();
    let invited = json!([{ "email": "tim@people.example" }]);
    let family = json!({ "size": 2, "memberHours": "3", "owner": { "name": "Sam" }, "members": [] });
    let mut expected = family.clone();
    expected["invitations"] = invited;
    assert_eq!(seen, expected);
    let joined = school.app.mutate(&school.tim, "joinFamily", FAMILY, json!({ "token": code })).await["family"].take();
    let mut expected = family;
    expected["members"] = json!([{ "user": { "name": "Tim" } }]);
    // Whom the owner has invited besides, is not for members.
    expected["invitations"] = Value::Null;
    assert_eq!(joined, expected);
    let home = Home { uma: school.app.user("Uma", Role::Student).await, school, membership };
    let school = &home.school;
    assert_eq!(school.join(&school.tim, &id, false).await, "ELIGIBLE HELD");
    for user in [&school.sam, &school.tim] {
        assert_eq!(school.hours(user, None).await, "0 1 4 3");
    }
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    school.turn_to(at(115)).await;
    school.join(&school.tim, &id, false).await;
    school.join(&school.sam, &id, false).await;
    school.turn_to(at(180)).await;
    for user in [&school.sam, &school.tim] {
        assert_eq!(school.hours(user, None).await, "2 0 4 2");
    }
    let share = json!({ "owner": { "name": "Sam" }, "ownHoursAttended": "1", "ownHeldHours": "0", "memberHours": "3" });
    let tim = home.share(&school.tim).await;
    assert_eq!(tim, json!({ "user": { "id": school.tim.id }, "sessionsAttended": 1, "family": share }));
    let sam = home.share(&school.sam).await;
    assert_eq!((&sam["sessionsAttended"], &sam["family"]), (&json!(1), &Value::Null));
    // Each has attended an hour; the hours are there once.
    let query = "{ subscriptionStatistics { participants totalHoursUsed totalHoursRemaining engagementRate
        topUsers { user { name } totalHoursAttended remainingHours } distribution { fromHours users }
        trend { hours members } } }";
    let found = school.app.data(Some(&school.root.token), query, json!({})).await["subscriptionStatistics"].take();
    assert_eq!((&found["participants"], &found["totalHoursUsed"]), (&json!(2), &json!("2")));
    assert_eq!((&found["totalHoursRemaining"], &found["engagementRate"]), (&json!("2"), &json!(1.0)));
    let mut top = found["topUsers"].as_array().unwrap().clone();
    top.sort_by_key(|row| row["user"]["name"].to_string());
    let hour = |name: &str| json!({ "user": { "name": name }, "totalHoursAttended": "1", "remainingHours": "2" });
    assert_eq!(top, [hour("Sam"), hour("Tim")]);
    assert_eq!(found["distribution"], json!([{ "fromHours": "1", "users": 2 }]));
    assert_eq!(found["trend"][11], json!({ "hours": "2", "members": 2 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_uses_no_more_than_their_share() {
    let home = Home::of("4", json!({ "familySize": 2, "familyMemberHours": "1" })).await;
    let school = &home.school;
    let ids = [school.session(at(120), None).await, school.session(at(240), Some(1)).await];
    assert_eq!(school.join(&school.tim, &ids[0], false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.tim, &ids[1], false).await, "FAMILY_LIMIT_REACHED -");
    let seen = school.seen(Some(&school.tim), &ids[1], "viewerEligibility { canAttend message }").await;
    let message = "You have 0 hours remaining of those that you can use of your family's, but this session requires 1 \
        hours.";
    assert_eq!(seen["viewerEligibility"], json!({ "canAttend": false, "message": message }));
    assert_eq!(school.join(&school.sam, &ids[1], false).await, "ELIGIBLE HELD", "the owner has no limit");
    // A session that is missed gives the share back, and the host's correction takes it again.
    school.turn_to(at(180)).await;
    assert_eq!(home.share(&school.tim).await["family"]["ownHeldHours"], "0");
    let third = school.session(at(300), None).await;
    assert_eq!(school.join(&school.tim, &third, false).await, "ELIGIBLE HELD");
    assert_eq!(school.record(&school.ada, &ids[0], &[(&school.tim, true)]).await, "NOT_ALLOWED");
    school.leave(&school.tim, &third).await;
    assert_eq!(school.record(&school.ada, &ids[0], &[(&school.tim, true)]).await, "ATTENDED");
    assert_eq!(school.hours(&school.sam, None).await, "1 1 4 2");
    // A change of the plan counts at once, and nobody loses what they have used.
    let plan = school.app.data(None, "{ plans { nodes { id } } }", json!({})).await["plans"]["nodes"][0]["id"].take();
    for (hours, outcome, most) in [("0.5", "FAMILY_LIMIT_REACHED RELEASED", "1"), ("2", "ELIGIBLE HELD", "2")] {
        let input = json!({ "planId": plan, "familyMemberHours": hours });
        school.app.mutate(&school.root, "updatePlan", "plan { familyMemberHours }", input).await;
        assert_eq!(school.join(&school.tim, &third, false).await, outcome);
        assert_eq!(home.share(&school.tim).await["family"]["memberHours"], most);
    }
    let spent =
        "WITH spent AS (UPDATE live_family_usage SET attended_minutes = 121 RETURNING 1) SELECT count(*) FROM spent";
    let client = crate::support::cluster::connect(crate::support::cluster::throwaway()).await;
    let failed = client.batch_execute(&format!("SET search_path = {}; {spent}", school.app.schema)).await.unwrap_err();
    assert_eq!(failed.as_db_error().unwrap().constraint(), Some("live_family_usage_is_not_overspent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_with_one_hour_left_get_one_seat() {
    let home = Home::of("1", json!({ "familySize": 2 })).await;
    home.adopt_uma().await;
    let school = &home.school;
    let ids = [school.session(at(120), None).await, school.session(at(240), None).await];
    // In different sessions, so that only the hours decide.
    let joins = (0..30).map(|number| {
        let user = [&school.sam, &school.tim, &home.uma][number % 3];
        school.join(user, &ids[number % 2], false)
    });
    let joined = futures_util::future::join_all(joins).await;
    assert_eq!(joined.iter().filter(|outcome| *outcome == "ELIGIBLE HELD").count(), 1, "{joined:?}");
    assert_eq!(school.hours(&school.sam, None).await, "0 1 1 0");
    assert_eq!(school.app.sql("SELECT count(*) FROM live_attendances").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_gives_seats_to_come_back_and_the_family_pays_for_the_others() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    home.adopt_uma().await;
    let (school, uma) = (&home.school, &home.uma);
    let (first, second) = (school.session(at(120), None).await, school.session(at(240), Some(1)).await);
    for user in [&school.tim, uma] {
        assert_eq!(school.join(user, &first, false).await, "ELIGIBLE HELD");
    }
    assert_eq!(school.join(&school.tim, &second, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(uma, &second, true).await, "FULL WAITING");
    school.turn_to(at(130)).await;
    for user in [&school.tim, uma] {
        school.join(user, &first, false).await;
    }
    home.leave(&school.tim).await;
    assert_eq!(home.places(&school.tim, &[&first, &second]).await, "HELD RELEASED");
    assert_eq!(home.places(uma, &[&first, &second]).await, "HELD HELD");
    assert!(school.told(&school.tim).await.contains(&LOST.to_owned()));
    assert_eq!(school.reason_of(&school.tim, &second).await, "NO_MEMBERSHIP");
    home.remove(uma).await;
    assert_eq!(home.members(&school.sam).await, "");
    assert_eq!(school.hours(&school.sam, None).await, "0 2 4 2");
    school.turn_to(at(180)).await;
    assert_eq!(home.places(&school.tim, &[&first]).await, "ATTENDED");
    assert_eq!(school.hours(&school.sam, None).await, "2 0 4 2");
    assert_eq!(school.record(&school.ada, &first, &[(&school.tim, false), (uma, true)]).await, "ABSENT ATTENDED");
    assert_eq!(school.hours(&school.sam, None).await, "1 0 4 3");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 0 0");
    // Who is back finds what they have used.
    home.adopt_uma().await;
    assert_eq!(home.share(uma).await["family"]["ownHoursAttended"], "1");
}

impl School {
    async fn reason_of(&self, user: &User, id: &str) -> String {
        let seen = self.seen(Some(user), id, "viewerEligibility { reason }").await;
        seen["viewerEligibility"]["reason"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_family_follows_the_membership() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let school = &home.school;
    let (paid, after) = (school.session(at(120), None).await, school.session(at(60 * 24 * 40), None).await);
    for id in [&paid, &after] {
        assert_eq!(school.join(&school.tim, id, false).await, "ELIGIBLE HELD");
    }
    // Canceled, it covers what is within its period.
    home.step("cancelMembership").await;
    assert_eq!(home.places(&school.tim, &[&paid, &after]).await, "HELD RELEASED");
    assert_eq!(school.reason_of(&school.tim, &after).await, "NO_MEMBERSHIP");
    home.step("resumeMembership").await;
    assert_eq!(school.join(&school.tim, &after, false).await, "ELIGIBLE HELD");
    // Paused, it covers nothing; the family stays.
    home.step("pauseMembership").await;
    assert_eq!(home.places(&school.tim, &[&paid, &after]).await, "RELEASED RELEASED");
    let invite = json!({ "membershipId": home.membership, "email": "x@people.example" });
    assert_eq!(school.error(Some(&school.sam), "inviteFamilyMember", invite).await.0, "NOT_ALLOWED");
    home.step("resumeMembership").await;
    assert_eq!(home.members(&school.tim).await, "Tim");
    assert_eq!(school.join(&school.tim, &paid, false).await, "ELIGIBLE HELD");
    // Its end is that of the family.
    home.step("cancelMembership").await;
    school.turn_to(at(60)).await;
    let over = format!("UPDATE memberships SET period_ends_at = '{}'", school.now().to_rfc3339());
    school.app.sql(&over).await;
    school.app.run("memberships.expire").await;
    school.settle().await;
    assert_eq!((home.members(&school.sam).await, home.members(&school.tim).await), ("-".into(), "-".into()));
    assert_eq!(home.places(&school.tim, &[&paid]).await, "RELEASED");
    assert_eq!(school.hours(&school.sam, None).await, "0 0 0 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_ends_the_family() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let school = &home.school;
    let id = school.session(at(120), None).await;
    school.join(&school.tim, &id, false).await;
    let query = "{ viewer { orders { nodes { id } } } }";
    let order = school.app.data(Some(&school.sam.token), query, json!({})).await["viewer"]["orders"]["nodes"][0].take();
    let input = json!({ "orderId": order["id"], "reason": "Not satisfied" });
    school.app.mutate(&school.root, "refundOrder", "order { id }", input).await;
    school.settle().await;
    assert_eq!(home.members(&school.tim).await, "-");
    assert_eq!(home.places(&school.tim, &[&id]).await, "RELEASED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_smaller_family_keeps_who_joined_first() {
    let home = Home::of("4", json!({ "familySize": 3, "rolloverHours": 1 })).await;
    let school = &home.school;
    school.app.app.clock.advance(TimeDelta::minutes(1));
    home.adopt_uma().await;
    let id = school.session(at(120), None).await;
    for user in [&school.tim, &home.uma] {
        assert_eq!(school.join(user, &id, false).await, "ELIGIBLE HELD");
    }
    let change = async |price: &str| {
        let input = json!({ "membershipId": home.membership, "planPriceId": price, "when": "NOW" });
        school.app.mutate(&school.sam, "changeMembership", "membership { id }", input).await;
        school.settle().await;
    };
    let small = school.plan_with("Couple", "2", "25", json!({ "familySize": 1 })).await;
    change(&small).await;
    assert_eq!(home.members(&school.sam).await, "Tim");
    assert_eq!(
        (home.places(&school.tim, &[&id]).await, home.places(&home.uma, &[&id]).await),
        ("HELD".into(), "RELEASED".into())
    );
    // The month of the change keeps its hours.
    assert_eq!(school.hours(&school.tim, None).await, "0 1 4 3");
    let single = school.plan("Single", "2", "20").await;
    change(&single).await;
    assert_eq!((home.members(&school.sam).await, home.members(&school.tim).await), ("-".into(), "-".into()));
    assert_eq!(home.places(&school.tim, &[&id]).await, "RELEASED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_buys_a_membership_leaves_the_family() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let school = &home.school;
    let (mine, id) = (school.plan("Basic", "2", "20").await, school.session(at(120), None).await);
    school.join(&school.tim, &id, false).await;
    school.subscribe(&school.tim, &mine, "20").await;
    assert_eq!(home.members(&school.sam).await, "");
    assert_eq!(home.places(&school.tim, &[&id]).await, "RELEASED");
    assert_eq!(school.join(&school.tim, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.hours(&school.tim, None).await, "0 1 2 1");
    assert_eq!(school.hours(&school.sam, None).await, "0 0 4 4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_users_leave_and_their_families_end() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    home.adopt_uma().await;
    let school = &home.school;
    let id = school.session(at(120), None).await;
    for user in [&school.tim, &home.uma] {
        assert_eq!(school.join(user, &id, false).await, "ELIGIBLE HELD");
    }
    school.forget(&home.uma).await;
    assert_eq!(home.members(&school.sam).await, "Tim");
    assert_eq!(school.hours(&school.sam, None).await, "0 1 4 3");
    school.forget(&school.sam).await;
    assert_eq!(home.members(&school.tim).await, "-");
    assert_eq!(home.places(&school.tim, &[&id]).await, "RELEASED");
    assert_eq!(school.app.sql("SELECT sum(held_minutes) FROM live_usage").await, "0");
    assert_eq!(school.app.sql("SELECT sum(held_minutes) FROM live_family_usage").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_or_moved_session_gives_the_family_its_hours_back() {
    let home = Home::of("4", json!({ "familySize": 2, "familyMemberHours": 2 })).await;
    let school = &home.school;
    let (first, second) = (school.session(at(120), None).await, school.session(at(240), None).await);
    for id in [&first, &second] {
        assert_eq!(school.join(&school.tim, id, false).await, "ELIGIBLE HELD");
    }
    school.cancel(&school.ada, &first).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 4 3");
    assert_eq!(home.share(&school.tim).await["family"]["ownHeldHours"], "1");
    // To December.
    let later = at(60 * 24 * 12);
    let input =
        json!({ "liveSessionId": second, "version": 1, "startsAt": later, "endsAt": later + TimeDelta::hours(1) });
    school.change(&school.ada, input).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 4 4");
    assert_eq!(school.hours(&school.tim, Some("2026-12")).await, "0 1 4 3");
    let months = "SELECT string_agg(concat_ws(' ', month, held_minutes), ', ' ORDER BY month) FROM live_family_usage";
    assert_eq!(school.app.sql(months).await, "2026-11-01 0, 2026-12-01 60");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_that_is_over_shows_whose_hours_were_used() {
    let home = Home::later("1", json!({ "familySize": 2, "rolloverHours": 1 }), TimeDelta::days(10)).await;
    let school = &home.school;
    let start: DateTime<Utc> = "2026-12-01T00:00:00Z".parse().unwrap();
    let id = school.session(start - TimeDelta::hours(2), None).await;
    school.join(&school.tim, &id, false).await;
    school.app.app.clock.advance(start - TimeDelta::hours(2) - school.now());
    school.join(&school.tim, &id, false).await;
    school.turn_to(start).await;
    assert_eq!(school.hours(&school.tim, None).await, "0 0 1 1", "nothing is left of November");
    assert_eq!(school.record(&school.ada, &id, &[(&school.tim, false)]).await, "ABSENT");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 1 2");
    assert_eq!(school.record(&school.ada, &id, &[(&school.tim, true)]).await, "ATTENDED");
    home.leave(&school.tim).await;
    assert_eq!(school.hours(&school.tim, Some("2026-11")).await, "1 0 1 0");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 0 0");
    let history =
        "{ viewer { subscriptionUsageHistory(months: 2) { month sessionsAttended family { ownHoursAttended } } } }";
    let rows = school.app.data(Some(&school.tim.token), history, json!({})).await["viewer"].take();
    let november = json!({ "month": "2026-11", "sessionsAttended": 1, "family": { "ownHoursAttended": "1" } });
    assert_eq!(rows["subscriptionUsageHistory"][1], november);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_hours_are_pushed_to_all_of_the_family() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let school = &home.school;
    let id = school.session(at(120), None).await;
    let query = "subscription { subscriptionUsageChanged { isStart usage { user { name } heldHours } } }";
    let mut sockets = Vec::new();
    for user in [&school.sam, &school.tim] {
        let mut socket = Socket::connect(&school.app.url, Some(&user.token)).await;
        socket.subscribe("usage", query, json!({})).await;
        let start = socket.receive().await.unwrap()["payload"]["data"]["subscriptionUsageChanged"].take();
        assert_eq!((&start["isStart"], &start["usage"]["heldHours"]), (&json!(true), &json!("0")));
        sockets.push(socket);
    }
    school.join(&school.tim, &id, false).await;
    school.app.settle().await;
    for (socket, name) in sockets.iter_mut().zip(["Sam", "Tim"]) {
        let event = socket.receive().await.unwrap()["payload"]["data"]["subscriptionUsageChanged"].take();
        assert_eq!(event, json!({ "isStart": false, "usage": { "user": { "name": name }, "heldHours": "1" } }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_sees_what_each_member_has_used_and_a_member_only_what_is_theirs() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    home.adopt_uma().await;
    let school = &home.school;
    let used = async |user: &User| {
        let query = "{ viewer { family { members { user { name } usedHours } } } }";
        let data = school.app.data(Some(&user.token), query, json!({})).await;
        let members = data["viewer"]["family"]["members"].as_array().unwrap().clone();
        let shown = |member: &Value| {
            let hours = member["usedHours"].as_str().unwrap_or("-");
            format!("{} {hours}", member["user"]["name"].as_str().unwrap())
        };
        members.iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(used(&school.sam).await, "Tim 0, Uma 0");
    let id = school.session(at(120), None).await;
    for user in [&school.sam, &school.tim, &home.uma] {
        assert_eq!(school.join(user, &id, false).await, "ELIGIBLE HELD");
    }
    for (user, expected) in [(&school.sam, "Tim 1, Uma 1"), (&school.tim, "Tim 1, Uma -"), (&home.uma, "Tim -, Uma 1")]
    {
        assert_eq!(used(user).await, expected);
    }
    // Uma is not there, and gets her hour back.
    school.turn_to(at(115)).await;
    school.join(&school.tim, &id, false).await;
    school.turn_to(at(180)).await;
    assert_eq!(used(&school.sam).await, "Tim 1, Uma 0");
}
