use super::*;

fn read(vars: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    Config::from_vars(vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

#[test]
fn nothing_has_to_be_set_in_development() {
    let config = read(&[]).unwrap();
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert!(config.database_url.is_none() && config.redis_url.is_none() && config.s3.is_none());
}

#[test]
fn production_lists_every_problem_at_once() {
    let problems =
        read(&[("LYCEUM_ENV", "production"), ("LYCEUM_SECRET", "changeme"), ("LYCEUM_PORT", "1")]).unwrap_err();
    let all = problems.join("\n");
    for expected in [
        "LYCEUM_PORT is not a setting",
        "LYCEUM_SECRET is too short",
        "LYCEUM_SECRET looks like an example",
        "DATABASE_URL is required",
        "SMTP_URL is required",
        "S3_BUCKET is required",
        "LYCEUM_PUBLIC_URL must be an https://",
    ] {
        assert!(all.contains(expected), "{expected} is missing in:\n{all}");
    }
}

#[test]
fn a_complete_production_starts() {
    let config = read(&[
        ("LYCEUM_ENV", "production"),
        ("LYCEUM_SECRET", "u3Jk9sQpWz7LmN2xVbY8tRaC5dFgH1eKoP4i"),
        ("LYCEUM_PUBLIC_URL", "https://learn.acme.org/"),
        ("DATABASE_URL", "postgres://lyceum:Zr8kQm2pLw@db.internal/lyceum"),
        ("SMTP_URL", "smtps://mailer:Gh7tRw@smtp.internal"),
        ("S3_BUCKET", "videos"),
        ("S3_ACCESS_KEY_ID", "AKIAQ2W3E4R5T6Y7U8I9"),
        ("S3_SECRET_ACCESS_KEY", "wJ4lrXUtnF3MIK7MDENGbPxRfiCYzQ9v"),
    ]);
    assert_eq!(config.unwrap().public_url, "https://learn.acme.org");
}

#[test]
fn a_wrong_value_names_the_setting_and_what_is_allowed_but_not_a_secret() {
    let problems = read(&[
        ("LYCEUM_MAX_DEPTH", "1000"),
        ("LYCEUM_ADDR", "here"),
        ("LYCEUM_LOG_FORMAT", "xml"),
        ("DATABASE_URL", "mysql://root:hunter2@db"),
        ("LYCEUM_CORS_ORIGINS", "https://app.acme.org/path"),
    ]);
    let all = problems.unwrap_err().join("\n");
    assert!(all.contains("LYCEUM_MAX_DEPTH is 1000; it must be from 3 to 100"), "{all}");
    assert!(all.contains("LYCEUM_ADDR: "), "{all}");
    assert!(all.contains("LYCEUM_LOG_FORMAT is \"xml\"; it must be text or json"), "{all}");
    assert!(all.contains("DATABASE_URL is not a URL that starts with postgres://"), "{all}");
    assert!(all.contains("is not an origin"), "{all}");
    assert!(!all.contains("hunter2"), "{all}");
}
