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

pub(crate) use attend::forget_user;
pub use attend::{join_session, leave_session};
pub use calendar::{calendar_feed, session_file};
pub use calendar::{session_url, set_feed};
pub(crate) use cancel::forget_course;
pub use cancel::{cancel_session, delete_session};
pub use create::create_sessions;
pub use eligibility::session_title;
pub use eligibility::{eligibility_of, sees};
pub use export::my_data;
pub(crate) use extra::count_extra;
pub(crate) use follow::{follow_membership, tell_member};
pub use import::import;
pub(crate) use lapse::{review_family, review_places};
pub use record::record_attendance;
pub(crate) use remind::remind;
pub(crate) use settle::settle_all;
pub use statistics::{Statistics, statistics_of};
pub use update::update_session;
pub use usage::history_of;
pub(crate) use usage::usage_of;
