//! The program as processes: several of them, killed ones, stopped ones, with lost databases and lost Redis servers.

mod abuse;
mod crash;
mod database;
mod learning;
mod notifications;
mod plans;
mod rolling;
mod seeding;
mod shutdown;
mod start;
mod together;

use serde_json::json;

use crate::support::process::{Node, Site};
use crate::support::{User, eventually};

/// The demo instructor on one node, and a section for new lessons.
struct Teacher {
    user: User,
    section: String,
}

impl Teacher {
    /// Also publishes the first news, called Hello.
    async fn on(node: &Node) -> Teacher {
        let user = node.sign_in("instructor").await;
        let section = node.section(&user).await;
        let teacher = Teacher { user, section };
        teacher.publish(node, "Hello").await;
        teacher
    }

    async fn publish(&self, node: &Node, title: &str) {
        node.news(&self.user, &self.section, title).await;
    }
}

/// Somebody who is called Grace wants an account.
pub(crate) async fn register(node: &Node) {
    let query = "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { message } } }";
    let input = json!({ "email": "grace@people.example", "name": "Grace", "password": "correct horse battery" });
    let data = node.data(None, query, json!({ "input": input })).await;
    assert_eq!(data["register"]["userErrors"], json!([]));
}

/// Activates Grace's account with the link in the one mail that she got; returns its token and an access token.
pub(crate) async fn activate(site: &Site, node: &Node) -> (String, String) {
    let folder = site.data().join("mail");
    // The demo school mails its students, too.
    let mails = async || {
        let all = lyceum::platform::mail::list(&folder).await.unwrap();
        all.into_iter().filter(|sent| sent.mail.to == "grace@people.example").collect::<Vec<_>>()
    };
    eventually("the code is mailed", async || !mails().await.is_empty()).await;
    let [only] = &mails().await[..] else { panic!("one mail") };
    let (_, link) = only.mail.text.split_once("/activate?token=").unwrap();
    let token = link.split_whitespace().next().unwrap();
    let query = "mutation ($input: ActivateRegistrationInput!) { activateRegistration(input: $input) { accessToken } }";
    let data = node
        .data(
            None,
            query,
            json!({ "input": { "proof": { "link": { "token": token, "newPassword": "correct horse battery" } } } }),
        )
        .await;
    let access = data["activateRegistration"]["accessToken"].as_str().unwrap_or_else(|| panic!("{data:#}"));
    (token.to_owned(), access.to_owned())
}
