//! Families: the owner of a membership invites users by email, who then share its hours of live classes.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::accounts::{self, UserId, check_email, viewer};
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::memberships::error;
use crate::memberships::event::{FamilyJoined, FamilyLeft, FamilyMemberInvited};
use crate::memberships::model::{
    Family, FamilyInvitation, FamilyInvitationId, FamilyMember, INVITATION_LIFETIME, InviteFamilyMemberInput,
    JoinFamilyInput, LeaveFamilyInput, Membership, MembershipId, MembershipStatus, PlanKind, RemoveFamilyMemberInput,
    RevokeFamilyInvitationInput, minutes_of,
};
use crate::memberships::port::{self, Held};
use crate::memberships::query::{family as query, membership as rows, plan as plans};
use crate::platform::App;
use crate::platform::auth::{Actor, Link, Proof};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The most users beside the owner in a family.
const MOST_MEMBERS: i32 = 10;
/// The most mails about a membership in a day.
const MOST_MAILS: usize = 20;
/// An address is mailed at most once in this time.
const BETWEEN_MAILS: TimeDelta = TimeDelta::days(1);

/// Checks how many users share the hours of a plan, and what each can use of them, as far as they are given; 0 is none.
/// `has_family` is whether the plan has a family already. Returns what they are set to.
pub(super) fn check_terms(
    check: &mut Check,
    kind: PlanKind,
    has_family: bool,
    (size, hours): (Option<i32>, Option<Decimal>),
) -> (Option<Option<i32>>, Option<Option<i32>>) {
    const SIZE: &str = "familySize";
    const HOURS: &str = "familyMemberHours";
    for (field, is_given) in [(SIZE, size.is_some()), (HOURS, hours.is_some())] {
        if is_given && kind != PlanKind::LiveClass {
            check.error(UserErrorCode::NotAllowed, field, "A plan of this kind has none.");
        }
    }
    if size.is_some_and(|size| !(0..=MOST_MEMBERS).contains(&size)) {
        check.error(
            UserErrorCode::OutOfRange,
            SIZE,
            format!("A family has at most {MOST_MEMBERS} members; 0 for none."),
        );
    }
    let has_family = size.map_or(has_family, |size| size > 0);
    let minutes = hours.map(|hours| if hours.is_zero() { None } else { minutes_of(hours) });
    match hours.zip(minutes) {
        Some((hours, None)) if !hours.is_zero() => {
            check.error(UserErrorCode::OutOfRange, HOURS, "The hours are whole minutes, at most 744; 0 for no limit.");
        }
        Some((_, Some(_))) if !has_family && kind == PlanKind::LiveClass => {
            check.error(UserErrorCode::NotAllowed, HOURS, "A plan without `familySize` has none.");
        }
        _ => {}
    }
    (size.map(|size| Some(size).filter(|size| *size > 0)), minutes)
}

/// Invites an email address to share the hours of a membership. The address is mailed a link, at most once a day,
/// whether it belongs to an account or not.
///
/// # Errors
/// The email address is malformed, or the actor's own; there is no such membership of the actor, or it gives no hours
/// now; its plan has no family; there is no room for one more; too many mails were sent.
pub async fn invite_family_member(app: &App, actor: &Actor, input: InviteFamilyMemberInput) -> Result<Family> {
    let (owner, email) = (viewer(actor)?, address(&input.email)?);
    app.db
        .transaction(async |tx| {
            let held = own(tx, input.membership_id, owner).await?;
            let size = held.plan.family_size.ok_or_else(error::no_family_plan)?;
            if !held.row.status.is_entitled() {
                return Err(error::not_possible(held.row.status, "shared"));
            }
            if accounts::user_by_id(tx, owner).await?.is_some_and(|user| user.email == email) {
                return Err(error::own_address());
            }
            invite(tx, app, &held, (&email, size)).await?;
            family(tx, app, held).await
        })
        .await
}

/// Checks the email address of an input; returns it as it is stored.
fn address(email: &str) -> Result<String> {
    let mut check = Check::new();
    let email = check_email(&mut check, "email", email);
    check.finish()?;
    Ok(email)
}

async fn invite(tx: &mut Tx, app: &App, held: &Held, (email, size): (&str, i32)) -> Result<()> {
    let (id, now) = (held.row.id, app.clock.now());
    let known = query::all_invitations(tx, id).await?;
    let members = query::members_of(tx.conn(), &[id]).await?.len();
    let invited = known.iter().filter(|row| row.is_open(now) && row.email != email).count();
    if i32::try_from(members + invited)? >= size {
        return Err(error::family_full("email"));
    }
    let earlier = known.iter().find(|row| row.email == email);
    // The link that was mailed is valid again.
    if let Some(row) = earlier.filter(|row| row.sent_at > now - BETWEEN_MAILS) {
        query::set_invitation(tx, &FamilyInvitation { revoked_at: None, ..row.clone() }).await?;
        return Ok(());
    }
    if known.iter().filter(|row| row.sent_at > now - BETWEEN_MAILS).count() >= MOST_MAILS {
        return Err(error::too_many_invitations());
    }
    let row = FamilyInvitation {
        id: earlier.map_or_else(|| FamilyInvitationId::new(app.clock.uuid()), |row| row.id),
        membership_id: id,
        email: email.to_owned(),
        sent_at: now,
        expires_at: now + INVITATION_LIFETIME,
        revoked_at: None,
    };
    match earlier {
        Some(_) => query::set_invitation(tx, &row).await?,
        None => query::invite(tx, &row).await?,
    };
    outbox::record(tx, &app.clock, &FamilyMemberInvited { invitation: row.id }).await?;
    Ok(())
}

/// Revokes an invitation: its link is not valid anymore.
///
/// # Errors
/// There is no such membership of the actor, or no such invitation.
pub async fn revoke_family_invitation(app: &App, actor: &Actor, input: RevokeFamilyInvitationInput) -> Result<Family> {
    let (owner, email) = (viewer(actor)?, address(&input.email)?);
    app.db
        .transaction(async |tx| {
            let now = app.clock.now();
            let held = own(tx, input.membership_id, owner).await?;
            let known = query::all_invitations(tx, held.row.id).await?;
            let row = known.into_iter().find(|row| row.email == email && row.is_open(now));
            let row = row.ok_or_else(error::no_such_invitation)?;
            query::set_invitation(tx, &FamilyInvitation { revoked_at: Some(now), ..row }).await?;
            family(tx, app, held).await
        })
        .await
}

/// Makes the actor a member of the family to which they are invited.
///
/// # Errors
/// The link is not valid, or no longer; there is no room for one more; the actor owns the membership, has one of their
/// own for live classes, or is in a family.
pub async fn join_family(app: &App, actor: &Actor, input: JoinFamilyInput) -> Result<Family> {
    let user = viewer(actor)?;
    let link = Link::parse(&input.token).ok_or_else(error::family_invitation_over)?;
    let id = FamilyInvitationId::new(link.id);
    app.db
        .transaction(async |tx| {
            let membership = match query::invitation(tx.conn(), id).await? {
                Some(row) => rows::by_id(tx.conn(), row.membership_id).await?,
                None => None,
            };
            let membership = membership.ok_or_else(error::family_invitation_over)?;
            // In the order of their ids, so that two users who join each other's family do not wait for each other.
            let mut both = [user, membership.user_id];
            both.sort_unstable_by_key(|id| id.uuid());
            for user in both {
                accounts::lock_user(tx, user).await?;
            }
            let held = port::held(tx, membership.id).await?.ok_or_else(error::family_invitation_over)?;
            // Under the lock: of concurrent requests with one link, only one succeeds.
            let invitation = query::invitation(tx.conn(), id).await?;
            let now = app.clock.now();
            let is_valid = |row: &FamilyInvitation| {
                row.is_open(now) && app.codes.is_link(&link, Proof::FamilyInvitation, &row.state(), now)
            };
            if !invitation.is_some_and(|row| is_valid(&row)) || !held.row.status.is_entitled() {
                return Err(error::family_invitation_over());
            }
            check_joins(tx, user, &held).await?;
            let row = FamilyMember { user_id: user, membership_id: held.row.id, joined_at: now };
            if !query::join(tx, &row).await? {
                return Err(error::in_family());
            }
            query::delete_invitation(tx, id).await?;
            outbox::record(tx, &app.clock, &FamilyJoined { member: user }).await?;
            family(tx, app, held).await
        })
        .await
}

async fn check_joins(tx: &mut Tx, user: UserId, held: &Held) -> Result<()> {
    if held.row.user_id == user {
        return Err(error::own_family());
    }
    let own = rows::of_scope(tx.conn(), user, (PlanKind::LiveClass, None, None)).await?;
    if own.iter().any(|row| row.status != MembershipStatus::Expired) {
        return Err(error::has_own_hours());
    }
    let members = query::members_of(tx.conn(), &[held.row.id]).await?.len();
    if i32::try_from(members)? >= held.plan.family_size.unwrap_or_default() {
        return Err(error::family_full("token"));
    }
    Ok(())
}

/// Lets the actor leave the family in which they are; returns its owner.
///
/// # Errors
/// The actor is not in the family of this owner.
pub async fn leave_family(app: &App, actor: &Actor, input: LeaveFamilyInput) -> Result<UserId> {
    let user = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            accounts::lock_user(tx, user).await?;
            let membership = match query::member(tx.conn(), user).await? {
                Some(row) => rows::by_id(tx.conn(), row.membership_id).await?,
                None => None,
            };
            let owner = membership.map(|row| row.user_id).filter(|owner| *owner == input.owner_id);
            let owner = owner.ok_or_else(error::not_in_family)?;
            forget_member(tx, app, user).await?;
            Ok(owner)
        })
        .await
}

/// Removes a member from the family of a membership.
///
/// # Errors
/// There is no such membership of the actor, or no such member.
pub async fn remove_family_member(app: &App, actor: &Actor, input: RemoveFamilyMemberInput) -> Result<Family> {
    let owner = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let held = own(tx, input.membership_id, owner).await?;
            let removed = query::remove(tx, held.row.id, &[input.user_id]).await?;
            if removed.is_empty() {
                return Err(error::no_such_family_member());
            }
            tell(tx, app, &removed).await?;
            family(tx, app, held).await
        })
        .await
}

/// Locks a membership of the user's own.
async fn own(tx: &mut Tx, id: MembershipId, owner: UserId) -> Result<Held> {
    let held = port::hold(tx, id).await?.filter(|held| held.row.user_id == owner);
    held.ok_or_else(error::no_such_membership)
}

async fn family(tx: &mut Tx, app: &App, held: Held) -> Result<Family> {
    let id = held.row.id;
    let members = query::members_of(tx.conn(), &[id]).await?;
    let invitations = query::invitations_of(tx.conn(), &[id], app.clock.now()).await?;
    Ok(Family { membership: held.row, plan: held.plan, members, invitations })
}

/// Has the families follow what has become of a locked membership: who has hours of their own is in no family, and a
/// membership that has ended, or is of a plan with a smaller family, has fewer members. Who joined last leaves.
pub(super) async fn follow(tx: &mut Tx, app: &App, row: &Membership) -> std::result::Result<(), InternalError> {
    if row.kind != PlanKind::LiveClass {
        return Ok(());
    }
    let Some(plan) = plans::by_id(tx.conn(), row.plan_id).await? else { return Ok(()) };
    if row.status.is_entitled() {
        forget_member(tx, app, row.user_id).await?;
    }
    let is_over = row.status == MembershipStatus::Expired;
    let size = if is_over { 0 } else { plan.family_size.unwrap_or_default() };
    if size == 0 {
        query::delete_invitations(tx, row.id).await?;
    }
    let members = query::members_of(tx.conn(), &[row.id]).await?;
    let beyond: Vec<UserId> = members.iter().skip(usize::try_from(size)?).map(|member| member.user_id).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let removed = query::remove(tx, row.id, &beyond).await?;
    tell(tx, app, &removed).await
}

/// Removes a user from the family in which they are, if in any.
pub(super) async fn forget_member(tx: &mut Tx, app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    let gone = query::leave(tx, user).await?;
    tell(tx, app, gone.as_slice()).await
}

/// Keeps until when users were in a family, and says that they have left it.
async fn tell(tx: &mut Tx, app: &App, gone: &[FamilyMember]) -> std::result::Result<(), InternalError> {
    if !gone.is_empty() {
        query::keep_stays(tx, gone, app.clock.now()).await?;
    }
    for row in gone {
        outbox::record(tx, &app.clock, &FamilyLeft { member: row.user_id }).await?;
    }
    Ok(())
}
