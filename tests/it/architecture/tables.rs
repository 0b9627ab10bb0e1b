//! Who owns which table, and who writes.

use super::report::Report;
use super::source::Source;
use super::sql;
use super::targets;

/// The owner of each table: a feature or `platform`.
const TABLES: [(&str, &[&str]); 13] = [
    (
        "platform",
        &[
            "audit_entries",
            "cron_turns",
            "event_counter",
            "event_pusher",
            "event_topics",
            "events",
            "idempotency_keys",
            "inbox",
            "jobs",
            "mail_suppressions",
            "sandbox_checkouts",
            "sandbox_refunds",
            "seeding",
        ],
    ),
    (
        "accounts",
        &[
            "api_tokens",
            "email_changes",
            "identities",
            "identity_attempts",
            "recovery_codes",
            "refresh_tokens",
            "registrations",
            "second_factors",
            "sessions",
            "sign_in_challenges",
            "team_invitations",
            "users",
        ],
    ),
    (
        "channels",
        &["channel_follows", "channel_invitations", "channel_members", "channel_slugs", "channel_stats", "channels"],
    ),
    ("media", &["file_references", "media_files", "uploads", "video_captions", "video_references", "videos"]),
    ("entitlements", &["entitlements"]),
    (
        "catalog",
        &[
            "categories",
            "category_slugs",
            "course_prices",
            "course_settings",
            "course_slugs",
            "course_stats",
            "course_texts",
            "course_words",
            "courses",
            "lesson_resources",
            "lessons",
            "sections",
        ],
    ),
    ("enrollments", &["certificates", "enrollments", "lesson_progress", "players"]),
    (
        "discussions",
        &[
            "post_edits",
            "post_reports",
            "post_stats",
            "post_texts",
            "post_votes",
            "posts",
            "question_follows",
            "questions",
        ],
    ),
    ("reviews", &["reviews"]),
    (
        "memberships",
        &[
            "extra_hours",
            "family_invitations",
            "family_members",
            "family_stays",
            "membership_periods",
            "membership_spans",
            "memberships",
            "plan_gateways",
            "plan_prices",
            "plans",
            "play_products",
            "play_purchases",
            "provider_subscriptions",
        ],
    ),
    (
        "orders",
        &[
            "channel_shares",
            "coupon_categories",
            "coupon_courses",
            "coupon_plans",
            "coupons",
            "disputes",
            "donation_orders",
            "donations",
            "gifts",
            "invoice_series",
            "invoices",
            "ledger_entries",
            "ledger_transactions",
            "order_items",
            "order_taxes",
            "orders",
            "payment_events",
            "payments",
            "payouts",
            "refund_items",
            "refunds",
            "tax_reversals",
        ],
    ),
    (
        "live",
        &["live_attendances", "live_calendars", "live_family_usage", "live_series", "live_sessions", "live_usage"],
    ),
    (
        "notifications",
        &[
            "announcements",
            "notification_deliveries",
            "notification_events",
            "notification_marks",
            "notification_mutes",
            "notification_receipts",
            "notification_settings",
            "notification_unsubscribes",
            "notification_walks",
            "notifications",
            "push_subscriptions",
        ],
    ),
];

/// Tables that a feature reads although another module owns them.
const READERS: [(&str, &str); 1] = [
    // `platform::audit` writes the entries; administrators search them and users export theirs through `accounts`.
    ("audit_entries", "accounts"),
];

/// The file that declares the tables.
const SCHEMA: &str = "platform/db/schema.rs";
/// The file that declares which of them a query may join.
const JOINS: &str = "platform/db/joins.rs";

fn owner(table: &str) -> Option<&'static str> {
    TABLES.iter().find(|(_, tables)| tables.contains(&table)).map(|(owner, _)| *owner)
}

pub(super) fn check(source: &Source, report: &mut Report<'_>) {
    if source.path == SCHEMA {
        let tables: Vec<&str> = source.syntax.tables.iter().map(String::as_str).collect();
        for what in differences(&tables, &TABLES) {
            report.add(1, what);
        }
        return;
    }
    if source.path == JOINS {
        return;
    }
    report.judge(&source.syntax.paths, |path| may_name(source, table(path)?, false));
    // What only reads a table may import it, but not write it.
    for target in source.syntax.functions.iter().flat_map(|function| &function.targets) {
        let may_read = may_name(source, &target.table, false).is_none();
        if let Some(what) = may_name(source, &target.table, true).filter(|_| may_read) {
            report.add(target.line, what);
        }
    }
    for literal in &source.syntax.literals {
        for table in sql::tables(&literal.text).iter().filter(|table| owner(table.name).is_some()) {
            if let Some(what) = may_name(source, table.name, table.written.is_some()) {
                report.add(literal.line, format!("SQL names {}: {what}", table.name));
            }
        }
    }
    writes(source, report);
}

/// The table that a path names, or `*`. Only a known table is one in a `schema` whose origin is unknown.
fn table<'p>(path: &'p [&str]) -> Option<&'p str> {
    targets::table(path).filter(|table| path[0] != "schema" || owner(table).is_some())
}

/// What is wrong with naming `table` here, to write it or only to read it.
fn may_name(source: &Source, table: &str, to_write: bool) -> Option<String> {
    let owner = match (table, owner(table)) {
        ("*", _) => return Some("name the tables one by one".into()),
        (_, Some(owner)) => owner,
        (_, None) => return Some(format!("{table} is not in the list of tables and owners")),
    };
    let (own, is_place_for_sql) = match source.feature() {
        Some((feature, file)) => (feature, ["query", "model"].contains(&file)),
        None => (source.folder().unwrap_or_default(), source.folder() == Some("platform")),
    };
    if !is_place_for_sql {
        return Some("a table is named only in the query and model files of its feature".into());
    }
    let reads = READERS.contains(&(table, own));
    if own == owner || (reads && !to_write) {
        return None;
    }
    Some(format!("{table} belongs to {owner}{}", if reads { ", which alone writes it" } else { "" }))
}

/// How the list of owners differs from the tables that there are.
fn differences(declared: &[&str], owners: &[(&str, &[&str])]) -> Vec<String> {
    let listed: Vec<&str> = owners.iter().flat_map(|(_, tables)| tables.iter().copied()).collect();
    let times = |table: &str| listed.iter().filter(|other| **other == table).count();
    let no_owner = declared.iter().filter(|table| times(table) == 0).map(|table| format!("{table} has no owner"));
    let twice = declared.iter().filter(|table| times(table) > 1).map(|table| format!("{table} has several owners"));
    let missing = listed.iter().filter(|table| !declared.contains(table));
    no_owner.chain(twice).chain(missing.map(|table| format!("{table} has an owner, but does not exist"))).collect()
}

/// `Db::read` gives a connection for reads; a function that writes asks for the transaction, or for the connection that
/// `Db::write` gives.
fn writes(source: &Source, report: &mut Report<'_>) {
    if !source.is_query() {
        return;
    }
    for function in source.syntax.functions.iter().filter(|function| function.writes && !function.in_test) {
        if !function.takes_tx && !function.takes_writer {
            let name = &function.name;
            report.add(function.line, format!("{name}: a function that writes takes &mut Tx or &mut Writer"));
        }
    }
}

#[test]
fn each_table_has_one_owner() {
    let owners: [(&str, &[&str]); 2] = [("one", &["a", "b"]), ("two", &["b", "c"])];
    let expected = ["d has no owner", "b has several owners", "c has an owner, but does not exist"];
    assert_eq!(differences(&["a", "b", "d"], &owners), expected);
    assert_eq!(differences(&["a", "b"], &[("one", &["a"]), ("two", &["b"])]), [""; 0]);
}
