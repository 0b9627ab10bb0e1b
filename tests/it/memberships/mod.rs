//! Plans and memberships, paid in the sandbox.

mod buying;
mod changes;
mod coupons;
mod debits;
mod gateway;
mod kills;
mod live;
mod model;
mod plans;
mod play;
mod play_events;
mod prices;
mod renewals;
mod subscriptions;
mod tax;

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::accounts::{self, UserById};
use lyceum::graphql::loaders::Load;
use lyceum::platform::auth::{Client, Role};
use lyceum::platform::payments::sandbox::{Sandbox, Trouble};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{Course, User, code_of};

const PLAN: &str = "id slug name kind status archivedAt liveHoursPerMonth renewalCron course { id } category { id } \
    prices { id amount { amount currency } interval trialDays retiredAt }";
const MEMBERSHIP: &str = "id status nextStatuses periodStartsAt periodEndsAt nextBillingAt pausedAt startedAt endedAt \
    checkoutUrl credit { amount } planPrice { id plan { name } } pendingPlanPrice { id } \
    entitlement { id scope source expiresAt endedAt endReason membership { id } } \
    orders { totalCount nodes { id number status total { amount } items { kind title } } }";

/// A school with a course of Ada's, and users who are members of nothing.
pub(crate) struct Club {
    pub(crate) app: TestApp,
    ada: User,
    pub(crate) root: User,
    pub(crate) sam: User,
    pub(crate) tim: User,
    course: Course,
}

impl Club {
    async fn open() -> Club {
        Club::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Club {
        let settings: Vec<_> = settings
            .iter()
            .copied()
            .chain([("LYCEUM_TOKEN_MINUTES", "1440"), ("LYCEUM_ORDER_REMINDER_MINUTES", "0")])
            .collect();
        let app = TestApp::with(&settings).await;
        let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
        let (sam, tim) = (app.user("Sam", Role::Student).await, app.user("Tim", Role::Student).await);
        let course = app.course(&ada, "Engines", 1).await;
        Club { app, ada, root, sam, tim, course }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.app.app.clock.now()
    }

    fn sandbox(&self) -> &Sandbox {
        self.app.app.payments.sandbox().unwrap()
    }

    /// Signs everybody in anew: tokens do not last for months.
    async fn sign_in(&mut self) {
        for user in [&mut self.ada, &mut self.root, &mut self.sam, &mut self.tim] {
            user.token = token(&self.app, &user.id).await;
        }
    }

    /// The time passes, and what is due is done.
    pub(crate) async fn pass(&mut self, time: TimeDelta) {
        self.app.app.clock.advance(time);
        self.sweep().await;
        self.sign_in().await;
    }

    pub(crate) async fn sweep(&self) {
        for job in [
            "orders.expire",
            "memberships.expire",
            "orders.follow_subscriptions",
            "orders.renew",
            "orders.reconcile",
            "memberships.remind",
            "memberships.end_subscriptions",
        ] {
            self.app.run(job).await;
        }
        self.settle().await;
    }

    pub(crate) async fn settle(&self) {
        for _ in 0..3 {
            self.app.settle().await;
        }
    }

    /// A plan by an administrator that is ready at the provider.
    pub(crate) async fn plan(&self, input: Value) -> Value {
        let made = self.app.mutate(&self.root, "createPlan", "plan { id }", input).await;
        self.settle().await;
        self.seen_plan(made["plan"]["id"].as_str().unwrap()).await
    }

    async fn seen_plan(&self, id: &str) -> Value {
        self.node(&self.root, id, &format!("... on Plan {{ {PLAN} }}")).await
    }

    /// All courses for 10 euros a month and 100 a year.
    async fn all_access(&self) -> Value {
        self.plan(
            json!({ "kind": "ALL_ACCESS", "name": "All", "prices": [price("10", "MONTH"), price("100", "YEAR")] }),
        )
        .await
    }

    /// Live classes: so many hours for so many euros a month.
    async fn hours(&self, name: &str, hours: &str, amount: &str) -> Value {
        let input = json!({
            "kind": "LIVE_CLASS", "name": name, "liveHoursPerMonth": hours, "prices": [price(amount, "MONTH")],
        });
        self.plan(input).await
    }

    async fn node(&self, user: &User, id: &str, selection: &str) -> Value {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ {selection} }} }}");
        self.app.data(Some(&user.token), &query, json!({ "id": id })).await["node"].take()
    }

    pub(crate) fn order_input(&self, price: &str, total: &str) -> Value {
        json!({
            "items": [{ "planPriceId": price }],
            "billing": { "country": "DE", "currency": "EUR" },
            "expectedTotal": { "amount": total, "currency": "EUR" },
        })
    }

    async fn order(&self, user: &User, price: &str, total: &str) -> Value {
        let selection =
            "order { id number status checkoutUrl total { amount } items { kind title membership { id } } }";
        self.app.mutate(user, "createOrder", selection, self.order_input(price, total)).await["order"].take()
    }

    /// Orders and pays a membership; returns its id.
    async fn join(&self, user: &User, price: &str, total: &str) -> String {
        let order = self.order(user, price, total).await;
        if order["status"] == "PENDING" {
            self.act(order["number"].as_str().unwrap(), "pay").await;
        }
        order["items"][0]["membership"]["id"].as_str().unwrap().to_owned()
    }

    async fn seen(&self, id: &str) -> Value {
        self.node(&self.root, id, &format!("... on Membership {{ {MEMBERSHIP} }}")).await
    }

    async fn status(&self, id: &str) -> String {
        self.seen(id).await["status"].as_str().unwrap().to_owned()
    }

    /// The numbers of the orders of a membership, latest first.
    async fn numbers(&self, id: &str) -> Vec<String> {
        let seen = self.seen(id).await;
        let nodes = seen["orders"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["number"].as_str().unwrap().to_owned()).collect()
    }

    /// The status and total of each order of a membership, latest first.
    async fn orders(&self, id: &str) -> Vec<String> {
        let seen = self.seen(id).await;
        let nodes = seen["orders"]["nodes"].as_array().unwrap();
        let shown = |node: &Value| {
            format!("{} {}", node["status"].as_str().unwrap(), node["total"]["amount"].as_str().unwrap())
        };
        nodes.iter().map(shown).collect()
    }

    /// Does something on the checkout page of an order.
    async fn only_act(&self, number: &str, action: &str) {
        let sql =
            format!("SELECT external_id FROM payments JOIN orders ON orders.id = order_id WHERE number = {number}");
        let page = format!("{}/dev/checkout/{}", self.app.url, self.app.sql(&sql).await);
        let request = self.app.client.post(page).body(format!("action={action}"));
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert!(answer.status().is_success() || answer.status().is_redirection(), "{action}: {}", answer.status());
    }

    async fn act(&self, number: &str, action: &str) {
        self.only_act(number, action).await;
        self.settle().await;
    }

    /// Changes a membership by a mutation with no more input than its id.
    async fn change(&self, user: &User, field: &str, id: &str) -> Value {
        let selection = format!("membership {{ {MEMBERSHIP} }}");
        let made = self.app.mutate(user, field, &selection, json!({ "membershipId": id })).await["membership"].take();
        self.settle().await;
        made
    }

    /// The code of a mutation's error or first user error; empty if it succeeds.
    pub(crate) async fn code(&self, user: &User, field: &str, input: Value) -> String {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
        let body = self.app.send(Some(&user.token), &query, json!({ "input": input })).await;
        assert_ne!(body["errors"][0]["extensions"]["code"], "INTERNAL", "{field}: {body:#}");
        code_of(&body).to_owned()
    }

    /// Whether a user may see the content of a course.
    async fn has(&self, user: &User, course: &Course) -> bool {
        let query = "query ($id: ID!) { course(id: $id) { viewerAccess { granted } } }";
        let data = self.app.data(Some(&user.token), query, json!({ "id": course.id })).await;
        data["course"]["viewerAccess"]["granted"].as_bool().unwrap()
    }

    /// How often a user was told of something that happened to a membership.
    async fn told(&self, detail: &str) -> String {
        self.settle().await;
        let sql = "SELECT count(*) FROM notification_events JOIN notifications ON notifications.id = notification_id \
            WHERE kind = 'MEMBERSHIP_CHANGED'";
        self.app.sql(&format!("{sql} AND facts ->> 'detail' = '{detail}'")).await
    }
}

/// A new token of a user.
async fn token(app: &TestApp, id: &str) -> String {
    let row = UserById(id.parse().unwrap()).load_one(&app.app).await.unwrap().unwrap();
    let client = Client::new(None, "test");
    let opened = app.app.db.transaction(async |tx| accounts::open(tx, &app.app, &client, &row).await).await;
    opened.unwrap().tokens.access_token
}

/// A price in euros.
fn price(amount: &str, interval: &str) -> Value {
    json!({ "amount": { "amount": amount, "currency": "EUR" }, "interval": interval })
}

/// The id of the price of a plan for an interval.
pub(crate) fn price_of(plan: &Value, interval: &str) -> String {
    let prices = plan["prices"].as_array().unwrap();
    let found = prices.iter().find(|price| price["interval"] == interval);
    found.unwrap_or_else(|| panic!("{plan:#}"))["id"].as_str().unwrap().to_owned()
}

fn month(plan: &Value) -> String {
    price_of(plan, "MONTH")
}

fn time(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap_or_else(|| panic!("{value:?}"))).unwrap().to_utc()
}
