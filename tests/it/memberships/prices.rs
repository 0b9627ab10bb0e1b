//! Versions of prices: which one members pay, and what a provider is told of one that it is just being told of.

use super::*;
use crate::orders::fakes::Fault;
use crate::orders::fakes::stripe::StripeFake;
use crate::support::eventually;

impl Club {
    /// Sets what a plan costs a month; returns the id of the price.
    async fn set_price(&self, plan: &Value, amount: &str, moves_members: bool) -> String {
        let input = json!({ "planId": plan["id"], "price": price(amount, "MONTH"), "movesMembers": moves_members });
        let made = self.app.mutate(&self.root, "setPlanPrice", "planPrice { id }", input).await;
        made["planPrice"]["id"].as_str().unwrap().to_owned()
    }

    /// The id of the price from the next renewal on.
    async fn next_price(&self, id: &str) -> Value {
        self.seen(id).await["pendingPlanPrice"]["id"].take()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_who_are_moved_twice_pay_the_later_price() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let (sam, tim) = (club.join(&club.sam, &month(&plan), "10").await, club.join(&club.tim, &month(&plan), "10").await);
    let wrong = club.set_price(&plan, "12", true).await;
    club.settle().await;
    assert_eq!(club.next_price(&sam).await, json!(wrong));
    let year = json!({ "membershipId": tim, "planPriceId": price_of(&plan, "YEAR"), "when": "RENEWAL" });
    club.app.mutate(&club.tim, "changeMembership", "membership { id }", year).await;
    let right = club.set_price(&plan, "11", true).await;
    club.settle().await;
    assert_eq!(club.next_price(&sam).await, json!(right));
    assert_eq!(club.next_price(&tim).await, json!(price_of(&plan, "YEAR")), "as he has chosen");
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&sam).await[0], "PAID 11.00");
    assert_eq!(club.orders(&tim).await[0], "PAID 100.00");

    // Whichever of two jobs is the last.
    let first = club.set_price(&plan, "13", true).await;
    let second = club.set_price(&plan, "14", true).await;
    let late = "UPDATE jobs SET run_at = '2040-01-01' WHERE id =
        (SELECT id FROM jobs WHERE handler = 'memberships.move_members' ORDER BY id LIMIT 1)";
    club.app.sql(late).await;
    club.settle().await;
    assert_ne!(first, second);
    assert_eq!(club.next_price(&sam).await, json!(second));
    club.app.sql("UPDATE jobs SET run_at = created_at WHERE handler = 'memberships.move_members'").await;
    club.settle().await;
    assert_eq!(club.app.sql("SELECT count(*) FROM jobs WHERE handler = 'memberships.move_members'").await, "0");
    assert_eq!(club.next_price(&sam).await, json!(second));
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&sam).await[0], "PAID 14.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_all_earlier_versions_can_be_moved_and_those_who_have_yet_to_pay() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let sam = club.join(&club.sam, &month(&plan), "10").await;
    let order = club.order(&club.ada, &month(&plan), "10").await;
    let ada = order["items"][0]["membership"]["id"].as_str().unwrap().to_owned();
    let second = club.set_price(&plan, "12", false).await;
    club.settle().await;
    let tim = club.join(&club.tim, &second, "12").await;
    let third = club.set_price(&plan, "15", false).await;
    club.settle().await;
    for id in [&sam, &tim, &ada] {
        assert_eq!(club.next_price(id).await, Value::Null, "they keep theirs");
    }
    // Decided later.
    assert_eq!(club.set_price(&plan, "15", true).await, third, "the same price is no new version");
    club.settle().await;
    for id in [&sam, &tim, &ada] {
        assert_eq!(club.next_price(id).await, json!(third));
    }
    club.act(order["number"].as_str().unwrap(), "pay").await;
    assert_eq!(club.orders(&ada).await, ["PAID 10.00"], "as ordered");
    assert_eq!(club.next_price(&ada).await, json!(third));
    club.pass(TimeDelta::days(31)).await;
    for id in [&sam, &tim, &ada] {
        assert_eq!(club.orders(id).await[0], "PAID 15.00");
    }
    club.set_price(&plan, "15", true).await;
    club.settle().await;
    assert_eq!(club.next_price(&sam).await, Value::Null, "there is nothing left to do");
    assert_eq!(club.told("change_planned").await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_is_retired_while_a_provider_creates_it_is_retired_there() {
    let fake = StripeFake::start().await;
    let club = Club::with(&fake.settings()).await;
    fake.wire.fail("POST /v1/prices", Fault::Late);
    let input = json!({ "kind": "ALL_ACCESS", "name": "All", "prices": [price("10", "MONTH")] });
    let made = club.app.mutate(&club.root, "createPlan", "plan { id }", input).await;
    let id = made["plan"]["id"].as_str().unwrap();
    let archive = async {
        eventually("the provider is told", async || fake.wire.count("POST /v1/prices") == 1).await;
        club.app.mutate(&club.root, "archivePlan", "plan { id }", json!({ "planId": id })).await;
        club.settle().await;
    };
    tokio::join!(club.settle(), archive);
    assert_eq!(fake.prices()[0]["active"], true);
    assert_eq!(club.seen_plan(id).await["status"], "RETIRING", "it may have been created, and it has");
    club.app.app.clock.advance(TimeDelta::minutes(2));
    club.app.run("memberships.sync_gateways").await;
    assert_eq!(club.seen_plan(id).await["status"], "RETIRED");
    assert_eq!(fake.prices()[0]["active"], false);
}
