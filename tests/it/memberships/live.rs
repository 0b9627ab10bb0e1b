//! What live classes are told of memberships.

use lyceum::accounts::UserId;
use lyceum::memberships::{LiveAllowance, LiveAllowanceOf, live_allowance};

use super::*;

impl Club {
    async fn allowed(&self, user: &User, at: DateTime<Utc>) -> Option<LiveAllowance> {
        let user: UserId = user.id.parse().unwrap();
        let own = self.app.app.db.transaction(async |tx| live_allowance(tx, &[user], at).await).await.unwrap();
        let loaded = LiveAllowanceOf { user, at }.load_one(&self.app.app).await.unwrap();
        assert_eq!(own.get(&user).copied(), loaded);
        loaded
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_membership_says_how_many_minutes_a_month_there_are_and_since_when() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "7.5", "50").await);
    assert_eq!(club.allowed(&club.sam, club.now()).await, None);
    let all = club.all_access().await;
    club.join(&club.tim, &month(&all), "10").await;
    let order = club.order(&club.sam, &month(&basic), "30").await;
    assert_eq!(club.allowed(&club.sam, club.now()).await, None, "not paid yet");
    club.act(order["number"].as_str().unwrap(), "pay").await;
    let id = order["items"][0]["membership"]["id"].as_str().unwrap().to_owned();
    let began = club.now();
    let allowance = club.allowed(&club.sam, began).await.unwrap();
    assert_eq!((allowance.membership.encode(), allowance.minutes_per_month, allowance.since), (id.clone(), 240, began));
    assert_eq!(allowance.plan.encode(), basic["id"].as_str().unwrap());
    assert_eq!(club.allowed(&club.sam, began - TimeDelta::seconds(1)).await, None);
    assert!(club.allowed(&club.sam, began + TimeDelta::days(300)).await.is_some(), "it renews itself");
    assert_eq!(club.allowed(&club.tim, began).await.unwrap().minutes_per_month, 0, "that is no plan for live classes");
    club.pass(TimeDelta::days(3)).await;
    let input = json!({ "membershipId": id, "planPriceId": month(&premium), "when": "NOW" });
    club.app.mutate(&club.sam, "changeMembership", "membership { id }", input).await;
    club.settle().await;
    let allowance = club.allowed(&club.sam, club.now()).await.unwrap();
    assert_eq!((allowance.minutes_per_month, allowance.since), (450, club.now()));
    let edit = json!({ "planId": premium["id"], "liveHoursPerMonth": "8" });
    club.app.mutate(&club.root, "updatePlan", "plan { id }", edit).await;
    assert_eq!(club.allowed(&club.sam, club.now()).await.unwrap().minutes_per_month, 480);
    club.change(&club.sam, "pauseMembership", &id).await;
    assert_eq!(club.allowed(&club.sam, club.now()).await, None);
    club.change(&club.sam, "resumeMembership", &id).await;
    let end = time(&club.change(&club.sam, "cancelMembership", &id).await["periodEndsAt"]);
    assert!(club.allowed(&club.sam, end - TimeDelta::seconds(1)).await.is_some());
    assert_eq!(club.allowed(&club.sam, end).await, None, "it is canceled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_members_are_asked_about_by_one_statement() {
    let club = Club::open().await;
    let basic = club.hours("Basic", "4", "30").await;
    club.join(&club.sam, &month(&basic), "30").await;
    let users: Vec<UserId> = [&club.sam, &club.tim, &club.ada].iter().map(|user| user.id.parse().unwrap()).collect();
    let now = club.now();
    let keys: Vec<_> = users.iter().map(|user| LiveAllowanceOf { user: *user, at: now }).collect();
    for count in [1, 3] {
        let (statements, found) =
            club.app.counted(async || LiveAllowanceOf::load(&club.app.app, &keys[..count]).await).await;
        assert_eq!((statements, found.unwrap().len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_attend_live_classes_for_as_many_hours_as_their_plan_has() {
    let club = Club::open().await;
    let (basic, _) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let all = club.all_access().await;
    club.join(&club.tim, &month(&all), "10").await;
    let at = |hours: i64| (club.now() + TimeDelta::hours(hours)).to_rfc3339();
    let input = json!({ "title": "Office hour", "startsAt": at(2), "endsAt": at(3) });
    let made = club.app.mutate(&club.root, "createLiveSession", "liveSessions { id }", input).await;
    let session = &made["liveSessions"][0]["id"];
    let check = async |user: &User| {
        let query = "query ($id: ID!) { checkAttendance(liveSessionId: $id) { reason usage { \
            maxHoursAllowed remainingHours upgradeOptions { plan { name } } } } }";
        club.app.data(Some(&user.token), query, json!({ "id": session })).await["checkAttendance"].take()
    };
    assert_eq!(check(&club.sam).await["reason"], "NO_MEMBERSHIP");
    assert_eq!(check(&club.tim).await["reason"], "WRONG_PLAN");
    club.join(&club.sam, &month(&basic), "30").await;
    let checked = check(&club.sam).await;
    assert_eq!((&checked["reason"], &checked["usage"]["maxHoursAllowed"]), (&json!("ELIGIBLE"), &json!("4")));
    assert_eq!(checked["usage"]["upgradeOptions"], json!([{ "plan": { "name": "Premium" } }]));
    let input = json!({ "liveSessionId": session });
    let joined = club.app.mutate(&club.sam, "joinLiveSession", "attendance { status }", input).await;
    assert_eq!(joined["attendance"]["status"], "HELD");
    assert_eq!(check(&club.sam).await["usage"]["remainingHours"], "3");
}
