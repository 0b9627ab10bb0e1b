//! Rows, ids, enums and inputs of plans and memberships, and their pure transitions.

mod extra;
mod family;
mod input;
mod live;
mod membership;
mod period;
mod plan;
mod play;
mod subscription;

pub use extra::{ExtraHours, ExtraHoursId};
pub use family::{
    Family, FamilyInvitation, FamilyMember, InviteFamilyMemberInput, JoinFamilyInput, LeaveFamilyInput,
    RemoveFamilyMemberInput, RevokeFamilyInvitationInput,
};
pub(crate) use family::{FamilyInvitationId, INVITATION_LIFETIME};
pub use input::CreatePlanInput;
pub use input::{
    ArchivePlanInput, CancelMembershipInput, ChangeMembershipInput, ConfirmPlayPurchaseInput, MembershipFilter,
    MembershipWhich, PauseMembershipInput, PlanFilter, PlanWhich, QuoteMembershipChangeInput, ResumeMembershipInput,
    SetPlanPriceInput, SetPlayProductInput, UpdatePlanInput,
};
pub use input::{ChangeTime, MembershipChangeTerms, NewPriceInput};
pub use live::{LiveAllowance, LiveGiven};
pub use membership::{Membership, MembershipId, MembershipRenewal, MembershipStatus};
pub(crate) use membership::{NewMembership, Step};
pub(crate) use period::{
    NewPeriod, PeriodState, billing_time, end_of_interval, next_attempt, remaining, reminder_time,
};
pub use period::{Period, PeriodId, PeriodReason};
pub use plan::{BillingInterval, Plan, PlanId, PlanKind, PlanPrice, PlanPriceId, PlanStatus, Target};
pub(crate) use plan::{NewGateway, NewPlan, NewPrice, minutes_of};
pub use plan::{PlanGateway, hours_of, status_of};
pub use play::PlayProduct;
pub(crate) use play::{DAILY, PlayPurchase, Standing, base_order, change_between};
pub use play::{PlayOutcome, PlayState};
pub(crate) use subscription::next_charge;
pub use subscription::{ProviderSubscription, SubscriptionState};
