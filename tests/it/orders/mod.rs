//! Orders, paid in the sandbox.

mod buying;
mod coupons;
mod debits;
mod donations;
pub(crate) mod fakes;
mod follow_up;
mod gifts;
mod google_play;
mod inbox;
mod invoices;
mod kills;
mod ledger;
mod lists;
mod live;
mod localstripe;
mod model;
mod paypal;
mod prices;
mod random_gateways;
mod razorpay;
mod refunds;
mod sales;
mod stripe;
mod subscribing;
mod tax;
mod unpaid;

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use lyceum::platform::payments::sandbox::{Sandbox, Trouble};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{Course, User, code_of};

const ORDER: &str = "id number status nextStatuses checkoutUrl provider paidAt expiresAt createdAt \
    buyer { name } total { amount currency } refunded { amount } \
    items { id kind title amount { amount currency } refunded { amount } course { id } \
        entitlement { id source endedAt endReason order { id } } } \
    refunds { id amount { amount } reason state items { title } } disputes { id status amount { amount } }";

/// Two courses of Ada's for 19.90 and 5 euros, and users who have none of them.
struct Shop {
    app: TestApp,
    ada: User,
    root: User,
    sam: User,
    tim: User,
    course: Course,
    other: Course,
}

impl Shop {
    async fn open() -> Shop {
        Shop::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Shop {
        // A day: tests turn the clock by hours.
        let settings: Vec<_> = settings.iter().copied().chain([("LYCEUM_TOKEN_MINUTES", "1440")]).collect();
        let app = TestApp::with(&settings).await;
        let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
        let (sam, tim) = (app.user("Sam", Role::Student).await, app.user("Tim", Role::Student).await);
        let (course, other) = (app.course(&ada, "Engines", 1).await, app.course(&ada, "Wheels", 1).await);
        let shop = Shop { app, ada, root, sam, tim, course, other };
        shop.price(&shop.course, "19.90", "EUR").await;
        shop.price(&shop.other, "5", "EUR").await;
        shop
    }

    async fn price(&self, course: &Course, amount: &str, currency: &str) {
        let price = json!({ "amount": amount, "currency": currency });
        let input = json!({ "courseId": course.id, "price": price });
        self.app.edit(&self.ada, "updateCourse", "course { id }", input).await;
    }

    fn sandbox(&self) -> &Sandbox {
        self.app.app.payments.sandbox().unwrap()
    }

    /// The input of an order of courses for `total` euros.
    fn input(&self, courses: &[&Course], total: &str) -> Value {
        let items: Vec<Value> = courses.iter().map(|course| json!({ "courseId": course.id })).collect();
        json!({
            "items": items,
            "billing": { "country": "DE", "currency": "EUR" },
            "expectedTotal": { "amount": total, "currency": "EUR" },
        })
    }

    /// Orders the first course.
    async fn order(&self, user: &User) -> Value {
        self.ordered(user, self.input(&[&self.course], "19.90")).await
    }

    async fn ordered(&self, user: &User, input: Value) -> Value {
        let selection = format!("order {{ {ORDER} }}");
        self.app.mutate(user, "createOrder", &selection, input).await["order"].take()
    }

    /// The code of a mutation's error or first user error; empty if it succeeds.
    async fn code(&self, user: Option<&User>, field: &str, input: Value) -> String {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
        let body = self.app.send(user.map(|user| &*user.token), &query, json!({ "input": input })).await;
        assert_ne!(body["errors"][0]["extensions"]["code"], "INTERNAL", "{field}: {body:#}");
        code_of(&body).to_owned()
    }

    /// Does something on the checkout page of an order, and lets everybody know.
    async fn act(&self, order: &Value, action: &str) {
        self.only_act(order, action).await;
        self.settle().await;
    }

    async fn only_act(&self, order: &Value, action: &str) {
        let sql = format!(
            "SELECT external_id FROM payments JOIN orders ON orders.id = order_id WHERE number = {}",
            order["number"].as_str().unwrap()
        );
        let page = format!("{}/dev/checkout/{}", self.app.url, self.app.sql(&sql).await);
        let answer = self
            .app
            .client
            .post(page)
            .body(format!("action={action}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success() || answer.status().is_redirection(), "{action}: {}", answer.status());
    }

    /// Runs what is due: webhooks are sent, processed, and their events told.
    async fn settle(&self) {
        for _ in 0..3 {
            self.app.settle().await;
        }
    }

    async fn pass(&self, time: TimeDelta) {
        self.app.app.clock.advance(time);
        self.settle().await;
    }

    /// Asks the provider about open payments, after a time.
    async fn reconcile(&self, after: TimeDelta) {
        self.app.app.clock.advance(after);
        self.app.run("orders.reconcile").await;
    }

    /// The order as its administrator sees it.
    async fn seen(&self, order: &Value) -> Value {
        self.node(Some(&self.root), order["id"].as_str().unwrap(), &format!("... on Order {{ {ORDER} }}")).await
    }

    async fn status(&self, order: &Value) -> String {
        self.seen(order).await["status"].as_str().unwrap().to_owned()
    }

    async fn node(&self, user: Option<&User>, id: &str, selection: &str) -> Value {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ {selection} }} }}");
        self.app.data(user.map(|user| &*user.token), &query, json!({ "id": id })).await["node"].take()
    }

    /// Whether a user may see the content of a course.
    async fn has(&self, user: &User, course: &Course) -> bool {
        let query = "query ($id: ID!) { course(id: $id) { viewerAccess { granted } } }";
        let data = self.app.data(Some(&user.token), query, json!({ "id": course.id })).await;
        data["course"]["viewerAccess"]["granted"].as_bool().unwrap()
    }

    /// The states of all events of the provider, latest first.
    async fn events(&self) -> Vec<String> {
        let query = "{ paymentEvents { totalCount nodes { kind state } } }";
        let data = self.app.data(Some(&self.root.token), query, json!({})).await;
        let nodes = data["paymentEvents"]["nodes"].as_array().unwrap();
        assert_eq!(data["paymentEvents"]["totalCount"], nodes.len());
        let event = |node: &Value| format!("{} {}", node["kind"].as_str().unwrap(), node["state"].as_str().unwrap());
        nodes.iter().map(event).collect()
    }

    async fn refund(&self, order: &Value, mut input: Value) -> Value {
        input["orderId"] = order["id"].clone();
        input["reason"] = "Not satisfied".into();
        let selection = format!("order {{ {ORDER} }} refund {{ id amount {{ amount }} state }}");
        self.app.mutate(&self.root, "refundOrder", &selection, input).await
    }

    async fn students(&self, course: &Course) -> i64 {
        self.app.forget_rows();
        let query = "query ($id: ID!) { course(id: $id) { studentCount } }";
        self.app.data(None, query, json!({ "id": course.id })).await["course"]["studentCount"].as_i64().unwrap()
    }
}
