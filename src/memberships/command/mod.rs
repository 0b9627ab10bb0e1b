//! Commands for plans and memberships. No payment provider is called within a transaction.

mod access;
mod export;
mod family;
mod gateway;
mod import;
mod member;
mod plan;
mod play;
mod price;
mod subscription;
mod sweep;

pub use access::{cancel, end};
pub(crate) use access::{end_of_grace, give, limits, plan_billing, step, tell, write};
pub use export::my_data;
pub use family::{invite_family_member, join_family, leave_family, remove_family_member, revoke_family_invitation};
pub use gateway::sync;
pub(crate) use gateway::{SYNC, wait_after};
pub use import::import_plan;
pub(crate) use member::scope_of;
pub use member::{pause, resume};
pub use plan::{archive_plan, create_plan, manages, set_plan_price, sold, update_plan};
pub(crate) use play::check_all;
pub use play::play_told;
pub use play::{confirm_play_purchase, set_play_product};
pub(crate) use subscription::{end_subscriptions, release};
pub(crate) use sweep::{
    CANCEL, MOVE, archive_orphans, archive_plans_of, archive_plans_of_category, cancel_members, expire, forget_user,
    mend_spans, move_members, remind,
};
