//! Commands for live sessions.
//!
//! What changes places locks the user who acts, the session and then the months of the users whose hours pay
//! (`live_usage`), in the order of user and month. Under that lock is what family members have of them. Who joins a
//! session holds the membership of their family in between, after the user and before the session, so that what becomes
//! of it is either known, or comes later and reviews the seat. What changes a membership or its family locks users
//! before it, and nothing of live classes after it: the two do not wait for each other in a circle.

mod attend;
mod calendar;
mod cancel;
mod create;
mod eligibility;
mod export;
mod extra;
mod follow;
mod import;
mod lapse;
mod record;
mod remind;
mod seat;
mod settle;
mod statistics;
mod update;
mod usage;

pub(super) use attend::{forget_user, join_session, leave_session};
pub use calendar::{calendar_feed, session_file};
pub(super) use calendar::{session_url, set_feed};
pub(super) use cancel::{cancel_session, delete_session, forget_course};
pub(super) use create::create_sessions;
pub use eligibility::session_title;
pub(super) use eligibility::{eligibility_of, sees};
pub use export::my_data;
pub(super) use extra::count_extra;
pub(super) use follow::{follow_membership, tell_member};
pub use import::import;
pub(super) use lapse::{review_family, review_places};
pub(super) use record::record_attendance;
pub(super) use remind::remind;
pub(super) use settle::settle_all;
pub(super) use statistics::{Statistics, statistics_of};
pub(super) use update::update_session;
pub(super) use usage::{history_of, usage_of};
