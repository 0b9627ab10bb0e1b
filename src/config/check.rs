//! Checks of settings that depend on each other, and of URLs.

use lettre::message::Mailbox;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::reader::Reader;
use super::{Config, SETTINGS};

impl Config {
    pub(super) fn check(&self, reader: &mut Reader) {
        for origin in &self.cors_origins {
            if !is_origin(origin) {
                reader.problem(format!(
                    "LYCEUM_CORS_ORIGINS has {origin:?}, which is not an origin; it must be scheme, host and port \
                     only, such as https://app.example or http://localhost:3000, separated by commas"
                ));
            }
        }
        check_url(reader, "LYCEUM_PUBLIC_URL", Some(&self.public_url), &["http", "https"]);
        if self.app_url != self.public_url {
            check_url(reader, "LYCEUM_APP_URL", Some(&self.app_url), &["http", "https"]);
        }
        check_url(reader, "DATABASE_URL", self.database_url.as_deref(), &["postgres", "postgresql"]);
        check_url(reader, "SMTP_URL", self.smtp_url.as_deref(), &["smtp", "smtps"]);
        for node in self.redis_url.iter().flat_map(|urls| urls.split(',')) {
            check_url(reader, "REDIS_URL", Some(node.trim()), &["redis", "rediss", "redis+unix", "unix"]);
        }
        if self.mail_from.parse::<Mailbox>().is_err() {
            let from = &self.mail_from;
            let example = "School <hello@school.example>";
            reader.problem(format!("LYCEUM_MAIL_FROM is {from:?}; it must be a mail address, such as {example}"));
        }
        if let Err(error) = EnvFilter::try_new(&self.log) {
            let log = &self.log;
            reader.problem(format!(
                "LYCEUM_LOG is {log:?}; it must be a log filter, such as info or warn,lyceum::media=debug ({error})"
            ));
        }
        let current = self.secret.iter().map(|secret| ("LYCEUM_SECRET", secret));
        let previous = self.previous_secrets.iter().map(|secret| ("LYCEUM_PREVIOUS_SECRETS", secret));
        for (name, secret) in current.chain(previous) {
            let length = secret.chars().count();
            if length < 32 {
                reader.problem(format!(
                    "{name} is too short: it has {length} of at least 32 characters; take random ones, for example \
                     those that `openssl rand -base64 48` prints"
                ));
            }
        }
        if self.is_production() {
            self.check_production(reader);
        }
    }

    fn check_production(&self, reader: &mut Reader) {
        let required: [(&str, bool, &str); 4] = [
            ("DATABASE_URL", self.database_url.is_none(), "the embedded PostgreSQL is for development"),
            ("SMTP_URL", self.smtp_url.is_none(), "mails written to files reach nobody"),
            ("LYCEUM_SECRET", self.secret.is_none(), "a secret made at start is lost with the folder"),
            ("S3_BUCKET", self.s3.is_none(), "the embedded object store is for development"),
        ];
        for (name, missing, why) in required {
            if missing {
                reader.problem(format!("{name} is required in production: {why}; for example {}", example(name)));
            }
        }
        let app_url = Some(&self.app_url).filter(|url| **url != self.public_url);
        for (name, url) in [("LYCEUM_PUBLIC_URL", Some(&self.public_url)), ("LYCEUM_APP_URL", app_url)] {
            if let Some(url) = url.filter(|url| !url.starts_with("https://")) {
                let example = example(name);
                reader
                    .problem(format!("{name} is {url:?}; in production it must begin with https://, as in {example}"));
            }
        }
        let s3 = self.s3.as_ref();
        let secrets = [
            ("LYCEUM_SECRET", self.secret.as_deref()),
            ("S3_SECRET_ACCESS_KEY", s3.map(|s3| s3.secret_key.as_str())),
            ("DATABASE_URL", self.database_url.as_deref()),
            ("LYCEUM_STORAGE_HOOK_SECRET", self.uploads.hook_secret.as_deref()),
            ("LYCEUM_MAIL_HOOK_SECRET", self.mail_hook_secret.as_deref()),
        ];
        let services = self.identity.secrets().into_iter().chain(self.payments.gateways.secrets());
        for (name, value) in secrets.into_iter().chain(services) {
            if value.is_some_and(looks_mocked) {
                reader.problem(format!(
                    "{name} looks like an example, not like a secret; take random characters, for example those that \
                     `openssl rand -base64 48` prints"
                ));
            }
        }
    }
}

pub(super) fn check_url(reader: &mut Reader, name: &str, value: Option<&str>, schemes: &[&str]) {
    let Some(value) = value else { return };
    if Url::parse(value).is_ok_and(|url| schemes.contains(&url.scheme())) {
        return;
    }
    let (schemes, example) = (schemes.join(":// or "), example(name));
    let is_secret = SETTINGS.iter().any(|setting| setting.name == name && setting.secret);
    reader.problem(match is_secret {
        // It may contain a password.
        true => format!("{name} is not a URL that starts with {schemes}://, such as {example}; its value is not shown"),
        false => format!("{name} is {value:?}; it must be a URL that starts with {schemes}://, such as {example}"),
    });
}

/// Reads the base URL of an external service, without a trailing slash.
pub(super) fn base_url(reader: &mut Reader, name: &str) -> String {
    let url = reader.text_or_default(name).trim_end_matches('/').to_owned();
    check_url(reader, name, Some(&url), &["http", "https"]);
    url
}

/// Returns an example of the setting `name`.
fn example(name: &str) -> &'static str {
    match name {
        "LYCEUM_PUBLIC_URL" => "https://api.school.example",
        "LYCEUM_APP_URL" => "https://school.example",
        "LYCEUM_SECRET" => "what `openssl rand -base64 48` prints",
        "DATABASE_URL" => "postgres://lyceum:PASSWORD@db.example:5432/lyceum",
        "REDIS_URL" => "redis://cache.example:6379",
        "SMTP_URL" => "smtps://USER:PASSWORD@smtp.example",
        "S3_ENDPOINT" => "https://s3.eu-central-1.amazonaws.com",
        "S3_BUCKET" => "videos-of-my-school",
        _ => "https://school.example",
    }
}

/// Returns whether `text` is an origin in the form that browsers send.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

/// Returns whether `origin` is that of a page on this machine, on any port: `http://localhost` or `http://127.0.0.1`.
pub fn is_local(origin: &str) -> bool {
    let of_this_machine =
        |url: Url| url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    is_origin(origin) && Url::parse(origin).is_ok_and(of_this_machine)
}

/// Returns whether a secret looks like a placeholder or an example.
fn looks_mocked(value: &str) -> bool {
    let lower = value.to_lowercase();
    let distinct = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    distinct < 10
        || ["changeme", "change-me", "secret", "example", "mock", "dummy", "placeholder", "password", "xxxx"]
            .iter()
            .any(|word| lower.contains(word))
}
