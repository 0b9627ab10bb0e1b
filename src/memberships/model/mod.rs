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
pub(super) use family::{
    Family, FamilyInvitation, FamilyInvitationId, FamilyMember, INVITATION_LIFETIME, InviteFamilyMemberInput,
    JoinFamilyInput, LeaveFamilyInput, RemoveFamilyMemberInput, RevokeFamilyInvitationInput,
};
pub(crate) use input::CreatePlanInput;
pub(super) use input::{
    ArchivePlanInput, CancelMembershipInput, ChangeMembershipInput, ConfirmPlayPurchaseInput, MembershipFilter,
    MembershipWhich, PauseMembershipInput, PlanFilter, PlanWhich, QuoteMembershipChangeInput, ResumeMembershipInput,
    SetPlanPriceInput, SetPlayProductInput, UpdatePlanInput,
};
pub use input::{ChangeTime, MembershipChangeTerms, NewPriceInput};
pub use live::{LiveAllowance, LiveGiven};
pub use membership::{Membership, MembershipId, MembershipRenewal, MembershipStatus};
pub(super) use membership::{NewMembership, Step};
pub(super) use period::{
    NewPeriod, PeriodState, billing_time, end_of_interval, next_attempt, remaining, reminder_time,
};
pub use period::{Period, PeriodId, PeriodReason};
pub use plan::{BillingInterval, Plan, PlanId, PlanKind, PlanPrice, PlanPriceId, PlanStatus, Target};
pub(super) use plan::{NewGateway, NewPlan, NewPrice, PlanGateway, hours_of, minutes_of, status_of};
pub(super) use play::{DAILY, PlayProduct, PlayPurchase, Standing, base_order, change_between};
pub use play::{PlayOutcome, PlayState};
pub(super) use subscription::next_charge;
pub use subscription::{ProviderSubscription, SubscriptionState};
