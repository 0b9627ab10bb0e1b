//! Families: users who share the hours of a membership.

use std::fmt;

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::membership::{Membership, MembershipId};
use super::plan::Plan;
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{family_invitations, family_members};

/// How long an invitation is valid.
pub(in crate::memberships) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(14);

/// The id of an invitation to a family, in its link.
pub(in crate::memberships) type FamilyInvitationId = Id<FamilyInvitation>;

/// A user who shares the hours of another user's membership.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = family_members, check_for_backend(diesel::pg::Pg))]
pub(in crate::memberships) struct FamilyMember {
    /// The user.
    pub(in crate::memberships) user_id: UserId,
    /// The membership.
    pub(in crate::memberships) membership_id: MembershipId,
    /// Since when.
    pub(in crate::memberships) joined_at: DateTime<Utc>,
}

/// An invitation to share the hours of a membership.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = family_invitations, check_for_backend(diesel::pg::Pg))]
pub(in crate::memberships) struct FamilyInvitation {
    /// The id.
    pub(in crate::memberships) id: FamilyInvitationId,
    /// The membership.
    pub(in crate::memberships) membership_id: MembershipId,
    /// The email address, in lower case.
    pub(in crate::memberships) email: String,
    /// When it was sent last.
    pub(in crate::memberships) sent_at: DateTime<Utc>,
    /// When its link expires.
    pub(in crate::memberships) expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub(in crate::memberships) revoked_at: Option<DateTime<Utc>>,
}

impl Entity for FamilyInvitation {
    const PREFIX: &'static str = "family_invitation";
}

impl FamilyInvitation {
    /// Whether it can be accepted.
    pub(in crate::memberships) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// Returns the state that its link is bound to.
    pub(in crate::memberships) fn state(&self) -> String {
        self.sent_at.timestamp_micros().to_string()
    }
}

/// Who shares the hours of a membership.
#[derive(Clone, Debug)]
pub(in crate::memberships) struct Family {
    /// The membership, which is the owner's.
    pub(in crate::memberships) membership: Membership,
    /// Its plan.
    pub(in crate::memberships) plan: Plan,
    /// The members beside the owner, by when they joined.
    pub(in crate::memberships) members: Vec<FamilyMember>,
    /// The invitations that can be accepted, by when they were sent.
    pub(in crate::memberships) invitations: Vec<FamilyInvitation>,
}

/// The input of `inviteFamilyMember`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::memberships) struct InviteFamilyMemberInput {
    /// The membership, of the viewer, whose plan has a `familySize`.
    pub(in crate::memberships) membership_id: MembershipId,
    /// The email address to invite. Case-insensitive.
    pub(in crate::memberships) email: String,
}

/// The input of `revokeFamilyInvitation`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::memberships) struct RevokeFamilyInvitationInput {
    /// The membership, of the viewer.
    pub(in crate::memberships) membership_id: MembershipId,
    /// The email address that was invited. Case-insensitive.
    pub(in crate::memberships) email: String,
}

/// The input of `joinFamily`.
#[derive(Clone, InputObject)]
pub(in crate::memberships) struct JoinFamilyInput {
    /// The `token` parameter of the link in the email.
    pub(in crate::memberships) token: String,
}

// A link must not reach a log by way of a derived Debug.
impl fmt::Debug for JoinFamilyInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinFamilyInput").finish_non_exhaustive()
    }
}

/// The input of `leaveFamily`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::memberships) struct LeaveFamilyInput {
    /// The owner of the family that the viewer leaves.
    pub(in crate::memberships) owner_id: UserId,
}

/// The input of `removeFamilyMember`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::memberships) struct RemoveFamilyMemberInput {
    /// The membership, of the viewer.
    pub(in crate::memberships) membership_id: MembershipId,
    /// The member of its family.
    pub(in crate::memberships) user_id: UserId,
}
