//! Commands for channels.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::event::ChannelMemberInvited;
use super::model::{
    AcceptChannelInvitationInput, AddChannelMemberInput, Channel, ChannelId, ChannelMemberInput, CreateChannelInput,
    DeclineChannelInvitationInput, FollowChannelInput, RemoveChannelMemberInput, UnfollowChannelInput,
    UpdateChannelInput,
};
use super::port::{lock_editable, own_channel};
use super::query::{self, ChannelChanges, NewChannel, slug};
use super::{error, policy};
use crate::accounts::{UserId, check_email, user_by_email, user_by_id, viewer};
use crate::graphql::error::{Check, Edit};
use crate::graphql::export::{FETCH, items};
use crate::graphql::idempotency::{self, Turn};
use crate::graphql::page::Page;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::{Actor, Role};
use crate::platform::db::{self, Tx};
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

const LONGEST_NAME: usize = 100;
const LONGEST_SLUG: usize = 80;
const LONGEST_DESCRIPTION: usize = 5000;
const MOST_CHANNELS: i64 = 20;
const MOST_MEMBERS: i64 = 100;

/// Creates a channel that the actor owns.
///
/// # Errors
/// The input is invalid; the slug is taken; the actor owns too many channels, or is not an instructor.
pub async fn create_channel(app: &App, actor: &Actor, input: CreateChannelInput) -> Result<Channel> {
    let Some(owner) = actor.id().map(UserId::new).filter(|_| policy::can_create(actor)) else {
        return Err(Error::Forbidden("Only instructors make channels.".into()));
    };
    let mut check = Check::new();
    let name = check.required("name", &input.name, LONGEST_NAME);
    let description = check.text("description", &input.description, LONGEST_DESCRIPTION);
    let slug = match &input.slug {
        Some(slug) => check.slug("slug", slug, LONGEST_SLUG),
        None => slug::slug_base(&name),
    };
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, owner.uuid(), "createChannel", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::lock(tx, id).await?.ok_or_else(idempotency::gone),
            };
            if query::count_owned(tx, owner).await? >= MOST_CHANNELS {
                return Err(error::too_many(format!("A user can own at most {MOST_CHANNELS} channels.")));
            }
            let (name, description) = (name.as_str(), description.as_str());
            let members_edit = input.members_may_edit;
            let new = NewChannel { slug: &slug, name, description, owner_id: owner, is_default: false, members_edit };
            let channel = query::insert(tx, &app.clock, &new).await?.ok_or_else(error::slug_taken)?;
            claimed.keep(tx, channel.id.uuid()).await?;
            Ok(channel)
        })
        .await
}

/// Changes a channel.
///
/// # Errors
/// The input is invalid; the slug is taken; the actor may not change the channel.
pub async fn update_channel(app: &App, actor: &Actor, input: UpdateChannelInput) -> Result<Edit<Channel>> {
    let mut check = Check::new();
    let changes = ChannelChanges {
        name: input.name.map(|name| check.required("name", &name, LONGEST_NAME)),
        slug: input.slug.map(|slug| check.slug("slug", &slug, LONGEST_SLUG)),
        description: input.description.map(|text| check.text("description", &text, LONGEST_DESCRIPTION)),
        members_edit: input.members_may_edit,
        updated_at: app.clock.now(),
    };
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let channel = lock_editable(tx, actor, input.channel_id).await?;
            if channel.version != input.version {
                return Ok(Edit::Conflict { version: channel.version, current: channel });
            }
            if let Some(wanted) = changes.slug.as_ref().filter(|slug| **slug != channel.slug) {
                // The previous version of the program does not reserve the slugs of new channels.
                slug::take(tx, &app.clock, &channel.slug, channel.id).await?;
                if !slug::take(tx, &app.clock, wanted, channel.id).await? {
                    return Err(error::slug_taken());
                }
            }
            query::update(tx, channel.id, changes.clone()).await.map(Edit::Saved).map_err(taken_slug)
        })
        .await
}

/// Invites an instructor to teach in a channel. Inviting them again, or a member, changes nothing.
///
/// For an email address, only administrators learn whether an instructor has it; for others, nothing happens then.
///
/// # Errors
/// There is no such instructor; the channel has too many members; the actor may not change it.
pub async fn add_channel_member(app: &App, actor: &Actor, input: AddChannelMemberInput) -> Result<Channel> {
    let (inviter, now) = (viewer(actor)?, app.clock.now());
    let member = check_member(input.member)?;
    app.db
        .transaction(async |tx| {
            let channel = lock_editable(tx, actor, input.channel_id).await?;
            let invited = query::count_invited(tx, channel.id).await?;
            check_room(tx, channel.id, invited).await?;
            let user = match &member {
                ChannelMemberInput::UserId(id) => user_by_id(tx, *id).await?,
                ChannelMemberInput::Email(email) => user_by_email(tx, email).await?,
            };
            let Some(user) = user.filter(|user| user.role >= Role::Instructor) else {
                return match &member {
                    ChannelMemberInput::UserId(_) => Err(error::no_such_teacher()),
                    ChannelMemberInput::Email(_) if policy::can_see_addresses(actor) => Err(error::no_such_address()),
                    ChannelMemberInput::Email(_) => Ok(channel),
                };
            };
            if query::teaches_in(tx, user.id, channel.id).await? {
                return Ok(channel);
            }
            if query::invite(tx, channel.id, user.id, inviter, now).await? > 0 {
                let event = ChannelMemberInvited { channel_id: channel.id, user_id: user.id, invited_by: inviter };
                outbox::record(tx, &app.clock, &event).await?;
            }
            Ok(channel)
        })
        .await
}

/// Validates an email address and returns it as it is stored.
fn check_member(member: ChannelMemberInput) -> Result<ChannelMemberInput> {
    let ChannelMemberInput::Email(email) = member else { return Ok(member) };
    let mut check = Check::new();
    let email = check.part(&["member"], |check| check_email(check, "email", &email));
    check.finish()?;
    Ok(ChannelMemberInput::Email(email))
}

/// Makes the actor a member of a channel that they were invited to.
///
/// # Errors
/// There is no such invitation; the actor is not an instructor; the channel has too many members.
pub async fn accept_channel_invitation(
    app: &App,
    actor: &Actor,
    input: AcceptChannelInvitationInput,
) -> Result<Channel> {
    let (user, now) = (viewer(actor)?, app.clock.now());
    app.db
        .transaction(async |tx| {
            let channel = query::lock(tx, input.channel_id).await?.ok_or_else(error::no_invitation)?;
            if query::uninvite(tx, channel.id, user).await? == 0 {
                return Err(error::no_invitation());
            }
            check_room(tx, channel.id, 0).await?;
            query::join(tx, channel.id, user, now).await?;
            Ok(channel)
        })
        .await
}

/// Declines an invitation to a channel.
///
/// # Errors
/// There is no such invitation.
pub async fn decline_channel_invitation(
    app: &App,
    actor: &Actor,
    input: DeclineChannelInvitationInput,
) -> Result<Channel> {
    let user = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let channel = query::hold(tx, input.channel_id).await?.ok_or_else(error::no_invitation)?;
            match query::uninvite(tx, channel.id, user).await? {
                0 => Err(error::no_invitation()),
                _ => Ok(channel),
            }
        })
        .await
}

/// Checks that a channel has room for one more member besides those who are `invited`.
async fn check_room(tx: &mut Tx, channel: ChannelId, invited: i64) -> Result<()> {
    match query::count_members(tx, channel).await? + invited < MOST_MEMBERS {
        true => Ok(()),
        false => Err(error::too_many(format!("At most {MOST_MEMBERS} people teach in a channel."))),
    }
}

/// Gives an instructor their default channel. It is idempotent; for other users it does nothing.
///
/// # Errors
/// The database failed.
pub(crate) async fn provide_channel(app: &App, user: UserId) -> Result<()> {
    app.db
        .transaction(async |tx| {
            let user = user_by_id(tx, user).await?;
            if let Some(user) = user.filter(|user| user.role >= Role::Instructor) {
                own_channel(tx, &app.clock, user.id).await?;
            }
            Ok(())
        })
        .await
}

/// Removes a member from a channel, or revokes an invitation. The member's courses stay in it.
///
/// # Errors
/// The member is the owner; the actor may not change the channel and is not the member.
pub async fn remove_channel_member(app: &App, actor: &Actor, input: RemoveChannelMemberInput) -> Result<Channel> {
    app.db
        .transaction(async |tx| {
            let channel = query::lock(tx, input.channel_id).await?.ok_or_else(error::no_such_channel)?;
            if !policy::can_remove(actor, &channel, input.user_id) {
                return Err(error::not_yours());
            }
            if channel.owner_id == input.user_id {
                return Err(error::owner_stays());
            }
            query::uninvite(tx, channel.id, input.user_id).await?;
            query::leave(tx, channel.id, input.user_id).await?;
            Ok(channel)
        })
        .await
}

/// Follows a channel. Following it again changes nothing.
///
/// # Errors
/// There is no such channel; the caller is not signed in.
pub async fn follow_channel(app: &App, actor: &Actor, input: FollowChannelInput) -> Result<Channel> {
    let (user, now) = (viewer(actor)?, app.clock.now());
    app.db
        .transaction(async |tx| {
            let channel = query::hold(tx, input.channel_id).await?.ok_or_else(error::no_such_channel)?;
            if query::follow(tx, channel.id, user, now).await? > 0 {
                query::count_followers(tx, channel.id, 1).await?;
            }
            Ok(channel)
        })
        .await
}

/// Makes users follow channels, all of which exist, in one transaction. For the command line, where there is no actor.
///
/// Users who follow a channel already go on following it.
///
/// # Errors
/// The database failed.
pub async fn import_followers(app: &App, follows: &[(ChannelId, UserId)]) -> std::result::Result<(), InternalError> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            // In the order of their ids, so that two of these transactions cannot deadlock.
            let mut more: BTreeMap<Uuid, i32> = BTreeMap::new();
            for channel in query::import::follow_all(tx, follows, now).await? {
                *more.entry(channel.uuid()).or_default() += 1;
            }
            for (channel, more) in more {
                query::count_followers(tx, ChannelId::new(channel), more).await?;
            }
            Ok(())
        })
        .await
}

/// Unfollows a channel. If the actor does not follow it, nothing changes.
///
/// # Errors
/// There is no such channel; the caller is not signed in.
pub async fn unfollow_channel(app: &App, actor: &Actor, input: UnfollowChannelInput) -> Result<Channel> {
    let user = viewer(actor)?;
    app.db
        .transaction(async |tx| {
            let channel = query::hold(tx, input.channel_id).await?.ok_or_else(error::no_such_channel)?;
            if query::unfollow(tx, channel.id, user).await? > 0 {
                query::count_followers(tx, channel.id, -1).await?;
            }
            Ok(channel)
        })
        .await
}

/// Removes the followers of a deleted channel, in batches, then its description and image. It is idempotent.
///
/// # Errors
/// The database failed.
pub(crate) async fn remove_deleted(app: &App, channel: ChannelId) -> std::result::Result<(), InternalError> {
    while app.db.transaction(async |tx| query::forget_followers(tx, channel).await.map_err(InternalError::from)).await?
        > 0
    {}
    app.db
        .transaction(async |tx| {
            query::deleted::empty(tx, channel).await?;
            Ok(())
        })
        .await
}

/// Removes the data of a deleted user from the channels. It is idempotent.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget(app: &App, user: UserId) -> Result<()> {
    app.db
        .transaction(async |tx| {
            let mut followed = query::unfollow_all(tx, user).await?;
            query::forget(tx, &app.clock, user).await?;
            // In the order of their ids, so that two of these transactions cannot deadlock.
            followed.sort_by_key(|id| id.uuid());
            for id in followed {
                query::count_followers(tx, id, -1).await?;
            }
            Ok(())
        })
        .await
}

/// Returns the viewer's data in the channels, for an export.
///
/// These are the channels that they own, teach in, are invited to and follow.
///
/// # Errors
/// The caller is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let id = viewer(actor)?;
    let conn = app.db.read().await?;
    let taught = query::taught_in(&conn, id).await?;
    let invitations = query::invitations_of(&conn, id).await?;
    let everything = Page { limit: usize::try_from(FETCH - 1)?, backward: false, after: None, before: None };
    let followed = query::followed_by(&conn, id, &everything).await?;
    let owned = taught.iter().filter(|(channel, _)| channel.owner_id == id).map(|(channel, _)| {
        json!({
            "id": channel.id.encode(),
            "slug": channel.slug,
            "name": channel.name,
            "description": channel.description,
            "createdAt": channel.created_at,
        })
    });
    let memberships = taught.iter().map(|(channel, at)| json!({ "channelId": channel.id.encode(), "joinedAt": at }));
    let follows = followed.iter().map(|(channel, at)| json!({ "channelId": channel.id.encode(), "followedAt": at }));
    let invitations = invitations
        .iter()
        .map(|invitation| json!({ "channelId": invitation.channel_id.encode(), "sentAt": invitation.invited_at }));
    Ok(json!({
        "channels": items(owned),
        "memberships": items(memberships),
        "invitations": items(invitations),
        "follows": items(follows),
    }))
}

fn taken_slug(failed: diesel::result::Error) -> Error {
    if db::is_taken(&failed, "channels_slug_key") { error::slug_taken() } else { failed.into() }
}
