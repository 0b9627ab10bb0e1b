//! Tokens and passwords are where they belong and nowhere else.

use serde_json::json;

use super::{Phone, SIGN_OUT, code};
use crate::support::process::Site;
use crate::support::socket::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_database_or_the_log() {
    let site = Site::new().await.set("LYCEUM_LOG", "debug,lyceum=trace,tokio_postgres=warn");
    let node = site.serve().await;
    let (email, password, mistyped) = ("grace@people.example", "correct horse battery", "correct house battery");
    let mut secrets: Vec<(&str, String)> = vec![("the password", password.into()), ("a mistyped one", mistyped.into())];
    let mut phone = Phone::new(&node.url, "phone");
    crate::nodes::register(&node).await;
    let (link, access) = crate::nodes::activate(&site, &node).await;
    secrets.push(("the access token of the activation", access));
    phone.sign_in(email, mistyped).await;
    assert_eq!(code(&phone.sign_in(email, password).await), "");
    let first = phone.refresh.clone();
    for _ in 0..2 {
        secrets.extend([("an access token", phone.access.clone()), ("a refresh token", phone.refresh.clone())]);
        phone.renew().await;
    }
    // By cookies.
    let input = json!({ "email": email, "password": password, "transport": "COOKIE" });
    let request = phone.client.post(format!("{}/graphql", node.url)).header("x-lyceum-csrf", "1");
    let request = request.json(&json!({ "query": super::SIGN_IN, "variables": { "input": input } }));
    let answer = request.send().await.unwrap();
    let cookies: Vec<String> = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|header| header.to_str().unwrap().split(';').next().unwrap().to_owned())
        .collect();
    assert_eq!(cookies.len(), 2);
    secrets.extend(cookies.iter().map(|cookie| ("a cookie", cookie.split_once('=').unwrap().1.to_owned())));
    let cookies = cookies.join("; ");
    let renew = json!({ "query": super::REFRESH, "variables": { "input": {} } });
    for origin in ["https://evil.example", &node.url] {
        let request = phone.client.post(format!("{}/graphql", node.url)).header("origin", origin);
        request.header("cookie", &cookies).json(&renew).send().await.unwrap();
    }
    let mut socket =
        Socket::open_with(&node.url, &[("cookie", &*cookies), ("origin", &*node.url)]).await.init(None).await;
    socket.subscribe("q", super::SESSIONS, json!({})).await;
    socket.receive().await.unwrap();
    drop(Socket::connect(&node.url, Some(&phone.access)).await);
    // A theft, for the event and the mail.
    assert_eq!(code(&phone.exchange(&first).await), "SESSION_OVER");
    phone.sign_in(email, password).await;
    phone.ask("signOut", SIGN_OUT, json!({ "input": { "sessions": "ALL" } })).await;
    let mails = site.data().join("mail");
    crate::support::eventually("the link, the welcome and the warning are sent", async || {
        lyceum::platform::mail::list(&mails).await.is_ok_and(|mails| mails.len() == 3)
    })
    .await;

    let tables = "SELECT string_agg(quote_ident(table_name), ' ') FROM information_schema.tables
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
    let tables = site.sql(tables).await;
    assert!(
        tables.contains("audit_entries") && tables.contains("refresh_tokens") && tables.contains("events"),
        "{tables}"
    );
    let mut places = vec![("the log".to_owned(), node.output())];
    for table in tables.split(' ') {
        let rows = site.sql(&format!("SELECT coalesce(string_agg(row::text, E'\\n'), '') FROM {table} AS row")).await;
        places.push((table.to_owned(), rows));
    }
    assert!(places.iter().all(|(_, text)| !text.contains(&link)), "the link is in mails only");
    for mail in lyceum::platform::mail::list(&mails).await.unwrap() {
        places.push(("a mail".into(), mail.mail.text.clone() + &mail.mail.subject));
    }
    let rows = |table: &str| places.iter().find(|(place, _)| place == table).unwrap().1.clone();
    for action in ["sign_in_failed", "signed_in", "refresh_token_replayed", "sessions_ended"] {
        assert!(rows("audit_entries").contains(action), "{action}");
    }
    assert!(rows("refresh_tokens").contains("\\x"), "hashes are there");
    assert!(rows("the log").contains("DEBUG") || rows("the log").contains("TRACE"), "the log is a chatty one");
    for (what, secret) in &secrets {
        assert!(secret.len() > 10, "{what}");
        for (place, text) in &places {
            assert!(!text.contains(secret.as_str()), "{what} is in {place}");
        }
    }
    assert_eq!(secrets.len(), 9, "all kinds were looked for");
}
