//! Invitations by email address, which do not tell who has an account.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_invited_by_address_learns_it_and_the_owner_does_not() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let (_, root) = (app.user("Stu", Role::Student).await, app.user("Root", Role::Admin).await);
    let lab = payload(&app, &ada, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    let lab = lab["channel"]["id"].as_str().unwrap().to_owned();
    let selection = "channel { id version members { totalCount } }";
    let invite = async |user: &User, member: Value| {
        payload(&app, user, "addChannelMember", selection, json!({ "channelId": lab, "member": member })).await
    };
    let by_address = async |user: &User, email: &str| invite(user, json!({ "email": email })).await;
    let answer = by_address(&ada, " Bob@People.example ").await;
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    for nobody in ["stu@people.example", "nobody@people.example"] {
        assert_eq!(by_address(&ada, nobody).await, answer, "{nobody}");
    }
    assert_eq!(by_address(&ada, "bob@people.example").await, answer, "again changes nothing");
    let pending =
        app.sql("SELECT string_agg(name, ' ') FROM channel_invitations JOIN users ON users.id = user_id").await;
    assert_eq!(pending, "Bob");
    app.settle().await;
    let mails: Vec<String> = app.mails.lock().unwrap().iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(mails, ["bob@people.example"], "and nobody else");
    assert_eq!(refusal(&accept(&app, &bob, &lab).await), "");

    // Administrators see addresses anyway.
    for nobody in ["stu@people.example", "nobody@people.example"] {
        let told = by_address(&root, nobody).await;
        assert_eq!((refusal(&told), &told["userErrors"][0]["field"]), ("NOT_FOUND", &json!(["member", "email"])));
    }
    for (email, code) in [("", "BLANK"), ("bob", "INVALID"), ("bob@people.example\u{0}", "INVALID")] {
        let told = by_address(&ada, email).await;
        assert_eq!((refusal(&told), &told["userErrors"][0]["field"]), (code, &json!(["member", "email"])), "{email:?}");
    }
    assert_eq!(refusal(&by_address(&bob, "ada@people.example").await), "FORBIDDEN", "he is no owner");
    let unknown = invite(&ada, json!({ "userId": "user_01h455vb4pex5vsknk084sn02q" })).await;
    assert_eq!(unknown["userErrors"][0]["field"], json!(["member", "userId"]));
    let query = "mutation ($input: AddChannelMemberInput!) { addChannelMember(input: $input) { userErrors { code } } }";
    for member in [json!({}), json!({ "userId": bob.id, "email": "bob@people.example" })] {
        let body = app.send(Some(&ada.token), query, json!({ "input": { "channelId": lab, "member": member } })).await;
        assert!(body["errors"][0]["extensions"]["code"].is_string(), "exactly one: {body:#}");
    }
}
