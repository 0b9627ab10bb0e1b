//! Registration, and the proof that an address is its owner's.

use chrono::TimeDelta;
use lyceum::graphql::id::split;
use lyceum::platform::auth::Proof;
use lyceum::platform::mail::Mail;
use serde_json::{Value, json};

use super::{
    PASSWORD, PROXIED, VIEWER, another, code, codes, fault, mail, mails, mutate, payload, person, refusal, register,
    registered, sign_in, text, token,
};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_with_a_registration_comes_at_once() {
    let app = TestApp::start().await;
    let input = |email: &str, name: &str, password: &str| json!({ "email": email, "name": name, "password": password });
    let long = |count: usize| "x".repeat(count);
    let cases: [(Value, &[(&str, &str)]); 10] = [
        (input("ada", " ", "short"), &[("email", "INVALID"), ("name", "BLANK"), ("password", "TOO_SHORT")]),
        (input("", "", ""), &[("email", "BLANK"), ("name", "BLANK"), ("password", "TOO_SHORT")]),
        (input("@b.example", "Ada", PASSWORD), &[("email", "INVALID")]),
        (input("a b@c.example", "Ada", PASSWORD), &[("email", "INVALID")]),
        (input("ada@people.example, eve@people.example", "Ada", PASSWORD), &[("email", "INVALID")]),
        (input("Ada <ada@people.example>", "Ada", PASSWORD), &[("email", "INVALID")]),
        (
            input(&format!("{}@b.example", long(250)), &long(101), &long(201)),
            &[("email", "TOO_LONG"), ("email", "INVALID"), ("name", "TOO_LONG"), ("password", "TOO_LONG")],
        ),
        (input("ada@people.example", "Ada", "123456789"), &[("password", "TOO_SHORT")]),
        (input("ada@people.example", "A\u{0}da", PASSWORD), &[("name", "INVALID")]),
        (input("a\u{0}da@people.example", "Ada", PASSWORD), &[("email", "INVALID"), ("email", "INVALID")]),
    ];
    for (input, expected) in cases {
        let payload = register(&app, input.clone()).await;
        assert_eq!(payload["registration"], Value::Null, "{input}");
        let found = codes(&payload);
        let found: Vec<(&str, &str)> = found.iter().map(|(field, code)| (&**field, &**code)).collect();
        assert_eq!(found, expected, "{input}: {payload:#}");
        for error in payload["userErrors"].as_array().unwrap() {
            assert!(error["message"].as_str().unwrap().ends_with('.'), "a sentence for people: {error:#}");
        }
    }
    let payload = register(&app, input("x", &long(101), "123456789")).await;
    let messages: Vec<&str> =
        payload["userErrors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
    assert!(messages[1].contains("101") && messages[1].contains("100"), "what it is and what is allowed: {messages:?}");
    assert!(messages[2].contains('9') && messages[2].contains("10"), "what it is and what is allowed: {messages:?}");
    app.settle().await;
    assert!(app.mails.lock().unwrap().is_empty(), "nobody was registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_and_shortest_that_is_allowed_is_accepted_and_stored_trimmed() {
    let app = TestApp::start().await;
    let password = "🔑".repeat(200);
    for (email, name, password) in
        [(" A@B.example ", " Ö ", "0123456789"), ("b@b.example", &*"ß".repeat(100), &*password)]
    {
        let registered = register(&app, json!({ "email": email, "name": name, "password": password })).await;
        assert_eq!(registered["userErrors"], json!([]));
        let email = email.trim().to_lowercase();
        let proof = json!({ "token": token(&mail(&app, &email).await), "newPassword": password });
        let input = json!({ "proof": { "link": proof } });
        let user = payload(&app, None, "activateRegistration", input).await["user"].take();
        assert_eq!((text(&user["name"]), text(&user["role"])), (name.trim().into(), "STUDENT".into()));
        assert!(sign_in(&app, &email, password).await["accessToken"].is_string());
        mails(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_becomes_an_account_with_the_mailed_code() {
    let app = TestApp::start().await;
    let payload_of = register(&app, person(" Ada@People.example")).await;
    let registration = &payload_of["registration"];
    assert_eq!(registration["email"], "ada@people.example");
    assert_eq!(registration["expiresAt"], "2026-11-20T09:30:00+00:00");
    assert_eq!(registration["resendAt"], "2026-11-20T09:01:00+00:00");
    assert!(app.mails.lock().unwrap().is_empty(), "no mail leaves inside the request");
    assert_eq!(app.sql("SELECT count(*) FROM users").await, "0", "nobody has the address yet");
    assert_eq!(refusal(&sign_in(&app, "ada@people.example", PASSWORD).await), "WRONG_CREDENTIALS");

    let mail = mail(&app, "ada@people.example").await;
    assert!(!mail.text.contains(PASSWORD) && !mail.text.contains("Ada"), "{}", mail.text);
    assert!(mail.text.contains("valid for 30 minutes"), "{}", mail.text);
    let input = json!({ "proof": { "code": { "registrationId": registration["id"], "code": code(&mail) } } });
    let activated = payload(&app, None, "activateRegistration", input.clone()).await;
    assert_eq!(activated["userErrors"], json!([]));
    assert_eq!((&activated["user"]["name"], &activated["user"]["role"]), (&json!("Ada"), &json!("STUDENT")));
    let viewer = app.data(activated["accessToken"].as_str(), VIEWER, json!({})).await;
    let expected = json!({ "id": activated["user"]["id"], "email": "ada@people.example", "role": "STUDENT" });
    assert_eq!(viewer["viewer"]["user"], expected, "activating signs in");
    assert!(activated["refreshToken"].is_string() && activated["refreshExpiresAt"].is_string(), "{activated:#}");
    assert!(sign_in(&app, "ada@people.example", PASSWORD).await["accessToken"].is_string());
    let again = payload(&app, None, "activateRegistration", input).await;
    assert_eq!(refusal(&again), "EXPIRED", "once");
    assert_eq!(app.sql("SELECT email_verified_at::text FROM users").await, "2026-11-20 09:00:00+00");
    let trail = "SELECT count(*) FROM audit_entries WHERE action = 'registered' AND subject_id = actor_id";
    assert_eq!(app.sql(trail).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_becomes_an_account_with_the_mailed_link() {
    let app = TestApp::with(&[("LYCEUM_APP_URL", "https://learn.example/")]).await;
    register(&app, person("ada@people.example")).await;
    let mail = mail(&app, "ada@people.example").await;
    let (code, token) = (code(&mail), token(&mail));
    let (html, link) = (mail.html.unwrap(), format!("https://learn.example/activate?token={token}"));
    assert!(mail.text.contains(&link) && html.contains(&link), "{}", mail.text);
    assert!(!token.contains(&code) && !token.contains(PASSWORD));
    for wrong in ["", "x", &token[1..], &format!("{token}x"), &token.replace(&token[30..32], "__")] {
        let refused = payload(&app, None, "activateRegistration", by_link(wrong)).await;
        assert_eq!(refusal(&refused), "EXPIRED", "{wrong}");
    }
    app.app.clock.advance(TimeDelta::minutes(15));
    let activated = payload(&app, None, "activateRegistration", by_link(&token)).await;
    assert!(activated["accessToken"].is_string(), "{activated:#}");
    let again = payload(&app, None, "activateRegistration", by_link(&token)).await;
    assert_eq!(refusal(&again), "EXPIRED", "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_can_hand_over_its_tokens_in_cookies() {
    let app = TestApp::start().await;
    register(&app, person("ada@people.example")).await;
    let token = token(&mail(&app, "ada@people.example").await);
    let query = "mutation ($input: ActivateRegistrationInput!) { activateRegistration(input: $input) {
        user { id } accessToken refreshToken } }";
    let variables =
        json!({ "input": { "proof": { "link": { "token": token, "newPassword": PASSWORD } }, "transport": "COOKIE" } });
    let request = app.client.post(format!("{}/graphql", app.url)).header("x-lyceum-csrf", "1");
    let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
    let cookies = response.headers().get_all("set-cookie").iter().count();
    let body: Value = response.json().await.unwrap();
    let payload = &body["data"]["activateRegistration"];
    assert!(payload["user"].is_object() && payload["accessToken"].is_null() && payload["refreshToken"].is_null());
    assert_eq!(cookies, 2, "{body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_is_by_code_or_by_link() {
    let app = TestApp::start().await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    for input in [
        json!({}),
        json!({ "proof": {} }),
        json!({ "proof": { "code": { "registrationId": id } } }),
        json!({ "proof": { "link": { "token": "x" } } }),
        json!({ "proof": { "code": { "registrationId": id, "code": "123456" },
            "link": { "token": "x", "newPassword": PASSWORD } } }),
    ] {
        let body = mutate(&app, "192.0.2.1", None, "activateRegistration", input.clone()).await;
        assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&&*fault(&body)), "{input}: {body:#}");
    }
}

/// The input of an activation by link.
fn by_link(token: &str) -> Value {
    json!({ "proof": { "link": { "token": token, "newPassword": PASSWORD } } })
}

/// The answer to a registration, and to codes that are typed in for it, without what is different each time.
async fn told(app: &TestApp, from: &str, email: &str) -> Vec<Value> {
    let mut body = mutate(app, from, None, "register", person(email)).await;
    let id = body["data"]["register"]["registration"]["id"].take();
    body["data"]["register"]["registration"]["email"].take();
    let mut told = vec![body];
    let (_, uuid) = split(id.as_str().unwrap_or_else(|| panic!("{told:#?}"))).unwrap();
    let right = app.app.codes.code(Proof::Activation, uuid, "0");
    for code in [another(&right), if email.trim().to_lowercase().starts_with("ada") { right } else { "x".into() }] {
        let input = json!({ "proof": { "code": { "registrationId": id, "code": code } } });
        told.push(mutate(app, from, None, "activateRegistration", input).await);
    }
    let mut early = mutate(app, from, None, "resendActivation", json!({ "registrationId": id })).await;
    early["errors"][0]["extensions"]["requestId"].take();
    told.push(early);
    app.app.clock.advance(TimeDelta::minutes(1));
    let mut again = mutate(app, from, None, "resendActivation", json!({ "registrationId": id })).await;
    again["data"]["resendActivation"]["registration"]["id"].take();
    again["data"]["resendActivation"]["registration"]["email"].take();
    told.push(again);
    app.app.clock.advance(TimeDelta::minutes(-1));
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registering_and_activating_never_tells_whether_an_address_is_registered() {
    let app = TestApp::with(&PROXIED).await;
    for number in 0..3 {
        registered(&app, &format!("ada{number}@people.example")).await;
    }
    let rows = "SELECT string_agg((id, name, password_hash, updated_at)::text, ' ' ORDER BY id) FROM users";
    let before = app.sql(rows).await;
    let spellings = ["ada0@people.example", "ADA1@PEOPLE.EXAMPLE", " ada2@people.example\n"];
    for (number, again) in spellings.into_iter().enumerate() {
        let known = told(&app, &format!("198.51.100.{number}"), again).await;
        let unknown = told(&app, &format!("203.0.113.{number}"), &format!("eve{number}@people.example")).await;
        assert_eq!(known, unknown, "even with the code that nobody was mailed");
        assert_eq!(known[1]["data"]["activateRegistration"]["userErrors"][0]["code"], "WRONG_CODE", "{known:#?}");
        assert_eq!(fault(&known[3]), "RATE_LIMITED");
        assert_eq!(known[4]["data"]["resendActivation"]["userErrors"], json!([]));
    }
    let mails = mails(&app).await;
    let (known, unknown): (Vec<&Mail>, Vec<&Mail>) = mails.iter().partition(|mail| mail.to.starts_with("ada"));
    // Of two requests for a mail that wait at once, the later one counts.
    assert_eq!((known.len(), unknown.len()), (3, 3), "as many mails to one as to the other");
    for mail in known {
        assert_eq!(mail.subject, "You already have an account");
        assert!(!mail.text.contains("token="), "{}", mail.text);
    }
    assert_eq!(app.sql(rows).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_belongs_to_one_user_however_it_is_spelled() {
    let app = TestApp::start().await;
    registered(&app, "ada@people.example").await;
    registered(&app, "äda@people.example").await;
    for again in ["Ada@People.example", "ADA@PEOPLE.EXAMPLE", " ada@people.example\n", "ÄDA@people.example"] {
        register(&app, person(again)).await;
        assert_eq!(mail(&app, &again.trim().to_lowercase()).await.subject, "You already have an account");
        assert!(sign_in(&app, again, PASSWORD).await["accessToken"].is_string(), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_claim_an_address_the_first_to_confirm_it_gets_it() {
    let app = TestApp::start().await;
    for round in 0..6 {
        let email = format!("ada{round}@people.example");
        let mut inputs = Vec::new();
        for name in ["Ada", "Eve"] {
            let input = json!({ "email": email, "name": name, "password": PASSWORD });
            let registration = register(&app, input).await;
            let code = code(&mail(&app, &email).await);
            inputs.push(
                json!({ "proof": { "code": { "registrationId": registration["registration"]["id"], "code": code } } }),
            );
        }
        let activate = async |input: &Value| payload(&app, None, "activateRegistration", input.clone()).await;
        let (one, two) = tokio::join!(activate(&inputs[0]), activate(&inputs[1]));
        let (won, lost) = if one["user"].is_object() { (one, two) } else { (two, one) };
        assert!(won["user"].is_object() && lost["user"].is_null(), "{won:#} {lost:#}");
        assert_eq!(refusal(&lost), "WRONG_CODE", "like a wrong one: {lost:#}");
        let users = format!("SELECT count(*) FROM users WHERE email = '{email}'");
        assert_eq!(app.sql(&users).await, "1");
        mails(&app).await;
    }
}

/// An attacker registers an address with a password of their own; its owner opens the link. With one registration or
/// two, the account is the owner's alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_gives_the_account_to_the_owner_of_the_address() {
    let app = TestApp::start().await;
    for (email, registrations) in [("ada@people.example", 1), ("bob@people.example", 2)] {
        let (mut mailed, mut ids) = (Vec::new(), Vec::new());
        for password in ["a stranger's password", "the owner's password"].iter().take(registrations) {
            let input = json!({ "email": email, "name": "Ada", "password": password });
            ids.push(register(&app, input).await["registration"]["id"].take());
            mailed.push(mail(&app, email).await);
        }
        let stranger = token(&mailed[0]);
        for (password, code) in [("", "TOO_SHORT"), ("short", "TOO_SHORT"), (&*"x".repeat(201), "TOO_LONG")] {
            let input = json!({ "proof": { "link": { "token": stranger, "newPassword": password } } });
            let refused = payload(&app, None, "activateRegistration", input).await;
            assert_eq!(codes(&refused), [("proof".to_owned(), code.to_owned())], "the click is not enough");
        }
        let input = json!({ "proof": { "link": { "token": stranger, "newPassword": "chosen by the owner" } } });
        assert!(payload(&app, None, "activateRegistration", input).await["accessToken"].is_string());
        for (password, opens) in
            [("a stranger's password", false), ("the owner's password", false), ("chosen by the owner", true)]
        {
            assert_eq!(sign_in(&app, email, password).await["accessToken"].is_string(), opens, "{password}");
        }
        mails(&app).await;
        if let Some(second) = mailed.get(1) {
            let late = payload(&app, None, "activateRegistration", by_link(&token(second))).await;
            assert_eq!(refusal(&late), "TAKEN", "who reads the address' mail may know");
            let mixed_up = json!({ "proof": { "code": { "registrationId": ids[1], "code": code(&mailed[0]) } } });
            assert_eq!(refusal(&payload(&app, None, "activateRegistration", mixed_up).await), "WRONG_CODE");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_guesses_at_once_five_count() {
    let app = TestApp::with(&PROXIED).await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    let mail = mail(&app, "ada@people.example").await;
    let right = code(&mail);
    let guesses = (0..20).map(|number| {
        let (wrong, from) = (format!("{:06}", (right.parse::<u32>().unwrap() + 1 + number) % 1_000_000), number);
        let input = json!({ "proof": { "code": { "registrationId": id, "code": wrong } } });
        let app = &app;
        async move { mutate(app, &format!("198.51.100.{from}"), None, "activateRegistration", input).await }
    });
    let answers = futures_util::future::join_all(guesses).await;
    let codes: Vec<String> = answers.iter().map(|body| refusal(&body["data"]["activateRegistration"])).collect();
    let count = |code: &str| codes.iter().filter(|found| *found == code).count();
    assert_eq!((count("WRONG_CODE"), count("EXPIRED")), (5, 15), "{codes:?}");
    let input = json!({ "proof": { "code": { "registrationId": id, "code": right } } });
    assert_eq!(
        refusal(&payload(&app, None, "activateRegistration", input).await),
        "EXPIRED",
        "the right one is too late"
    );
    assert_eq!(app.sql("SELECT tries_left FROM registrations").await, "0");

    // The link, which nobody guesses, still works.
    let by_link = payload(&app, None, "activateRegistration", by_link(&token(&mail))).await;
    assert!(by_link["user"].is_object(), "{by_link:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tries_that_are_left_are_told() {
    let app = TestApp::with(&PROXIED).await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    let right = code(&mail(&app, "ada@people.example").await);
    let mut messages = Vec::new();
    for wrong in [&*another(&right), "", "1234567", "abcdef", "\u{0}"] {
        let refused = payload(
            &app,
            None,
            "activateRegistration",
            json!({ "proof": { "code": { "registrationId": id, "code": wrong } } }),
        )
        .await;
        messages.push(text(&refused["userErrors"][0]["message"]));
    }
    for (message, part) in messages.iter().zip(["4 more", "3 more", "2 more", "one more", "last try"]) {
        assert!(message.contains(part), "{messages:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_ends_after_half_an_hour() {
    let app = TestApp::start().await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    let mail = mail(&app, "ada@people.example").await;
    app.app.clock.advance(TimeDelta::minutes(30));
    for input in [json!({ "proof": { "code": { "registrationId": id, "code": code(&mail) } } }), by_link(&token(&mail))]
    {
        assert_eq!(refusal(&payload(&app, None, "activateRegistration", input).await), "EXPIRED");
    }
    let resend = payload(&app, None, "resendActivation", json!({ "registrationId": id })).await;
    assert_eq!(refusal(&resend), "EXPIRED");
    let unknown = json!({ "proof": { "code": { "registrationId": "registration_01h455vb4pex5vsknk084sn02q", "code": "123456" } } });
    assert_eq!(refusal(&payload(&app, None, "activateRegistration", unknown).await), "EXPIRED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_code_can_be_asked_for_five_times_ever_more_slowly() {
    let app = TestApp::with(&PROXIED).await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    let input = json!({ "registrationId": id });
    let mut before = mail(&app, "ada@people.example").await;
    for (number, minutes) in [1, 2, 4, 8, 16].into_iter().enumerate() {
        app.app.clock.advance(TimeDelta::seconds(minutes * 60 - 1));
        let from = format!("198.51.100.{number}");
        let early = mutate(&app, &from, None, "resendActivation", input.clone()).await;
        assert_eq!(
            (fault(&early), &early["errors"][0]["extensions"]["retryAfter"]),
            ("RATE_LIMITED".into(), &json!(1))
        );
        app.app.clock.advance(TimeDelta::seconds(1));
        let mut body = mutate(&app, &from, None, "resendActivation", input.clone()).await;
        let resent = body["data"]["resendActivation"]["registration"].take();
        assert_eq!(resent["id"], id, "{body:#}");
        assert_eq!(resent["resendAt"].is_null(), minutes == 16, "{resent:#}");
        let now = mail(&app, "ada@people.example").await;
        assert_ne!(code(&now), code(&before));
        let old = json!({ "proof": { "code": { "registrationId": id, "code": code(&before) } } });
        let old = mutate(&app, &from, None, "activateRegistration", old).await;
        assert_eq!(refusal(&old["data"]["activateRegistration"]), "WRONG_CODE", "the one before is over");
        let old = mutate(&app, &from, None, "activateRegistration", by_link(&token(&before))).await;
        assert_eq!(refusal(&old["data"]["activateRegistration"]), "EXPIRED", "and so is its link");
        before = now;
    }
    app.app.clock.advance(TimeDelta::minutes(29));
    assert_eq!(refusal(&payload(&app, None, "resendActivation", input).await), "NOT_ALLOWED", "those were enough");
    let last = json!({ "proof": { "code": { "registrationId": id, "code": code(&before) } } });
    let activated = payload(&app, None, "activateRegistration", last).await;
    assert!(activated["user"].is_object(), "each is good for half an hour: {activated:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_ask_for_another_code_at_once_one_gets_it() {
    let app = TestApp::with(&PROXIED).await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    mails(&app).await;
    for (round, minutes) in [1, 2, 4, 8].into_iter().enumerate() {
        app.app.clock.advance(TimeDelta::minutes(minutes));
        let asked = (0..12).map(|number| {
            let (app, input) = (&app, json!({ "registrationId": id }));
            async move { mutate(app, &format!("198.51.{round}.{number}"), None, "resendActivation", input).await }
        });
        let answers = futures_util::future::join_all(asked).await;
        let resent = answers.iter().filter(|body| body["data"]["resendActivation"]["registration"].is_object()).count();
        let refused = answers.iter().filter(|body| body["errors"][0]["extensions"]["code"] == "RATE_LIMITED").count();
        assert_eq!((resent, refused), (1, 11), "{answers:#?}");
        mail(&app, "ada@people.example").await;
    }
    assert_eq!(app.sql("SELECT resends FROM registrations").await, "4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_code_comes_with_new_tries() {
    let app = TestApp::with(&PROXIED).await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    let first = code(&mail(&app, "ada@people.example").await);
    for number in 0..5 {
        let input = json!({ "proof": { "code": { "registrationId": id, "code": another(&first) } } });
        mutate(&app, &format!("198.51.100.{number}"), None, "activateRegistration", input).await;
    }
    app.app.clock.advance(TimeDelta::minutes(1));
    payload(&app, None, "resendActivation", json!({ "registrationId": id })).await;
    let proof = json!({ "registrationId": id, "code": code(&mail(&app, "ada@people.example").await) });
    let input = json!({ "proof": { "code": proof } });
    assert!(payload(&app, None, "activateRegistration", input).await["user"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_stored_opens_the_account() {
    let app = TestApp::start().await;
    register(&app, person("ada@people.example")).await;
    let mail = mail(&app, "ada@people.example").await;
    let (code, token) = (code(&mail), token(&mail));
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
    let all = "SELECT string_agg(table_name, ' ') FROM (TABLES) AS names".replace("TABLES", tables);
    let mut searched = 0;
    for table in app.sql(&all).await.split(' ') {
        let rows = app.sql(&format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t")).await;
        // Digits can stand in an id or a time by chance; a word of their own they would be if they were stored.
        let words: Vec<&str> = rows.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        assert!(!words.contains(&&*code), "{table}: {rows}");
        assert!(!rows.contains(&token) && !rows.contains(&token[40..]) && !rows.contains(PASSWORD), "{table}: {rows}");
        searched += usize::from(rows.contains("ada@people.example") || table == "events");
    }
    assert_eq!(searched, 2, "the registration and its event are among them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_sent_again_holds_the_same_code() {
    let app = TestApp::start().await;
    let id = register(&app, person("ada@people.example")).await["registration"]["id"].take();
    let first = mail(&app, "ada@people.example").await;
    let job = lyceum::app::registry().unwrap().get("accounts.mail_activation").unwrap();
    let event = app.sql("SELECT payload FROM events WHERE kind = 'activation_requested'").await;
    let event: Value = serde_json::from_str(&event).unwrap();
    (job.run)(app.app.clone(), event.clone()).await.unwrap();
    assert_eq!(mail(&app, "ada@people.example").await.text, first.text);
    // A request that was overtaken by the next one, or by the activation, sends nothing.
    app.app.clock.advance(TimeDelta::minutes(1));
    payload(&app, None, "resendActivation", json!({ "registrationId": id })).await;
    let second = mail(&app, "ada@people.example").await;
    (job.run)(app.app.clone(), event.clone()).await.unwrap();
    payload(&app, None, "activateRegistration", by_link(&token(&second))).await;
    (job.run)(app.app.clone(), event).await.unwrap();
    assert_eq!(mail(&app, "ada@people.example").await.subject, "Welcome to Lyceum");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_an_address_over_and_over_waits() {
    let app = TestApp::with(&PROXIED).await;
    registered(&app, "ada@people.example").await;
    for email in ["ada@people.example", "eve@people.example"] {
        let mut waits = Vec::new();
        for _ in 0..6 {
            let body = mutate(&app, "198.51.100.7", None, "register", person(email)).await;
            waits.push(body["errors"][0]["extensions"]["retryAfter"].clone());
        }
        let none = Value::Null;
        assert_eq!(waits, [none.clone(), none.clone(), none.clone(), none.clone(), none, json!(5)], "{email}");
        let elsewhere = mutate(&app, "198.51.100.8", None, "register", person(email)).await;
        assert!(elsewhere["data"]["register"]["registration"].is_object(), "nobody else does: {elsewhere:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_confirmed_in_time_is_deleted() {
    let app = TestApp::start().await;
    register(&app, person("ada@people.example")).await;
    app.app.clock.advance(TimeDelta::minutes(10));
    register(&app, person("eve@people.example")).await;
    let sweep = lyceum::app::registry().unwrap().get("accounts.sweep_registrations").unwrap();
    for (minutes, left) in [(19, "2"), (1, "1"), (10, "0")] {
        app.app.clock.advance(TimeDelta::minutes(minutes));
        (sweep.run)(app.app.clone(), Value::Null).await.unwrap();
        assert_eq!(app.sql("SELECT count(*) FROM registrations").await, left, "{minutes} minutes later");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_is_welcomed_once_and_only_after_activation() {
    let app = TestApp::start().await;
    register(&app, person("Ada@people.example")).await;
    let activation = mail(&app, "ada@people.example").await;
    payload(&app, None, "activateRegistration", by_link(&token(&activation))).await;
    assert!(app.mails.lock().unwrap().is_empty(), "no mail leaves inside the request");
    let welcome = mail(&app, "ada@people.example").await;
    assert!(welcome.text.contains("Hello Ada") && !welcome.text.contains(PASSWORD), "{}", welcome.text);
    app.app.clock.advance(TimeDelta::days(1));
    assert_eq!(mails(&app).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_at_once_mail_each_code_once() {
    let app = TestApp::start().await;
    for number in 0..10 {
        register(&app, person(&format!("ada{number}@people.example"))).await;
    }
    tokio::join!(app.settle(), app.settle());
    let mut addresses: Vec<String> = mails(&app).await.into_iter().map(|mail| mail.to).collect();
    addresses.sort();
    let expected: Vec<String> = (0..10).map(|number| format!("ada{number}@people.example")).collect();
    assert_eq!(addresses, expected);
}
