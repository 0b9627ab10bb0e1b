//! Commands for notifications.

mod audience;
mod create;
mod export;
mod mark;
mod render;
mod settings;

pub(super) use audience::audiences_of;
pub use create::create;
pub(super) use export::forget_user;
pub use export::my_data;
pub(super) use mark::mark_notifications;
pub use render::render;
pub(super) use settings::{mute_notifications, update_notification_settings};
