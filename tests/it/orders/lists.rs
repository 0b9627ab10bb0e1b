//! Who sees which orders.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::support::plans::{Plans, most_rows, whole_tables};

impl Shop {
    async fn numbers(&self, user: &User, filter: &str) -> Vec<String> {
        let query = format!("{{ orders(filter: {{ {filter} }}) {{ totalCount nodes {{ number }} }} }}");
        let data = self.app.data(Some(&user.token), &query, json!({})).await;
        let nodes = data["orders"]["nodes"].as_array().unwrap();
        assert_eq!(data["orders"]["totalCount"], nodes.len(), "{filter}");
        nodes.iter().map(|node| node["number"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_for_its_buyer_and_administrators() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.refund(&order, json!({ "amount": { "amount": "1", "currency": "EUR" } })).await;
    shop.act(&order, "dispute").await;
    let seen = shop.seen(&order).await;
    let ids = [&order["id"], &seen["refunds"][0]["id"], &seen["disputes"][0]["id"]];
    for id in ids.map(|id| id.as_str().unwrap()) {
        for (user, sees) in [
            (Some(&shop.sam), true),
            (Some(&shop.root), true),
            (Some(&shop.tim), false),
            (Some(&shop.ada), false),
            (None, false),
        ] {
            assert_eq!(shop.node(user, id, "id").await["id"] == id, sees, "{id}");
        }
    }
    assert_eq!(shop.code(Some(&shop.tim), "cancelOrder", json!({ "orderId": order["id"] })).await, "NOT_FOUND");
    let mine = "{ viewer { orders { totalCount nodes { id } } } }";
    for (user, count) in [(&shop.sam, 1), (&shop.tim, 0), (&shop.root, 0)] {
        let data = shop.app.data(Some(&user.token), mine, json!({})).await;
        assert_eq!(data["viewer"]["orders"]["totalCount"], count);
    }
    // A filter finds no orders of others.
    let (sam, tim) = (&shop.sam, &shop.tim);
    for (user, filter, count) in [
        (sam, format!("statuses: [{}]", seen["status"].as_str().unwrap()), 1),
        (sam, "statuses: [PENDING]".to_owned(), 0),
        (sam, format!("buyerId: \"{}\"", tim.id), 1),
        (tim, format!("buyerId: \"{}\"", sam.id), 0),
    ] {
        let filtered = format!("{{ viewer {{ orders(filter: {{ {filter} }}) {{ totalCount }} }} }}");
        let data = shop.app.data(Some(&user.token), &filtered, json!({})).await;
        assert_eq!(data["viewer"]["orders"]["totalCount"], count, "{filter}");
    }
    let all = shop.app.send(Some(&shop.ada.token), "{ orders { totalCount } }", json!({})).await;
    assert_eq!(code_of(&all), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_filter_and_search() {
    let shop = Shop::open().await;
    let first = shop.order(&shop.sam).await;
    shop.act(&first, "pay").await;
    shop.app.app.clock.advance(TimeDelta::minutes(10));
    let second = shop.ordered(&shop.tim, shop.input(&[&shop.other], "5")).await;
    let [one, two] = [&first, &second].map(|order| order["number"].as_str().unwrap().to_owned());
    for (filter, numbers) in [
        (String::new(), vec![&two, &one]),
        ("statuses: [PAID, REFUNDED]".into(), vec![&one]),
        ("statuses: []".into(), vec![]),
        (format!("buyerId: \"{}\"", shop.tim.id), vec![&two]),
        (format!("courseId: \"{}\"", shop.course.id), vec![&one]),
        (format!("query: \"{two}\""), vec![&two]),
        ("query: \"gine\"".into(), vec![&one]),
        ("query: \"WHEELS\"".into(), vec![&two]),
        ("query: \"%\"".into(), vec![]),
        ("buyerQuery: \" TIM@people \"".into(), vec![&two]),
        ("buyerQuery: \"people.example\"".into(), vec![&two, &one]),
        ("buyerQuery: \"sAm\"".into(), vec![&one]),
        ("buyerQuery: \"sam\", statuses: [PENDING]".into(), vec![]),
        ("buyerQuery: \"%\"".into(), vec![]),
        ("buyerQuery: \" \"".into(), vec![&two, &one]),
        ("createdFrom: \"2026-11-20T09:05:00Z\"".into(), vec![&two]),
        ("createdTo: \"2026-11-20T09:05:00Z\"".into(), vec![&one]),
        (format!("statuses: [PENDING], buyerId: \"{}\"", shop.sam.id), vec![]),
    ] {
        assert_eq!(
            shop.numbers(&shop.root, &filter).await,
            numbers.into_iter().cloned().collect::<Vec<_>>(),
            "{filter}"
        );
    }
    // A buyer does not find others by it, and a token only if it may read what administrators see of users.
    let own = "{ viewer { orders(filter: { buyerQuery: \"sam\" }) { totalCount } } }";
    assert_eq!(shop.app.data(Some(&shop.tim.token), own, json!({})).await["viewer"]["orders"]["totalCount"], 1);
    let table = "{ ordersCsvUrl(filter: { buyerQuery: \"sam\" }) }";
    let list = "{ orders(filter: { buyerQuery: \"sam\" }) { totalCount } }";
    for (scopes, code) in [(json!(["READ_ORDERS"]), "FORBIDDEN"), (json!(["READ_ORDERS", "READ_USERS"]), "")] {
        let input =
            json!({ "name": format!("script {scopes}"), "scopes": scopes, "expiresAt": "2027-01-01T00:00:00Z" });
        let made = shop.app.mutate(&shop.root, "createApiToken", "token", input).await;
        for query in [list, table] {
            let body = shop.app.send(made["token"].as_str(), query, json!({})).await;
            assert_eq!(code_of(&body), code, "{scopes} {query}: {body:#}");
        }
    }
    let longest = format!("{{ orders(filter: {{ buyerQuery: \"{}\" }}) {{ totalCount }} }}", "x".repeat(101));
    assert_eq!(code_of(&shop.app.send(Some(&shop.root.token), &longest, json!({})).await), "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_orders_takes_the_same_number_of_statements_whatever_its_size() {
    let shop = Shop::open().await;
    for number in 0..20 {
        let user = shop.app.user(&format!("Buyer{number}"), Role::Student).await;
        let order = shop.order(&user).await;
        shop.only_act(&order, "pay").await;
    }
    shop.settle().await;
    let query = format!("query ($first: Int) {{ orders(first: $first) {{ totalCount nodes {{ {ORDER} }} }} }}");
    let mut counts = Vec::new();
    for first in [1, 20] {
        counts.push(shop.app.statements(Some(&shop.root.token), &query, json!({ "first": first })).await);
    }
    assert_eq!(counts[0], counts[1], "{counts:?}");
    let events = "query ($first: Int) { paymentEvents(first: $first) { totalCount nodes { id order { number } } } }";
    let mut counts = Vec::new();
    for first in [1, 10] {
        counts.push(shop.app.statements(Some(&shop.root.token), events, json!({ "first": first })).await);
    }
    assert_eq!(counts[0], counts[1], "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_get_the_list_as_a_table() {
    let shop = Shop::open().await;
    let evil = shop.app.user("=HYPERLINK(1)", Role::Student).await;
    let first = shop.order(&evil).await;
    shop.act(&first, "pay").await;
    shop.ordered(&shop.tim, shop.input(&[&shop.course, &shop.other], "24.90")).await;
    let table = async |filter: &str| {
        let query = format!("{{ ordersCsvUrl{filter} }}");
        let url = shop.app.data(Some(&shop.root.token), &query, json!({})).await["ordersCsvUrl"].take();
        let url = url.as_str().unwrap().replace("http://127.0.0.1:8080", &shop.app.url);
        let response = shop.app.client.get(&url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        (url, response.text().await.unwrap())
    };
    let (_, all) = table("").await;
    let rows: Vec<&str> = all.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 3, "{all}");
    assert!(rows[1].contains("PENDING") && rows[1].contains("\"Engines; Wheels\""), "latest first: {all}");
    let number = first["number"].as_str().unwrap();
    let expected = format!(
        "{number},PAID,2026-11-20T09:00:00+00:00,2026-11-20T09:00:00+00:00,\"'=HYPERLINK(1)\",\"'=hyperlink(1)@people.example\",\
        DE,EUR,\"Engines\",0.00,0.00,19.90,0.00,\"INV-000001\""
    );
    assert_eq!(rows[2], expected);
    let (url, paid) = table("(filter: { statuses: [PAID], query: \"engines\" })").await;
    assert_eq!(paid.split_terminator("\r\n").count(), 2, "{paid}");
    // The filter is part of what was signed, and the URL ends with the role and with the hour.
    let other = url.replace("filter=", "filter=e30&x=");
    let status = async |url: &str| shop.app.client.get(url).send().await.unwrap().status().as_u16();
    assert_eq!((status(&other).await, status(&url).await), (403, 200));
    for user in [&shop.ada, &shop.sam] {
        let body = shop.app.send(Some(&user.token), "{ ordersCsvUrl }", json!({})).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    shop.app.app.clock.advance(TimeDelta::minutes(60));
    assert_eq!(status(&url).await, 403);
    let (url, _) = table("").await;
    shop.app.sql("UPDATE users SET role = 'STUDENT' WHERE name = 'Root'").await;
    shop.app.forget_rows();
    assert_eq!(status(&url).await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_see_the_orders_of_a_user() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    let query = "query ($id: ID!) { user(id: $id) { orders { totalCount nodes { id } } } }";
    for (user, sees) in [(&shop.root, true), (&shop.sam, true), (&shop.tim, false), (&shop.ada, false)] {
        let body = shop.app.send(Some(&user.token), query, json!({ "id": shop.sam.id })).await;
        let orders = &body["data"]["user"]["orders"];
        assert_eq!(orders["nodes"][0]["id"] == order["id"], sees, "{body:#}");
        assert_eq!(body["errors"][0]["extensions"]["code"] == "FORBIDDEN", !sees, "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_sort_orders_by_time_or_by_total() {
    let shop = Shop::open().await;
    let prices = json!([{ "amount": "7", "currency": "USD" }]);
    let input = json!({ "courseId": shop.other.id, "prices": prices });
    shop.app.edit(&shop.ada, "updateCourse", "course { id }", input).await;
    let mut dollars = shop.input(&[&shop.other], "7");
    for part in ["billing", "expectedTotal"] {
        dollars[part]["currency"] = "USD".into();
    }
    let (uma, vic) = (shop.app.user("Uma", Role::Student).await, shop.app.user("Vic", Role::Student).await);
    let mut numbers = Vec::new();
    for (user, input) in [
        (&shop.sam, shop.input(&[&shop.course], "19.90")),
        (&uma, dollars),
        (&shop.tim, shop.input(&[&shop.other], "5")),
        (&vic, shop.input(&[&shop.course], "19.90")),
    ] {
        numbers.push(shop.ordered(user, input).await["number"].take());
        shop.app.app.clock.advance(TimeDelta::minutes(1));
    }
    let listed = async |arguments: &str| {
        let fields = "totalCount pageInfo { startCursor endCursor } nodes { number }";
        let query = format!("{{ orders({arguments}) {{ {fields} }} }}");
        shop.app.data(Some(&shop.root.token), &query, json!({})).await["orders"].take()
    };
    let places = |list: &Value| -> Vec<usize> {
        let nodes = list["nodes"].as_array().unwrap();
        nodes.iter().map(|node| numbers.iter().position(|number| *number == node["number"]).unwrap()).collect()
    };
    assert_eq!(places(&listed("first: 10").await), [3_usize, 2, 1, 0]);
    for (sort, expected) in [
        ("{ field: CREATED_AT, direction: ASC }", [0_usize, 1, 2, 3]),
        ("{ field: CREATED_AT, direction: DESC }", [3, 2, 1, 0]),
        // Euros before dollars.
        ("{ field: TOTAL, direction: ASC }", [2, 0, 3, 1]),
        ("{ field: TOTAL, direction: DESC }", [1, 3, 0, 2]),
    ] {
        assert_eq!(places(&listed(&format!("sort: {sort}")).await), expected, "{sort}");
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        let (mut after, mut before) = (String::new(), String::new());
        for _ in 0..4 {
            let page = listed(&format!("sort: {sort}, first: 1{after}")).await;
            assert_eq!(page["totalCount"], 4);
            after = format!(", after: {}", page["pageInfo"]["endCursor"]);
            forward.extend(places(&page));
            let page = listed(&format!("sort: {sort}, last: 1{before}")).await;
            before = format!(", before: {}", page["pageInfo"]["startCursor"]);
            backward.extend(places(&page));
        }
        backward.reverse();
        assert_eq!((forward, backward), (expected.to_vec(), expected.to_vec()), "{sort}");
    }
    let total = "sort: { field: TOTAL, direction: ASC }";
    assert_eq!(places(&listed(&format!("{total}, filter: {{ query: \"gine\" }}")).await), [0_usize, 3]);
    let other = listed("first: 1").await["pageInfo"]["endCursor"].take();
    let id = "01932a0f-5c00-7000-8000-000000000000";
    let forged = URL_SAFE_NO_PAD.encode(json!(["orders by total", ["ABC", 1, id]]).to_string());
    for cursor in [other.as_str().unwrap(), &forged] {
        let query = format!("{{ orders({total}, after: \"{cursor}\") {{ totalCount }} }}");
        let body = shop.app.send(Some(&shop.root.token), &query, json!({})).await;
        assert_eq!(code_of(&body), "BAD_USER_INPUT", "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_by_total_reads_no_more_orders_than_it_has() {
    let shop = Shop::open().await;
    let many = "INSERT INTO orders (id, buyer_id, status, country, currency, total_minor, created_at, updated_at)
        SELECT gen_random_uuid(), users.id, 'FAILED', 'DE', 'EUR', n % 997, now(), now()
        FROM users, generate_series(1, 20000) AS n WHERE users.name = 'Sam'";
    shop.app.sql(many).await;
    shop.app.sql("ANALYZE orders").await;
    let middle = json!(["orders by total", ["EUR", 500, "01932a0f-5c00-7000-8000-000000000000"]]);
    let cursor = URL_SAFE_NO_PAD.encode(middle.to_string());
    let mut plans = Plans::of(&shop.app).await;
    for direction in ["ASC", "DESC"] {
        let arguments = format!("first: 10, after: \"{cursor}\", sort: {{ field: TOTAL, direction: {direction} }}");
        let query = format!("{{ orders({arguments}) {{ nodes {{ total {{ amount }} }} }} }}");
        let data = shop.app.data(Some(&shop.root.token), &query, json!({})).await;
        assert_eq!(data["orders"]["nodes"].as_array().unwrap().len(), 10);
        for plan in plans.next("ORDER BY \"orders\".\"currency\"", 1).await {
            let plan = &plan["Plan"];
            assert!(most_rows(plan) <= 11.0 && whole_tables(plan, &["orders"]).is_empty(), "{direction}: {plan:#}");
        }
    }
}
