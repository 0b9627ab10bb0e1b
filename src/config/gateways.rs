//! Settings of the payment providers.

use super::Environment;
use super::check::base_url;
use super::push::{ServiceAccount, service_account};
use super::reader::Reader;

/// The payment providers that are set up. Each is on if its first setting is given.
#[derive(Clone, Debug, Default)]
pub struct Gateways {
    /// Stripe.
    pub stripe: Option<StripeSettings>,
    /// Razorpay.
    pub razorpay: Option<RazorpaySettings>,
    /// PayPal.
    pub paypal: Option<PayPalSettings>,
    /// Google Play.
    pub google_play: Option<GooglePlaySettings>,
}

/// An app on Google Play.
#[derive(Clone, Debug)]
pub struct GooglePlaySettings {
    /// The service account that may read and acknowledge purchases.
    pub account: ServiceAccount,
    /// The package of the app.
    pub package: String,
    /// The audience of the tokens with which Pub/Sub signs notifications.
    pub push_audience: String,
    /// The service account with which Pub/Sub signs notifications.
    pub push_account: String,
    /// The base URL of the API, without a trailing slash.
    pub url: String,
    /// The URL of the keys with which Google signs tokens.
    pub keys_url: String,
}

/// An app of an account at PayPal.
#[derive(Clone, Debug)]
pub struct PayPalSettings {
    /// The id of the app.
    pub client_id: String,
    /// The secret of the app.
    pub client_secret: String,
    /// The merchant id of the account.
    pub merchant: String,
    /// The id of the webhook.
    pub webhook_id: String,
    /// The base URL of the API, without a trailing slash.
    pub url: String,
}

/// An account at Razorpay.
#[derive(Clone, Debug)]
pub struct RazorpaySettings {
    /// The id of the key.
    pub key_id: String,
    /// The secret of the key.
    pub key_secret: String,
    /// The id of the account, `acc_…`.
    pub account: String,
    /// The secrets of the webhook: the one of now, then former ones, with which Razorpay signs what it sends again.
    pub webhook_secrets: Vec<String>,
    /// The base URL of the API, without a trailing slash.
    pub url: String,
}

/// An account at Stripe.
#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// The secret key.
    pub key: String,
    /// The id of the account, `acct_…`.
    pub account: String,
    /// The signing secret of the webhook endpoint.
    pub webhook_secret: String,
    /// The base URL of the API, without a trailing slash.
    pub url: String,
}

impl Gateways {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Gateways {
        let gateways = Gateways {
            stripe: stripe(reader),
            razorpay: razorpay(reader),
            paypal: paypal(reader),
            google_play: google_play(reader),
        };
        if environment == Environment::Production {
            gateways.reject_tests(reader);
        }
        gateways
    }

    /// Whether no provider that takes orders is set up.
    pub fn is_empty(&self) -> bool {
        self.stripe.is_none() && self.razorpay.is_none() && self.paypal.is_none()
    }

    /// Returns the secrets by setting name.
    pub(super) fn secrets(&self) -> Vec<(&'static str, Option<&str>)> {
        let (stripe, razorpay) = (self.stripe.as_ref(), self.razorpay.as_ref());
        let former = razorpay.map_or(&[][..], |razorpay| &razorpay.webhook_secrets);
        let former = former.iter().map(|secret| ("LYCEUM_RAZORPAY_WEBHOOK_SECRET", Some(secret.as_str())));
        let current = [
            ("LYCEUM_STRIPE_SECRET_KEY", stripe.map(|stripe| &*stripe.key)),
            ("LYCEUM_STRIPE_WEBHOOK_SECRET", stripe.map(|stripe| &*stripe.webhook_secret)),
            ("LYCEUM_RAZORPAY_KEY_SECRET", razorpay.map(|razorpay| &*razorpay.key_secret)),
            ("LYCEUM_PAYPAL_CLIENT_SECRET", self.paypal.as_ref().map(|paypal| &*paypal.client_secret)),
        ];
        current.into_iter().chain(former).collect()
    }

    /// Reports test modes, in which anyone pays with the numbers that the providers publish.
    fn reject_tests(&self, reader: &mut Reader) {
        let mut reject = |name: &str, is_test: bool| {
            if is_test {
                reader.problem(format!(
                    "{name} is for tests, in which no money is paid; production takes live ones only"
                ));
            }
        };
        let is_sandbox = self.paypal.as_ref().is_some_and(|paypal| paypal.url.contains("sandbox"));
        reject("LYCEUM_PAYPAL_URL", is_sandbox);
        let is_test = |razorpay: &RazorpaySettings| razorpay.key_id.starts_with("rzp_test_");
        reject("LYCEUM_RAZORPAY_KEY_ID", self.razorpay.as_ref().is_some_and(is_test));
        reject("LYCEUM_STRIPE_SECRET_KEY", self.stripe.as_ref().is_some_and(StripeSettings::is_test));
    }
}

impl StripeSettings {
    /// Whether the key is one of the test mode.
    pub fn is_test(&self) -> bool {
        self.key.starts_with("sk_test_") || self.key.starts_with("rk_test_")
    }
}

fn stripe(reader: &mut Reader) -> Option<StripeSettings> {
    let url = base_url(reader, "LYCEUM_STRIPE_URL");
    let names = ["LYCEUM_STRIPE_SECRET_KEY", "LYCEUM_STRIPE_ACCOUNT", "LYCEUM_STRIPE_WEBHOOK_SECRET"];
    let [key, account, webhook_secret] = all_or_none(reader, names)?;
    Some(StripeSettings { key, account, webhook_secret, url })
}

fn razorpay(reader: &mut Reader) -> Option<RazorpaySettings> {
    let url = base_url(reader, "LYCEUM_RAZORPAY_URL");
    let names = [
        "LYCEUM_RAZORPAY_KEY_ID",
        "LYCEUM_RAZORPAY_KEY_SECRET",
        "LYCEUM_RAZORPAY_ACCOUNT",
        "LYCEUM_RAZORPAY_WEBHOOK_SECRET",
    ];
    let [key_id, key_secret, account, _] = all_or_none(reader, names)?;
    let webhook_secrets = reader.list("LYCEUM_RAZORPAY_WEBHOOK_SECRET");
    Some(RazorpaySettings { key_id, key_secret, account, webhook_secrets, url })
}

fn paypal(reader: &mut Reader) -> Option<PayPalSettings> {
    let url = base_url(reader, "LYCEUM_PAYPAL_URL");
    let names = [
        "LYCEUM_PAYPAL_CLIENT_ID",
        "LYCEUM_PAYPAL_CLIENT_SECRET",
        "LYCEUM_PAYPAL_MERCHANT_ID",
        "LYCEUM_PAYPAL_WEBHOOK_ID",
    ];
    let [client_id, client_secret, merchant, webhook_id] = all_or_none(reader, names)?;
    Some(PayPalSettings { client_id, client_secret, merchant, webhook_id, url })
}

fn google_play(reader: &mut Reader) -> Option<GooglePlaySettings> {
    let (url, keys_url) = (base_url(reader, "LYCEUM_GOOGLE_PLAY_URL"), base_url(reader, "LYCEUM_GOOGLE_KEYS_URL"));
    let names = [
        "LYCEUM_GOOGLE_PLAY_CREDENTIALS",
        "LYCEUM_GOOGLE_PLAY_PACKAGE",
        "LYCEUM_GOOGLE_PLAY_PUSH_AUDIENCE",
        "LYCEUM_GOOGLE_PLAY_PUSH_ACCOUNT",
    ];
    let [_, package, push_audience, push_account] = all_or_none(reader, names)?;
    let account = service_account(reader, "LYCEUM_GOOGLE_PLAY_CREDENTIALS")?;
    Some(GooglePlaySettings { account, package, push_audience, push_account, url, keys_url })
}

/// Reads settings that are given together; reports those that are missing. `None` if the first one is not given.
fn all_or_none<const N: usize>(reader: &mut Reader, names: [&'static str; N]) -> Option<[String; N]> {
    let found = names.map(|name| reader.text(name).map(str::to_owned));
    let given = names.iter().zip(&found).find(|(_, value)| value.is_some()).map(|(name, _)| *name)?;
    for (name, value) in names.iter().zip(&found) {
        if value.is_none() {
            reader.problem(format!("{name} is required when {given} is set"));
        }
    }
    found.iter().all(Option::is_some).then(|| found.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(vars: &[(&str, &str)], environment: Environment) -> (Gateways, String) {
        let vars: BTreeMap<String, String> =
            vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut reader = Reader::new(vars);
        let gateways = Gateways::read(&mut reader, environment);
        (gateways, reader.problems().join("\n"))
    }

    #[test]
    fn a_provider_is_set_up_completely_or_not_at_all() {
        let (gateways, problems) = read(&[], Environment::Production);
        assert!(gateways.is_empty() && problems.is_empty(), "{problems}");
        for (given, missing) in [
            (("LYCEUM_STRIPE_SECRET_KEY", "sk_live_1"), "LYCEUM_STRIPE_ACCOUNT is required"),
            (("LYCEUM_STRIPE_ACCOUNT", "acct_1"), "LYCEUM_STRIPE_WEBHOOK_SECRET is required"),
        ] {
            let (gateways, problems) = read(&[given], Environment::Development);
            assert!(gateways.is_empty() && problems.contains(missing), "{problems}");
        }
    }

    #[test]
    fn former_secrets_of_a_webhook_are_known() {
        let vars = [
            ("LYCEUM_RAZORPAY_KEY_ID", "rzp_test_1"),
            ("LYCEUM_RAZORPAY_KEY_SECRET", "s"),
            ("LYCEUM_RAZORPAY_ACCOUNT", "acc_1"),
            ("LYCEUM_RAZORPAY_WEBHOOK_SECRET", "new, old"),
        ];
        let (gateways, problems) = read(&vars, Environment::Development);
        assert_eq!(
            (problems.as_str(), gateways.razorpay.unwrap().webhook_secrets),
            ("", vec!["new".into(), "old".into()])
        );
        assert!(read(&vars, Environment::Production).1.contains("LYCEUM_RAZORPAY_KEY_ID is for tests"));
    }

    #[test]
    fn production_takes_no_test_keys() {
        for (set, is_refused) in [
            (["sk_test_1", "acct_1", "whsec_1"], true),
            (["rk_test_1", "acct_1", "whsec_1"], true),
            (["sk_live_1", "acct_1", "whsec_1"], false),
        ] {
            let names = ["LYCEUM_STRIPE_SECRET_KEY", "LYCEUM_STRIPE_ACCOUNT", "LYCEUM_STRIPE_WEBHOOK_SECRET"];
            let vars: Vec<(&str, &str)> = names.into_iter().zip(set).collect();
            let (_, problems) = read(&vars, Environment::Production);
            assert_eq!(problems.contains("is for tests"), is_refused, "{set:?} {problems}");
            assert_eq!(read(&vars, Environment::Development).1, "");
        }
        let paypal = [
            ("LYCEUM_PAYPAL_CLIENT_ID", "id"),
            ("LYCEUM_PAYPAL_CLIENT_SECRET", "s"),
            ("LYCEUM_PAYPAL_MERCHANT_ID", "m"),
            ("LYCEUM_PAYPAL_WEBHOOK_ID", "w"),
        ];
        assert_eq!(read(&paypal, Environment::Production).1, "");
        let sandbox = [paypal.as_slice(), &[("LYCEUM_PAYPAL_URL", "https://api-m.sandbox.paypal.com")]].concat();
        assert!(read(&sandbox, Environment::Production).1.contains("LYCEUM_PAYPAL_URL is for tests"));
    }
}
