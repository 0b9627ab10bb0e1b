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
pub(crate) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(14);

/// The id of an invitation to a family, in its link.
pub(crate) type FamilyInvitationId = Id<FamilyInvitation>;

/// A user who shares the hours of another user's membership.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = family_members, check_for_backend(diesel::pg::Pg))]
pub struct FamilyMember {
    /// The user.
    pub user_id: UserId,
    /// The membership.
    pub membership_id: MembershipId,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// An invitation to share the hours of a membership.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = family_invitations, check_for_backend(diesel::pg::Pg))]
pub struct FamilyInvitation {
    /// The id.
    pub id: FamilyInvitationId,
    /// The membership.
    pub membership_id: MembershipId,
    /// The email address, in lower case.
    pub email: String,
    /// When it was sent last.
    pub sent_at: DateTime<Utc>,
    /// When its link expires.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

impl Entity for FamilyInvitation {
    const PREFIX: &'static str = "family_invitation";
}

impl FamilyInvitation {
    /// Whether it can be accepted.
    pub(crate) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// Returns the state that its link is bound to.
    pub(crate) fn state(&self) -> String {
        self.sent_at.timestamp_micros().to_string()
    }
}

/// Who shares the hours of a membership.
#[derive(Clone, Debug)]
pub struct Family {
    /// The membership, which is the owner's.
    pub membership: Membership,
    /// Its plan.
    pub plan: Plan,
    /// The members beside the owner, by when they joined.
    pub members: Vec<FamilyMember>,
    /// The invitations that can be accepted, by when they were sent.
    pub invitations: Vec<FamilyInvitation>,
}

/// The input of `inviteFamilyMember`.
#[derive(Clone, Debug, InputObject)]
pub struct InviteFamilyMemberInput {
    /// The membership, of the viewer, whose plan has a `familySize`.
    pub membership_id: MembershipId,
    /// The email address to invite. Case-insensitive.
    pub email: String,
}

/// The input of `revokeFamilyInvitation`.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeFamilyInvitationInput {
    /// The membership, of the viewer.
    pub membership_id: MembershipId,
    /// The email address that was invited. Case-insensitive.
    pub email: String,
}

/// The input of `joinFamily`.
#[derive(Clone, InputObject)]
pub struct JoinFamilyInput {
    /// The `token` parameter of the link in the email.
    pub(crate) token: String,
}

// A link must not reach a log by way of a derived Debug.
impl fmt::Debug for JoinFamilyInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinFamilyInput").finish_non_exhaustive()
    }
}

/// The input of `leaveFamily`.
#[derive(Clone, Debug, InputObject)]
pub struct LeaveFamilyInput {
    /// The owner of the family that the viewer leaves.
    pub(crate) owner_id: UserId,
}

/// The input of `removeFamilyMember`.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveFamilyMemberInput {
    /// The membership, of the viewer.
    pub membership_id: MembershipId,
    /// The member of its family.
    pub user_id: UserId,
}
