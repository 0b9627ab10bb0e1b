//! Commands for notifications.

mod announce;
mod audience;
mod compact;
mod create;
mod deliver;
mod export;
mod mark;
mod push_subscription;
mod render;
mod settings;
mod unsubscribe;
mod walk;

pub(super) use announce::{
    Announced, PUBLISH, can_see, cancel_announcement, create_announcement, keep_reports, publish_announcement, size_of,
};
pub(super) use audience::audiences_of;
pub(super) use compact::{COMPACT, compact};
pub use create::create;
pub(super) use deliver::{Ready, device_gone, lease, postponed, rejected, send_more, sent};
pub(super) use export::forget_user;
pub use export::my_data;
pub(super) use mark::mark_notifications;
pub(super) use push_subscription::{delete_push_subscription, register_push_subscription};
pub(super) use render::render;
pub(super) use settings::{mute_notifications, update_notification_settings};
pub(super) use unsubscribe::unsubscribe_url;
pub use unsubscribe::{Unsubscription, read_unsubscription, unsubscribe};
pub(super) use walk::{SEND, WALK, has_mail, walk};
