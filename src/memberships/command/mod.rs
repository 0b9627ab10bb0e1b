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

pub(super) use access::{cancel, end, end_of_grace, give, limits, plan_billing, step, tell, write};
pub use export::my_data;
pub(super) use family::{
    invite_family_member, join_family, leave_family, remove_family_member, revoke_family_invitation,
};
pub(super) use gateway::{SYNC, sync, wait_after};
pub(crate) use import::import_plan;
pub(super) use member::{pause, resume, scope_of};
pub(super) use plan::{archive_plan, create_plan, manages, set_plan_price, sold, update_plan};
pub use play::play_told;
pub(super) use play::{check_all, confirm_play_purchase, set_play_product};
pub(super) use subscription::{end_subscriptions, release};
pub(super) use sweep::{
    CANCEL, MOVE, archive_orphans, archive_plans_of, archive_plans_of_category, cancel_members, expire, forget_user,
    mend_spans, move_members, remind,
};
