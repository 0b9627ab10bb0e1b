//! What channels have sold: searched, and as a table.

use super::*;

/// A list of sales or the URL of one, in a node that is a channel.
fn of_channel(selection: &str) -> String {
    format!("query ($id: ID!) {{ node(id: $id) {{ ... on Channel {{ {selection} }} }} }}")
}

impl Shop {
    /// The numbers of the orders of what the channel has sold, in the order of the list.
    async fn sold(&self, filter: &str) -> Vec<String> {
        let query = of_channel(&format!("sales(filter: {{ {filter} }}) {{ totalCount nodes {{ orderNumber }} }}"));
        let variables = json!({ "id": self.channel().await });
        let sales = self.app.data(Some(&self.ada.token), &query, variables).await["node"]["sales"].take();
        let nodes = sales["nodes"].as_array().unwrap();
        assert_eq!(sales["totalCount"], nodes.len(), "{filter}");
        nodes.iter().map(|node| node["orderNumber"].as_str().unwrap().to_owned()).collect()
    }

    /// The URL of the table of what a channel has sold.
    async fn sales_url(&self, user: &User, channel: &str, filter: &str) -> String {
        let query = of_channel(&format!("salesCsvUrl(filter: {{ {filter} }})"));
        let data = self.app.data(Some(&user.token), &query, json!({ "id": channel })).await;
        data["node"]["salesCsvUrl"].as_str().unwrap().replace("http://127.0.0.1:8080", &self.app.url)
    }

    async fn url_status(&self, url: &str) -> u16 {
        self.app.client.get(url).send().await.unwrap().status().as_u16()
    }

    /// The rows of a table.
    async fn rows_at(&self, url: &str) -> Vec<String> {
        let response = self.app.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{url}");
        assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
        assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"sales.csv\"");
        let text = response.text().await.unwrap();
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_searches_what_was_sold() {
    let shop = Shop::open().await;
    let uma = shop.app.user("Uma", Role::Student).await;
    let mut numbers = Vec::new();
    for (user, courses, total) in [
        (&shop.sam, vec![&shop.course], "19.90"),
        (&shop.tim, vec![&shop.other], "5"),
        (&uma, vec![&shop.course, &shop.other], "24.90"),
    ] {
        let order = shop.ordered(user, shop.input(&courses, total)).await;
        shop.act(&order, "pay").await;
        numbers.push(order["number"].as_str().unwrap().to_owned());
        shop.app.app.clock.advance(TimeDelta::minutes(1));
    }
    let (one, two, three) = (&numbers[0], &numbers[1], &numbers[2]);
    let (course, other) = (&shop.course.id, &shop.other.id);
    for (filter, expected) in [
        (String::new(), vec![three, three, two, one]),
        ("query: \"gine\"".into(), vec![three, one]),
        ("query: \" WHEELS \"".into(), vec![three, two]),
        ("query: \" \"".into(), vec![three, three, two, one]),
        ("query: \"%\"".into(), vec![]),
        ("query: \"_ngines\"".into(), vec![]),
        (format!("query: \"{two}\""), vec![two]),
        (format!("query: \" {three} \""), vec![three, three]),
        ("query: \"1\"".into(), vec![]),
        ("query: \"99999999999999999999\"".into(), vec![]),
        ("query: \"gine\", month: \"2026-11\"".into(), vec![three, one]),
        ("query: \"gine\", month: \"2026-12\"".into(), vec![]),
        (format!("query: \"{three}\", courseId: \"{other}\""), vec![three]),
        (format!("query: \"wheels\", courseId: \"{course}\""), vec![]),
        (format!("query: \"{one}\", courseId: \"{course}\", month: \"2026-11\""), vec![one]),
    ] {
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(shop.sold(&filter).await, expected, "{filter}");
    }

    // A channel finds nothing of another one.
    let lab = shop.app.mutate(&shop.ada, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    let search = of_channel(&format!("sales(filter: {{ query: \"{two}\" }}) {{ totalCount }}"));
    let variables = json!({ "id": lab["channel"]["id"] });
    let data = shop.app.data(Some(&shop.ada.token), &search, variables).await;
    assert_eq!(data["node"]["sales"]["totalCount"], 0);

    let variables = json!({ "id": shop.channel().await });
    let (longest, longer) = ("é".repeat(100), "é".repeat(101));
    for (text, code) in [(&*longest, ""), (&*longer, "BAD_USER_INPUT"), ("a\\u0000", "BAD_USER_INPUT")] {
        let filter = format!("filter: {{ query: \"{text}\" }}");
        for selection in [format!("sales({filter}) {{ totalCount }}"), format!("salesCsvUrl({filter})")] {
            let body = shop.app.send(Some(&shop.ada.token), &of_channel(&selection), variables.clone()).await;
            assert_eq!(code_of(&body), code, "{selection}: {body:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_gets_the_sales_as_a_table() {
    let shop = Shop::open().await;
    let title = json!({ "courseId": shop.other.id, "title": "=Wheels, \"big\"" });
    shop.app.edit(&shop.ada, "updateCourse", "course { id }", title).await;
    let first = shop.order(&shop.sam).await;
    shop.act(&first, "pay").await;
    shop.app.app.clock.advance(TimeDelta::minutes(1));
    let second = shop.ordered(&shop.tim, shop.input(&[&shop.other], "5")).await;
    shop.act(&second, "pay").await;
    let channel = shop.channel().await;
    let (one, two) = (first["number"].as_str().unwrap(), second["number"].as_str().unwrap());
    let head = "time,order,kind,item,currency,price,share".to_owned();
    let engines = format!("2026-11-20T09:00:00+00:00,{one},COURSE,\"Engines\",EUR,19.90,13.93");
    let wheels =
        |amounts: &str| format!("2026-11-20T09:01:00+00:00,{two},COURSE,\"'=Wheels, \"\"big\"\"\",EUR,{amounts}");

    let all = shop.sales_url(&shop.ada, &channel, "").await;
    assert_eq!(shop.rows_at(&all).await, [head.clone(), wheels("5.00,3.50"), engines.clone()]);
    // What is refunded has brought nothing.
    shop.refund(&second, json!({ "amount": { "amount": "1", "currency": "EUR" } })).await;
    assert_eq!(shop.rows_at(&all).await, [head.clone(), wheels("4.00,2.80"), engines.clone()]);
    assert_eq!(shop.sold("").await, [two, one], "the rows of the list");
    shop.settle().await;
    shop.refund(&second, json!({})).await;
    assert_eq!(shop.rows_at(&all).await, [head.clone(), wheels("0.00,0.00"), engines.clone()]);

    // It has what is listed, for administrators, too.
    for (filter, rows) in [
        ("query: \"ENGINES\"".to_owned(), vec![head.clone(), engines.clone()]),
        (format!("query: \"{two}\", month: \"2026-11\""), vec![head.clone(), wheels("0.00,0.00")]),
        (format!("courseId: \"{}\"", shop.course.id), vec![head.clone(), engines.clone()]),
        ("month: \"2026-12\"".to_owned(), vec![head.clone()]),
    ] {
        for user in [&shop.ada, &shop.root] {
            let url = shop.sales_url(user, &channel, &filter).await;
            assert_eq!(shop.rows_at(&url).await, rows, "{filter}");
        }
    }

    // Others get no URL, and a token only if it may read orders.
    let query = of_channel("salesCsvUrl");
    let mut asks = Vec::new();
    for user in [&shop.sam, &shop.app.user("Eve", Role::Instructor).await] {
        asks.push((Some(user.token.clone()), "FORBIDDEN"));
    }
    asks.push((None, "FORBIDDEN"));
    for (scope, code) in [("READ_USERS", "FORBIDDEN"), ("READ_ORDERS", "")] {
        let input = json!({ "name": scope, "scopes": [scope], "expiresAt": "2027-01-01T00:00:00Z" });
        let made = shop.app.mutate(&shop.root, "createApiToken", "token", input).await;
        asks.push((made["token"].as_str().map(str::to_owned), code));
    }
    for (token, code) in asks {
        let body = shop.app.send(token.as_deref(), &query, json!({ "id": channel })).await;
        assert_eq!(code_of(&body), code, "{body:#}");
        assert_eq!(body["data"]["node"]["salesCsvUrl"].is_null(), !code.is_empty(), "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_url_of_a_table_is_for_one_list_for_an_hour_and_while_its_user_may_see_it() {
    let shop = Shop::open().await;
    let channel = shop.channel().await;
    let all = shop.sales_url(&shop.ada, &channel, "").await;
    let some = shop.sales_url(&shop.ada, &channel, "query: \"engines\"").await;
    let ((start, token), (_, other)) = (all.split_once("&token=").unwrap(), some.split_once("&token=").unwrap());
    assert_eq!(shop.url_status(&format!("{start}&token={token}")).await, 200);
    for url in [
        format!("{start}&token={other}"),
        format!("{start}&token="),
        start.to_owned(),
        all.replace("filter=", "filter=e30&x="),
        all.replace("filter=", "filter=A"),
    ] {
        assert_eq!(shop.url_status(&url).await, 403, "{url}");
    }
    // A URL of sales is none of orders, nor the other way round.
    let sales = shop.sales_url(&shop.root, &channel, "").await;
    let orders = shop.app.data(Some(&shop.root.token), "{ ordersCsvUrl }", json!({})).await["ordersCsvUrl"].take();
    let orders = orders.as_str().unwrap().replace("http://127.0.0.1:8080", &shop.app.url);
    assert_eq!((shop.url_status(&sales).await, shop.url_status(&orders).await), (200, 200));
    for url in [sales.replace("/sales.csv", "/orders.csv"), orders.replace("/orders.csv", "/sales.csv")] {
        assert_eq!(shop.url_status(&url).await, 403, "{url}");
    }

    shop.app.app.clock.advance(TimeDelta::minutes(59));
    assert_eq!(shop.url_status(&all).await, 200);
    shop.app.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(shop.url_status(&all).await, 403);

    // A channel that is deleted.
    let lab = shop.app.mutate(&shop.ada, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    let lab = lab["channel"]["id"].as_str().unwrap();
    let gone = shop.sales_url(&shop.ada, lab, "").await;
    assert_eq!(shop.url_status(&gone).await, 200);
    shop.app.mutate(&shop.ada, "deleteChannel", "deletedChannelId", json!({ "channelId": lab })).await;
    assert_eq!(shop.url_status(&gone).await, 403);

    // A channel that is another user's, and an administrator who is none anymore.
    let owners = shop.sales_url(&shop.ada, &channel, "").await;
    let admins = shop.sales_url(&shop.root, &channel, "").await;
    let given = "UPDATE channels SET is_default = false, owner_id = (SELECT id FROM users WHERE name = 'Tim') \
        WHERE owner_id = (SELECT id FROM users WHERE name = 'Ada')";
    shop.app.sql(given).await;
    shop.app.forget_rows();
    assert_eq!((shop.url_status(&owners).await, shop.url_status(&admins).await), (403, 200));
    shop.app.sql("UPDATE users SET role = 'STUDENT' WHERE name = 'Root'").await;
    shop.app.forget_rows();
    assert_eq!(shop.url_status(&admins).await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_url_of_a_table_ends_with_the_account_of_its_user() {
    let shop = Shop::with(&[("LYCEUM_DELETION_DAYS", "0")]).await;
    let chief = shop.app.user("Chief", Role::Admin).await;
    let url = shop.sales_url(&chief, &shop.channel().await, "").await;
    assert_eq!(shop.url_status(&url).await, 200);
    shop.app.sql("UPDATE users SET password_hash = NULL").await;
    shop.app.mutate(&chief, "deleteAccount", "user { id }", json!({})).await;
    shop.app.run("accounts.delete_due").await;
    shop.app.forget_rows();
    assert_eq!(shop.app.sql("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL").await, "1");
    assert_eq!(shop.url_status(&url).await, 403);
}
