//! The tables that queries join: those of a feature only, in the order of features. The compiler says when one is missing.
//!
//! `diesel print-schema` would allow all tables in each query, which is ten implementations for each pair of them: of
//! 115 tables a fifth of the build.

use diesel::allow_tables_to_appear_in_same_query;

use super::schema::*;

allow_tables_to_appear_in_same_query!(event_topics, events);
allow_tables_to_appear_in_same_query!(api_tokens, refresh_tokens, sessions, users);
allow_tables_to_appear_in_same_query!(
    channel_follows,
    channel_invitations,
    channel_members,
    channel_slugs,
    channel_stats,
    channels
);
allow_tables_to_appear_in_same_query!(file_references, media_files);
allow_tables_to_appear_in_same_query!(video_references, videos);
allow_tables_to_appear_in_same_query!(categories, course_slugs, course_texts, courses, lessons, sections);
allow_tables_to_appear_in_same_query!(enrollments, lesson_progress);
allow_tables_to_appear_in_same_query!(
    post_edits,
    post_reports,
    post_stats,
    post_texts,
    post_votes,
    posts,
    question_follows,
    questions
);
allow_tables_to_appear_in_same_query!(
    family_invitations,
    family_members,
    family_stays,
    membership_periods,
    membership_spans,
    memberships,
    plan_gateways,
    plan_prices,
    plans,
    provider_subscriptions
);
allow_tables_to_appear_in_same_query!(gifts, ledger_entries, ledger_transactions, order_items, orders, refunds);
allow_tables_to_appear_in_same_query!(live_attendances, live_sessions);
