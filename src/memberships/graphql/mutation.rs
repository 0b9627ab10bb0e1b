//! The mutations of memberships. What moves money is done by orders.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::membership::MembershipObject;
use crate::graphql::context::{actor, app};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::money::Money;
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::memberships::command;
use crate::memberships::model::{
    CancelMembershipInput, ChangeMembershipInput, ConfirmPlayPurchaseInput, Membership, PauseMembershipInput,
    QuoteMembershipChangeInput, ResumeMembershipInput,
};
use crate::orders::{cancel_membership, change_membership, quote_membership_change};

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Cancel;
struct Pause;
struct Resume;
struct Change;
struct Confirm;

/// The payload of a mutation of a membership.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CancelMembershipPayload", params(Cancel)))]
#[graphql(concrete(name = "PauseMembershipPayload", params(Pause)))]
#[graphql(concrete(name = "ResumeMembershipPayload", params(Resume)))]
#[graphql(concrete(name = "ChangeMembershipPayload", params(Change)))]
#[graphql(concrete(name = "ConfirmPlayPurchasePayload", params(Confirm)))]
struct MembershipPayload<M: Send + Sync> {
    /// The membership; null if there are `userErrors`.
    membership: Option<Sequential<MembershipObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What a change of a membership would cost.
#[derive(SimpleObject)]
struct MembershipChangeQuote {
    /// The new price for an interval, with tax.
    price: Sequential<Money>,
    /// What is taken off it: by the second, what is left of the period that is paid, and of earlier changes.
    credit: Sequential<Money>,
    /// What is charged now, with tax; nothing if the change waits for the renewal, or the membership is in its trial.
    total: Sequential<Money>,
    /// What of the credit is left for later periods.
    credit_left: Sequential<Money>,
    /// When the new price is charged next; null if that is not known before this is paid.
    next_billing_at: Option<DateTime<Utc>>,
}

/// The payload of `quoteMembershipChange`.
#[derive(SimpleObject)]
struct QuoteMembershipChangePayload {
    /// What the change would cost; null if there are `userErrors`.
    quote: Option<Sequential<MembershipChangeQuote>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of memberships.
#[derive(Default)]
pub(super) struct MembershipMutation;

#[Object]
impl MembershipMutation {
    /// Cancels a membership; administrators may cancel any. It ends with the period that is paid for. One that waits
    /// for its payment, is past due or paused ends at once.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn cancel_membership(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership to cancel.")] input: CancelMembershipInput,
    ) -> Result<Option<Sequential<MembershipPayload<Cancel>>>> {
        answer(cancel_membership(app(ctx), actor(ctx), input.membership_id).await)
    }

    /// Pauses a membership that is active: access and renewal stop now, and the time that is left is kept.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn pause_membership(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership to pause.")] input: PauseMembershipInput,
    ) -> Result<Option<Sequential<MembershipPayload<Pause>>>> {
        answer(command::pause(app(ctx), actor(ctx), input).await)
    }

    /// Ends the pause of a membership, or takes its cancellation back before its period ends. One that waits for its
    /// payment stays as it is: pay at its `checkoutUrl`.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn resume_membership(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership to resume.")] input: ResumeMembershipInput,
    ) -> Result<Option<Sequential<MembershipPayload<Resume>>>> {
        answer(command::resume(app(ctx), actor(ctx), input).await)
    }

    /// Changes the price of a membership, to that of another plan or interval. At once: a new period begins when it is
    /// paid, and what is left of the current one, by the second, is taken off its price; if that is more, the rest is
    /// taken off later periods. `quoteMembershipChange` says what it costs. Without a stored payment, the order is paid
    /// at the membership's `checkoutUrl`.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn change_membership(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership and its new price.")] input: ChangeMembershipInput,
    ) -> Result<Option<Sequential<MembershipPayload<Change>>>> {
        answer(change_membership(app(ctx), actor(ctx), input.terms, input.expected_total).await)
    }

    /// Returns what a change of a membership would cost now, and changes nothing.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn quote_membership_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership and its new price.")] input: QuoteMembershipChangeInput,
    ) -> Result<Option<Sequential<QuoteMembershipChangePayload>>> {
        let (quoted, user_errors) = payload(quote_membership_change(app(ctx), actor(ctx), input.terms).await)?;
        let quote = quoted.map(|quoted| {
            Sequential(MembershipChangeQuote {
                price: Sequential(quoted.price),
                credit: Sequential(quoted.credit),
                total: Sequential(quoted.total),
                credit_left: Sequential(quoted.credit_left),
                next_billing_at: quoted.next_billing_at,
            })
        });
        Ok(Some(Sequential(QuoteMembershipChangePayload { quote, user_errors })))
    }

    /// Makes what the viewer has bought in an app on Google Play a membership, as soon as it is paid; the server asks
    /// Google about it, and acknowledges it. The app passes the viewer's `id` to Google as the obfuscated account id.
    /// Again, it brings the membership up to date.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn confirm_play_purchase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan and the purchase.")] input: ConfirmPlayPurchaseInput,
    ) -> Result<Option<Sequential<MembershipPayload<Confirm>>>> {
        answer(command::confirm_play_purchase(app(ctx), actor(ctx), input).await)
    }
}

fn answer<M: Send + Sync>(outcome: Result<Membership>) -> Result<Option<Sequential<MembershipPayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let membership = row.map(|row| Sequential(MembershipObject(Arc::new(row))));
    Ok(Some(Sequential(MembershipPayload { membership, user_errors, mutation: PhantomData })))
}
