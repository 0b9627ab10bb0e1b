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

pub use announce::{Announced, can_see, cancel_announcement, create_announcement, size_of};
pub(crate) use announce::{PUBLISH, keep_reports, publish_announcement};
pub use audience::audiences_of;
pub(crate) use compact::{COMPACT, compact};
pub use create::create;
pub(crate) use deliver::{Ready, device_gone, lease, postponed, rejected, send_more, sent};
pub(crate) use export::forget_user;
pub use export::my_data;
pub use mark::mark_notifications;
pub use push_subscription::{delete_push_subscription, register_push_subscription};
pub use render::render;
pub use settings::{mute_notifications, update_notification_settings};
pub(crate) use unsubscribe::unsubscribe_url;
pub use unsubscribe::{Unsubscription, read_unsubscription, unsubscribe};
pub(crate) use walk::{SEND, WALK, has_mail, walk};
