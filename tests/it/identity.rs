//! Services that vouch for people: what they say is believed only if all of it holds.

use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use lyceum::config::identity::OAuthClient;
use lyceum::platform::clock::Clock;
use lyceum::platform::fetch::{FetchError, Fetcher};
use lyceum::platform::identity::{Authorization, Exchange, GitHub, Identity, NotVouched, Oidc, OidcSettings, Provider};
use serde_json::json;
use url::Url;

use crate::support::app::start;
use crate::support::github::{self, GitHubStandIn};
use crate::support::issuer::{CLIENT_ID, CLIENT_SECRET, Issuer, Mischief, Person, follow, person};

fn back() -> Url {
    Url::parse("https://app.acme.org/back?from=issuer").unwrap()
}

fn provider(issuer: &str, clock: &Clock, patience: Duration) -> Provider {
    let client = OAuthClient { id: CLIENT_ID.into(), secret: CLIENT_SECRET.into() };
    let settings = OidcSettings { id: "oidc", name: "Acme".into(), issuer: issuer.into(), client };
    Provider::Oidc(Oidc::new(settings, Fetcher::new(patience).unwrap(), clock.clone()).unwrap())
}

/// An issuer, and what is set up for it.
async fn pair() -> (Issuer, Provider, Clock) {
    let clock = Clock::manual(start());
    let issuer = Issuer::start(&clock).await;
    let provider = provider(&issuer.url, &clock, Duration::from_secs(30));
    (issuer, provider, clock)
}

fn ada() -> Person {
    person("ada", "ada@people.example", true)
}

async fn exchange(provider: &Provider, code: &str, begun: &Authorization) -> Result<Identity, NotVouched> {
    let (nonce, pkce_verifier, redirect_uri) = (&*begun.nonce, &*begun.pkce_verifier, &back());
    provider.exchange(Exchange { code, nonce, pkce_verifier, redirect_uri }).await
}

/// From the beginning to the end.
async fn sign_in(issuer: &Issuer, provider: &Provider, who: &Person) -> Result<Identity, NotVouched> {
    let begun = provider.authorize(&back()).await?;
    let callback = issuer.visit(begun.url.as_str(), who).await;
    assert_eq!(callback.state, begun.state);
    exchange(provider, &callback.code, &begun).await
}

fn refused(outcome: Result<Identity, NotVouched>) -> String {
    match outcome {
        Err(NotVouched::Rejected(fault)) => fault.report(),
        other => panic!("{other:?}"),
    }
}

fn unavailable(outcome: Result<Identity, NotVouched>) -> String {
    match outcome {
        Err(NotVouched::Unavailable(fault)) => fault.report(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_vouches_for_whoever_signs_in_there() {
    let (issuer, provider, _) = pair().await;
    let expected = Identity {
        issuer: issuer.url.clone(),
        subject: "ada".into(),
        email: Some("ada@people.example".into()),
        email_verified: true,
        name: Some("Person ada".into()),
    };
    assert_eq!(sign_in(&issuer, &provider, &ada()).await.unwrap(), expected);
    for mischief in [Mischief::EmailAtUserInfo, Mischief::TextBoolean] {
        issuer.misbehave(mischief);
        assert_eq!(sign_in(&issuer, &provider, &ada()).await.unwrap(), expected, "{mischief:?}");
        let unverified = Person { verified: false, ..ada() };
        let found = sign_in(&issuer, &provider, &unverified).await.unwrap();
        assert_eq!(found, Identity { email_verified: false, ..expected.clone() }, "{mischief:?}");
    }
    issuer.misbehave(Mischief::Nothing);
    let unverified = Person { verified: false, ..ada() };
    assert!(!sign_in(&issuer, &provider, &unverified).await.unwrap().email_verified);
    let nameless = Person { email: None, name: None, ..ada() };
    let found = sign_in(&issuer, &provider, &nameless).await.unwrap();
    assert_eq!((found.email, found.email_verified, found.name), (None, false, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rsa_keys_and_secrets_in_the_body_work_too() {
    let clock = Clock::manual(start());
    let issuer = Issuer::with(&clock, Algorithm::RS256).await;
    issuer.post_only();
    let provider = provider(&issuer.url, &clock, Duration::from_secs(30));
    assert_eq!(sign_in(&issuer, &provider, &ada()).await.unwrap().subject, "ada");
    issuer.misbehave(Mischief::OtherKey);
    refused(sign_in(&issuer, &provider, &ada()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_believed_only_if_all_of_it_holds() {
    let (issuer, provider, _) = pair().await;
    let cases = [
        (Mischief::OtherNonce, "nonce mismatch"),
        (Mischief::NoNonce, "missing nonce"),
        (Mischief::OtherAudience, "Invalid audiences"),
        (Mischief::FurtherAudience, "not a trusted audience"),
        (Mischief::OtherIssuer, "Invalid issuer"),
        (Mischief::Expired, "Expired"),
        (Mischief::AlgNone, "No signature"),
        (Mischief::OtherKey, "Crypto error"),
        (Mischief::ClientSecretSigns, "Disallowed signature algorithm"),
        (Mischief::PublicKeySigns, "Disallowed signature algorithm"),
        (Mischief::ChangedClaims, "Crypto error"),
        (Mischief::OtherAccessToken, "another access token"),
        (Mischief::NoIdToken, "no ID token"),
        (Mischief::OtherSubjectAtUserInfo, "Invalid subject"),
        (Mischief::UnsendableAccessToken, "cannot be sent back"),
    ];
    for (mischief, expected) in cases {
        issuer.misbehave(mischief);
        let report = refused(sign_in(&issuer, &provider, &ada()).await);
        assert!(report.contains(expected), "{mischief:?}: {report}");
    }
    issuer.misbehave(Mischief::Nothing);
    sign_in(&issuer, &provider, &ada()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_for_the_one_who_began() {
    let (issuer, provider, _) = pair().await;
    let begun = provider.authorize(&back()).await.unwrap();
    let other = provider.authorize(&back()).await.unwrap();
    let callback = issuer.visit(begun.url.as_str(), &ada()).await;
    // Another's verifier, then the right one for a code that is spent.
    let swapped = Authorization { pkce_verifier: other.pkce_verifier.clone(), ..begun };
    assert!(refused(exchange(&provider, &callback.code, &swapped).await).contains("invalid_grant"));
    let callback = issuer.visit(other.url.as_str(), &ada()).await;
    exchange(&provider, &callback.code, &other).await.unwrap();
    assert!(refused(exchange(&provider, &callback.code, &other).await).contains("invalid_grant"));
    refused(exchange(&provider, "made up", &other).await);
    let distinct = [&swapped.state, &swapped.nonce, &swapped.pkce_verifier, &other.state, &other.nonce];
    assert!(distinct.iter().all(|value| value.len() >= 43), "256 bits: {distinct:?}");
    assert!(distinct.iter().collect::<std::collections::BTreeSet<_>>().len() == 5, "{distinct:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_kept_for_an_hour_unless_they_change() {
    let (issuer, provider, clock) = pair().await;
    let asked = || (issuer.count().descriptions, issuer.count().keys);
    for _ in 0..3 {
        sign_in(&issuer, &provider, &ada()).await.unwrap();
    }
    assert_eq!(asked(), (1, 1));
    issuer.rotate();
    sign_in(&issuer, &provider, &ada()).await.unwrap();
    assert_eq!((asked(), issuer.count().tokens), ((2, 2), 4), "asked once more, with the same token");
    sign_in(&issuer, &provider, &ada()).await.unwrap();
    clock.advance(TimeDelta::minutes(59));
    sign_in(&issuer, &provider, &ada()).await.unwrap();
    assert_eq!(asked(), (2, 2));
    clock.advance(TimeDelta::minutes(2));
    sign_in(&issuer, &provider, &ada()).await.unwrap();
    assert_eq!(asked(), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_does_not_answer_as_it_should_is_unavailable() {
    let (issuer, patient, clock) = pair().await;
    let hasty = provider(&issuer.url, &clock, Duration::from_millis(200));
    let cases = [
        (Mischief::Fails, &patient, "Failed to parse"),
        (Mischief::Redirects, &patient, ""),
        (Mischief::Endless, &patient, "too long"),
        (Mischief::Hangs, &hasty, "took too long"),
    ];
    for (mischief, provider, expected) in cases {
        // Beginning needs the issuer too, and is not what is hasty here.
        let begun = patient.authorize(&back()).await.unwrap();
        issuer.misbehave(Mischief::Nothing);
        while hasty.authorize(&back()).await.is_err() {}
        let callback = issuer.visit(begun.url.as_str(), &ada()).await;
        issuer.misbehave(mischief);
        let report = unavailable(exchange(provider, &callback.code, &begun).await);
        assert!(report.contains(expected), "{mischief:?}: {report}");
    }
    assert_eq!(issuer.count().redirected, 0, "the secret goes to the issuer only");

    let nobody = provider("http://127.0.0.1:9", &clock, Duration::from_secs(30));
    assert!(matches!(nobody.authorize(&back()).await, Err(NotVouched::Unavailable(_))));
    issuer.misbehave(Mischief::DescribesAnother);
    let fresh = provider_of(&issuer, &clock);
    assert!(matches!(fresh.authorize(&back()).await, Err(NotVouched::Unavailable(_))));
}

fn provider_of(issuer: &Issuer, clock: &Clock) -> Provider {
    provider(&issuer.url, clock, Duration::from_secs(30))
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_beyond_this_machine() {
    let fetcher = Fetcher::new(Duration::from_secs(30)).unwrap();
    for url in ["http://issuer.example/", "http://10.0.0.1/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "/"] {
        let request = hyper::Request::get(url).body(String::new()).unwrap();
        assert!(matches!(fetcher.send(request).await, Err(FetchError::Exposed)), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn github_vouches_with_the_primary_address_if_it_is_verified() {
    let stand_in = GitHubStandIn::start().await;
    let github = |secret: &str| {
        let client = OAuthClient { id: github::CLIENT_ID.into(), secret: secret.into() };
        let fetcher = Fetcher::new(Duration::from_secs(30)).unwrap();
        Provider::GitHub(GitHub::new(client, stand_in.url.clone(), stand_in.url.clone(), fetcher))
    };
    let provider = github(github::CLIENT_SECRET);
    let address = |email: &str, primary: bool, verified: bool| json!({ "email": email, "primary": primary, "verified": verified, "visibility": null });
    let cases = [
        (
            json!([address("second@b.example", false, true), address("ada@b.example", true, true)]),
            Some("ada@b.example"),
        ),
        (json!([address("ada@b.example", true, false), address("second@b.example", false, true)]), None),
        (json!([]), None),
    ];
    for (addresses, expected) in cases {
        stand_in.person(json!({ "id": 583_231, "login": "ada", "name": "Ada Lovelace" }), addresses);
        let begun = provider.authorize(&back()).await.unwrap();
        let callback = follow(begun.url.as_str()).await;
        assert_eq!(callback.state, begun.state);
        let found = exchange(&provider, &callback.code, &begun).await.unwrap();
        assert_eq!((&*found.issuer, &*found.subject), (stand_in.url.as_str(), "583231"));
        assert_eq!((found.email.as_deref(), found.email_verified), (expected, expected.is_some()));
        assert_eq!(found.name.as_deref(), Some("Ada Lovelace"));
    }
    stand_in.person(json!({ "id": 1, "login": "eve", "name": null }), json!([]));
    let begun = provider.authorize(&back()).await.unwrap();
    let other = provider.authorize(&back()).await.unwrap();
    let callback = follow(begun.url.as_str()).await;
    let swapped = Authorization { pkce_verifier: other.pkce_verifier, ..provider.authorize(&back()).await.unwrap() };
    assert!(refused(exchange(&provider, &callback.code, &swapped).await).contains("bad_verification_code"));
    let callback = follow(begun.url.as_str()).await;
    assert!(refused(exchange(&github("wrong"), &callback.code, &begun).await).contains("client_credentials"));
    assert_eq!(exchange(&provider, &callback.code, &begun).await.unwrap().name.as_deref(), Some("eve"));
    refused(exchange(&provider, &callback.code, &begun).await);
}
