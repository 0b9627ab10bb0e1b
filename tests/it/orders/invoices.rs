//! Invoices and credit notes.

use lyceum::app::registry;
use lyceum::orders::{OrderId, OrderPaid};
use lyceum::platform::db::Tx;
use lyceum::platform::jobs::{self, worker::Worker};

use super::*;
use crate::support::pdf::text_of;

const SETTINGS: [(&str, &str); 4] = [
    ("LYCEUM_TAXES", "DE=19,US=+8.25"),
    ("LYCEUM_SELLER_NAME", "School of Engines Ltd"),
    ("LYCEUM_SELLER_ADDRESS", "1 Mill Lane | Turing | Country"),
    ("LYCEUM_SELLER_TAX_ID", "DE123456789"),
];
const DOCUMENTS: &str = "... on Order { invoiceUrl refunds { creditNoteUrl } }";

impl Shop {
    /// The text of the document at a URL that the API has returned.
    async fn printed(&self, url: &Value) -> String {
        let (status, body) = self.fetched(url).await;
        assert_eq!(status, 200);
        text_of(&body)
    }

    async fn fetched(&self, url: &Value) -> (u16, Vec<u8>) {
        let url = url.as_str().unwrap().replace("http://127.0.0.1:8080", &self.app.url);
        let response = self.app.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    async fn documents(&self, user: &User, order: &Value) -> Value {
        self.node(Some(user), order["id"].as_str().unwrap(), DOCUMENTS).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_order_has_an_invoice_and_a_refund_a_credit_note() {
    let shop = Shop::with(&SETTINGS).await;
    let mut input = shop.input(&[&shop.course, &shop.other], "24.90");
    input["billing"]["name"] = "Analytical Works".into();
    input["billing"]["address"] = "Byron Street 7\n10115 Berlin".into();
    input["billing"]["taxId"] = "DE987654321".into();
    let order = shop.ordered(&shop.sam, input).await;
    assert_eq!(shop.documents(&shop.sam, &order).await["invoiceUrl"], Value::Null, "not before it is paid");
    shop.act(&order, "pay").await;
    let urls = shop.documents(&shop.sam, &order).await;
    let text = shop.printed(&urls["invoiceUrl"]).await;
    for part in [
        "Invoice",
        "INV-000001",
        "School of Engines Ltd",
        "1 Mill Lane",
        "Country",
        "Tax ID DE123456789",
        "Analytical Works",
        "Byron Street 7",
        "10115 Berlin",
        "Tax ID DE987654321",
        "DE",
        "20 November 2026",
        "Engines",
        "19.90 EUR",
        "Wheels",
        "5.00 EUR",
        "Tax 19 % (DE)",
        "3.98 EUR",
        "20.92 EUR",
        "24.90 EUR",
        order["number"].as_str().unwrap(),
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }

    // In two steps, the taxes of which are together the tax of the invoice.
    shop.refund(&order, json!({ "amount": { "amount": "10.01", "currency": "EUR" } })).await;
    shop.settle().await;
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    let notes = shop.documents(&shop.sam, &order).await;
    let [first, second] = [0, 1].map(|place| &notes["refunds"][place]["creditNoteUrl"]);
    let (first, second) = (shop.printed(first).await, shop.printed(second).await);
    for part in ["Credit note", "CN-000001", "INV-000001 of 20 November 2026", "10.01 EUR", "Reason: Not satisfied"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    assert!(second.contains("CN-000002") && second.contains("14.89 EUR"), "{second}");
    let taxes = "SELECT string_agg(content ->> 'tax_minor', ' ' ORDER BY number) FROM invoices WHERE series = 'CN-'";
    let taxes: Vec<i64> = shop.app.sql(taxes).await.split(' ').map(|tax| tax.parse().unwrap()).collect();
    assert_eq!((taxes.len(), taxes.iter().sum::<i64>()), (2, 398), "{taxes:?}");
    // What was printed once is printed again as it was.
    assert_eq!(shop.printed(&shop.documents(&shop.sam, &order).await["invoiceUrl"]).await, text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_is_issued_when_the_money_is_on_its_way_and_none_if_it_is_not() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    shop.sandbox().set_trouble(Trouble::Away);
    shop.refund(&order, json!({ "amount": { "amount": "5", "currency": "EUR" } })).await;
    shop.settle().await;
    let note = async |place: usize| shop.documents(&shop.sam, &order).await["refunds"][place]["creditNoteUrl"].take();
    assert_eq!(note(0).await, Value::Null);
    shop.sandbox().set_trouble(Trouble::None);
    shop.pass(TimeDelta::minutes(2)).await;
    assert!(note(0).await.is_string());
    shop.app.sql("UPDATE sandbox_checkouts SET refunded_minor = amount_minor").await;
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    let seen = shop.seen(&order).await;
    assert_eq!((&seen["refunds"][1]["state"], note(1).await), (&json!("FAILED"), Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_for_those_who_have_its_url_for_an_hour() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.act(&order, "pay").await;
    let url = shop.documents(&shop.root, &order).await["invoiceUrl"].take();
    assert!(shop.printed(&url).await.contains("No tax is charged."));
    assert_eq!(shop.documents(&shop.tim, &order).await, Value::Null);
    let changed = |from: &str, to: &str| Value::from(url.as_str().unwrap().replace(from, to));
    let token = url.as_str().unwrap().split_once("token=").unwrap().1;
    for wrong in [changed(token, ""), changed(token, "AAAA"), changed(token, &token.replace(&token[..4], "AAAA"))] {
        assert_eq!(shop.fetched(&wrong).await.0, 403, "{wrong}");
    }
    shop.app.app.clock.advance(TimeDelta::minutes(60));
    assert_eq!(shop.fetched(&url).await.0, 403, "it has expired");

    // What costs nothing, or is not paid for in the end, has none.
    shop.price(&shop.other, "0", "EUR").await;
    let free = shop.ordered(&shop.sam, shop.input(&[&shop.other], "0")).await;
    let late = shop.order(&shop.tim).await;
    shop.only_act(&late, "pay-late").await;
    shop.app.mutate(&shop.tim, "cancelOrder", "order { id }", json!({ "orderId": late["id"] })).await;
    let again = shop.order(&shop.tim).await;
    shop.act(&again, "pay").await;
    shop.pass(TimeDelta::seconds(31)).await;
    assert_eq!(shop.documents(&shop.sam, &free).await["invoiceUrl"], Value::Null);
    let returned = json!({ "invoiceUrl": null, "refunds": [{ "creditNoteUrl": null }] });
    assert_eq!(shop.documents(&shop.tim, &late).await, returned);
    let numbers = "SELECT string_agg(series || number, ' ' ORDER BY number) FROM invoices";
    assert_eq!(shop.app.sql(numbers).await, "INV-1 INV-2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_have_no_gaps_whatever_crashes() {
    const ORDERS: usize = 24;
    let shop = Shop::open().await;
    let peers = [shop.app.peer().await, shop.app.peer().await];
    // Every third time that a number was taken, the transaction fails, or its connection is killed.
    shop.app
        .sql(
            "CREATE SEQUENCE crashes;
            CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                CASE nextval('crashes') % 6
                    WHEN 1 THEN RAISE 'crash';
                    WHEN 4 THEN PERFORM pg_terminate_backend(pg_backend_pid());
                    ELSE NULL;
                END CASE;
                RETURN NEW;
            END $$;
            CREATE TRIGGER crash BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION crash()",
        )
        .await;
    let buyer = shop.sam.id.parse::<lyceum::accounts::UserId>().unwrap();
    let mut paid = Vec::new();
    for _ in 0..ORDERS {
        let id = uuid::Uuid::now_v7();
        shop.app
            .sql(&format!(
                "INSERT INTO orders (id, buyer_id, status, country, currency, total_minor, created_at, updated_at, paid_at)
                VALUES ('{id}', '{}', 'PAID', 'DE', 'EUR', 100, now(), now(), now())",
                buyer.uuid()
            ))
            .await;
        paid.push(OrderPaid { order: OrderId::new(id), buyer });
    }
    // Each is told twice, as after a worker has died.
    let enqueue = async |tx: &mut Tx| {
        for (number, event) in paid.iter().chain(&paid).enumerate() {
            let (payload, key) = (serde_json::to_value(event).unwrap(), format!("{number}"));
            jobs::enqueue(tx, &shop.app.app.clock, "orders.invoice", &payload, &key).await?;
        }
        Ok::<_, lyceum::platform::internal_error::InternalError>(())
    };
    shop.app.app.db.transaction(enqueue).await.unwrap();
    for _ in 0..12 {
        let workers = [&shop.app, &peers[0], &peers[1]].map(|node| async {
            Worker::new(node.app.clone(), registry().unwrap()).drain().await.unwrap();
        });
        futures_util::future::join_all(workers).await;
        shop.app.app.clock.advance(TimeDelta::hours(1));
    }
    let crashed: i64 = shop.app.sql("SELECT last_value FROM crashes").await.parse().unwrap();
    assert!(crashed > ORDERS as i64, "it crashed: {crashed}");
    let left = "SELECT count(*) FROM jobs WHERE handler = 'orders.invoice'";
    assert_eq!(shop.app.sql(left).await, "0");
    let numbers = "SELECT concat_ws(' ', count(*), count(DISTINCT order_id), min(number), max(number), \
        (SELECT last_number FROM invoice_series)) FROM invoices";
    assert_eq!(shop.app.sql(numbers).await, format!("{ORDERS} {ORDERS} 1 {ORDERS} {ORDERS}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_orders_has_its_invoices_in_one_statement() {
    let shop = Shop::open().await;
    for (user, course) in [(&shop.sam, &shop.course), (&shop.sam, &shop.other), (&shop.tim, &shop.other)] {
        let total = if course.id == shop.other.id { "5" } else { "19.90" };
        let order = shop.ordered(user, shop.input(&[course], total)).await;
        shop.act(&order, "pay").await;
    }
    let counted = async |first: usize| {
        let query = format!("{{ orders(first: {first}) {{ nodes {{ invoiceUrl refunds {{ creditNoteUrl }} }} }} }}");
        let (statements, data) =
            shop.app.counted(async || shop.app.data(Some(&shop.root.token), &query, json!({})).await).await;
        assert_eq!(data["orders"]["nodes"].as_array().unwrap().len(), first);
        assert!(data["orders"]["nodes"][0]["invoiceUrl"].is_string());
        statements
    };
    assert_eq!(counted(1).await, counted(3).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_of_a_paid_order_is_a_receipt_in_the_language_of_its_buyer() {
    let shop = Shop::with(&SETTINGS).await;
    for (code, percent) in [("ten", 10), ("all", 100)] {
        let coupon = json!({ "code": code, "percent": percent });
        shop.app.mutate(&shop.root, "createCoupon", "coupon { id }", coupon).await;
    }
    shop.app.sql("UPDATE users SET locale = 'de' WHERE name = 'Tim'").await;
    shop.app.forget_rows();
    // Users are told of nothing from the instant at which their accounts were made.
    shop.app.app.clock.advance(TimeDelta::seconds(1));
    let both = [&shop.course, &shop.other];
    for (user, country, courses, total, code, receipt) in [
        (
            &shop.sam,
            "DE",
            &both[..],
            "22.41",
            Some("ten"),
            "\n\nEngines: 19.90 EUR\nWheels: 5.00 EUR\nDiscount: −2.49 EUR\nTotal: 22.41 EUR\n\
             Included tax 19 % (DE): 3.58 EUR\n\n\
             You find the invoice (PDF) on the page of the order.\n\nView it:\n",
        ),
        (
            &shop.tim,
            "US",
            &both[..1],
            "21.54",
            None,
            "\n\nEngines: 19.90 EUR\nSteuer 8.25 % (US): 1.64 EUR\nGesamtbetrag: 21.54 EUR\n\n\
             Die Rechnung (PDF) findest du auf der Seite der Bestellung.\n\nAnsehen:\n",
        ),
        (
            &shop.tim,
            "FR",
            &both[1..],
            "0",
            Some("all"),
            "\n\nWheels: 5.00 EUR\nRabatt: −5.00 EUR\nGesamtbetrag: 0.00 EUR\n\nAnsehen:\n",
        ),
    ] {
        let mut input = shop.input(courses, total);
        input["billing"]["country"] = country.into();
        input["couponCode"] = code.into();
        let order = shop.ordered(user, input).await;
        if total != "0" {
            shop.act(&order, "pay").await;
        }
        shop.settle().await;
        shop.app.run("notifications.send").await;
        let mails: Vec<_> = shop.app.mails.lock().unwrap().drain(..).collect();
        let is_receipt = |mail: &&lyceum::platform::mail::Mail| {
            mail.subject.contains(order["number"].as_str().unwrap())
                && mail.list.as_ref().is_some_and(|list| list.name == "order-paid")
        };
        let mails: Vec<_> = mails.iter().filter(is_receipt).collect();
        let [mail] = &mails[..] else { panic!("one receipt, not {mails:?}") };
        assert!(mail.text.contains(receipt), "{}", mail.text);
        let html = mail.html.as_ref().unwrap();
        for (what, amount) in receipt.lines().filter_map(|line| line.split_once(": ")) {
            assert!(html.contains(&format!(">{what}</td>")) && html.contains(&format!(">{amount}</td>")), "{html}");
        }
        // The notification in the list stays short.
        let told = "{ viewer { notifications(first: 1) { nodes { body } } } }";
        let data = shop.app.data(Some(&user.token), told, json!({})).await;
        assert!(!data.to_string().contains("EUR"), "{data}");
    }
}
