use super::*;

fn read(vars: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    Config::from_vars(vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

#[test]
fn nothing_has_to_be_set_in_development() {
    let config = read(&[]).unwrap();
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.app_url, "http://127.0.0.1:8080", "without a front end of its own");
    assert!(config.database_url.is_none() && config.redis_url.is_none() && config.s3.is_none());
}

#[test]
fn production_lists_every_problem_at_once() {
    let problems = read(&[
        ("LYCEUM_ENV", "production"),
        ("LYCEUM_SECRET", "changeme"),
        ("LYCEUM_PORT", "1"),
        ("LYCEUM_GITHUB_CLIENT_ID", "Iv1.8a61f9b3a7aba766"),
        ("LYCEUM_GITHUB_CLIENT_SECRET", "my-github-secret"),
    ])
    .unwrap_err();
    let all = problems.join("\n");
    for expected in [
        "LYCEUM_PORT is not a setting",
        "LYCEUM_SECRET is too short",
        "LYCEUM_SECRET looks like an example",
        "LYCEUM_GITHUB_CLIENT_SECRET looks like an example",
        "DATABASE_URL is required",
        "SMTP_URL is required",
        "S3_BUCKET is required",
        "LYCEUM_PUBLIC_URL is \"http://127.0.0.1:8080\"; in production it must begin with https://",
    ] {
        assert!(all.contains(expected), "{expected} is missing in:\n{all}");
    }
}

#[test]
fn a_complete_production_starts() {
    let vars = [
        ("LYCEUM_ENV", "production"),
        ("LYCEUM_SECRET", "u3Jk9sQpWz7LmN2xVbY8tRaC5dFgH1eKoP4i"),
        ("LYCEUM_PUBLIC_URL", "https://learn.acme.org/"),
        ("DATABASE_URL", "postgres://lyceum:Zr8kQm2pLw@db.internal/lyceum"),
        ("SMTP_URL", "smtps://mailer:Gh7tRw@smtp.internal"),
        ("S3_BUCKET", "videos"),
        ("S3_ACCESS_KEY_ID", "AKIAQ2W3E4R5T6Y7U8I9"),
        ("S3_SECRET_ACCESS_KEY", "wJ4lrXUtnF3MIK7MDENGbPxRfiCYzQ9v"),
    ];
    let config = read(&vars).unwrap();
    assert_eq!((&*config.public_url, &*config.app_url), ("https://learn.acme.org", "https://learn.acme.org"));
    let with = |url| read(&[vars.as_slice(), &[("LYCEUM_APP_URL", url)]].concat());
    assert_eq!(with("https://app.acme.org/").unwrap().app_url, "https://app.acme.org");
    assert_eq!(
        with("http://app.acme.org").unwrap_err(),
        [
            "LYCEUM_APP_URL is \"http://app.acme.org\"; in production it must begin with https://, as in https://school.example"
        ]
    );
    let paid = |by| read(&[vars.as_slice(), &[("LYCEUM_PAYMENTS", by)]].concat());
    assert!(!config.payments.sandbox && !paid("off").unwrap().payments.sandbox);
    let problem = "LYCEUM_PAYMENTS is sandbox, which gives away everything for nothing; in production it must be off";
    assert_eq!(paid("sandbox").unwrap_err(), [problem]);
    let expected = "LYCEUM_APP_URL is \"app\"; it must be a URL that starts with http:// or https://, such as https://";
    assert!(with("app").unwrap_err()[0].starts_with(expected));
}

#[test]
fn a_wrong_value_names_the_setting_and_what_is_allowed_but_not_a_secret() {
    let problems = read(&[
        ("LYCEUM_MAX_DEPTH", "1000"),
        ("LYCEUM_MAX_COST", "many"),
        ("LYCEUM_MAX_ALIASSES", "3"),
        ("LYCEUM_ADDR", "localhost:8080"),
        ("LYCEUM_SECRET", "hunter3"),
        ("LYCEUM_LOG_FORMAT", "xml"),
        ("LYCEUM_LOG", "lyceum=loud"),
        ("LYCEUM_MAIL_FROM", "hello at school"),
        ("DATABASE_URL", "mysql://root:hunter2@db"),
        ("LYCEUM_CORS_ORIGINS", "https://app.acme.org/path"),
    ]);
    let all = problems.unwrap_err().join("\n");
    let number = |name: &str, value: &str, allowed: &str| {
        all.contains(&format!("{name} is \"{value}\"; it must be a whole number from {allowed}"))
    };
    assert!(number("LYCEUM_MAX_DEPTH", "1000", "3 to 100, such as 15"), "{all}");
    assert!(number("LYCEUM_MAX_COST", "many", "10 to 10000000, such as 15000"), "{all}");
    assert!(all.contains("LYCEUM_MAX_ALIASSES is not a setting; did you mean LYCEUM_MAX_ALIASES?"), "{all}");
    let expected = "LYCEUM_ADDR is \"localhost:8080\"; it must be an IP address and a port, such as 127.0.0.1:8080";
    assert!(all.contains(expected), "{all}");
    assert!(all.contains("LYCEUM_SECRET is too short: it has 7 of at least 32 characters"), "{all}");
    assert!(all.contains("LYCEUM_LOG is \"lyceum=loud\"; it must be a log filter, such as info"), "{all}");
    assert!(all.contains("LYCEUM_MAIL_FROM is \"hello at school\"; it must be a mail address, such as"), "{all}");
    assert!(all.contains("LYCEUM_LOG_FORMAT is \"xml\"; it must be text or json"), "{all}");
    assert!(all.contains("DATABASE_URL is not a URL that starts with postgres://"), "{all}");
    assert!(all.contains("LYCEUM_CORS_ORIGINS has \"https://app.acme.org/path\", which is not an origin"), "{all}");
    assert!(!all.contains("hunter"), "{all}");
}

#[test]
fn a_half_configured_sign_in_service_is_a_problem() {
    let config = read(&[
        ("LYCEUM_GOOGLE_CLIENT_ID", "g"),
        ("LYCEUM_GOOGLE_CLIENT_SECRET", "gs"),
        ("LYCEUM_OIDC_ISSUER", "http://127.0.0.1:5556/dex"),
        ("LYCEUM_OIDC_CLIENT_ID", "o"),
        ("LYCEUM_OIDC_CLIENT_SECRET", "os"),
    ]);
    let identity = config.unwrap().identity;
    assert!(identity.google.is_some() && identity.github.is_none());
    assert_eq!(identity.oidc.unwrap().name, "Single sign-on");
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("LYCEUM_GOOGLE_CLIENT_ID", "g")], "LYCEUM_GOOGLE_CLIENT_SECRET is required when LYCEUM_GOOGLE_CLIENT_ID"),
        (&[("LYCEUM_GITHUB_CLIENT_SECRET", "s")], "LYCEUM_GITHUB_CLIENT_ID is required when"),
        (&[("LYCEUM_OIDC_NAME", "Acme")], "LYCEUM_OIDC_ISSUER is required when LYCEUM_OIDC_NAME is set"),
        (&[("LYCEUM_OIDC_CLIENT_ID", "o")], "LYCEUM_OIDC_ISSUER is required when LYCEUM_OIDC_CLIENT_ID is set"),
        (&[("LYCEUM_OIDC_CLIENT_ID", "o")], "LYCEUM_OIDC_CLIENT_SECRET is required when LYCEUM_OIDC_CLIENT_ID is set"),
        (&[("LYCEUM_OIDC_ISSUER", "https://id.acme.org")], "LYCEUM_OIDC_CLIENT_ID and LYCEUM_OIDC_CLIENT_SECRET are"),
        (&[("LYCEUM_OIDC_ISSUER", "http://id.acme.org")], "LYCEUM_OIDC_ISSUER is \"http://id.acme.org\"; it must be"),
        (
            &[("LYCEUM_OIDC_ISSUER", "https://id.acme.org/?a=b")],
            "it must be a URL that starts with https:// and has no",
        ),
    ];
    for (vars, expected) in cases {
        let all = read(vars).unwrap_err().join("\n");
        assert!(all.contains(expected), "{expected} is missing in:\n{all}");
    }
}
