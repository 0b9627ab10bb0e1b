//! What channels earn: statements, payouts, and what part of their sales is theirs.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, Stream};
use serde_json::json;

use super::ledger::enter;
use crate::accounts::{UserId, viewer};
use crate::channels::{self, Channel, ChannelId, OwnedBy};
use crate::graphql::YearMonth;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::loaders::Load;
use crate::graphql::money::Money;
use crate::graphql::{Error, Result};
use crate::orders::model::{
    Account, Earner, EarningsLine, Movement, Payout, Posting, RecordPayoutInput, SetChannelShareInput,
};
use crate::orders::query::ledger as rows;
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Link, Proof};
use crate::platform::csv::{Cell, write_row};
use crate::platform::db::is_taken;
use crate::platform::internal_error::InternalError;

/// How long the URL of a file is valid.
const URL_LIFETIME: TimeDelta = TimeDelta::hours(1);
const LONGEST_REFERENCE: usize = 200;

/// Records that a channel, which may be deleted, was paid its share of a month, by a transfer of the school's bank.
///
/// # Errors
/// The input is invalid; the month is not over, or was paid; more than is owed; the actor is not an administrator.
pub async fn record_payout(app: &App, actor: &Actor, client: &Client, input: RecordPayoutInput) -> Result<ChannelId> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    let admin = viewer(actor)?;
    let (now, currency) = (app.clock.now(), input.amount.currency);
    let mut check = Check::new();
    let amount_minor = input.amount.minor(&mut check, "amount");
    let reference = check.required("reference", &input.reference, LONGEST_REFERENCE);
    if input.month.bounds(app.config.time_zone).1 > now {
        check.error(UserErrorCode::OutOfRange, "month", "This month is not over.");
    }
    check.finish()?;
    app.db
        .transaction(async |tx| {
            // Payouts of a channel wait for each other, so that no more is paid than is owed.
            let channel = channels::lock_even_deleted(tx, input.channel_id).await?;
            let owed = rows::owed(tx, channel.id, currency).await?;
            if !(1..=owed).contains(&amount_minor) {
                return Err(error::not_owed(Money::new(owed.max(0), currency)));
            }
            let payout = Payout {
                id: app.clock.uuid(),
                channel_id: channel.id,
                month: input.month.first_day(),
                amount_minor,
                currency,
                reference: reference.clone(),
                recorded_by: admin,
                recorded_at: now,
            };
            rows::insert_payout(tx, &payout).await.map_err(|failed| {
                if is_taken(&failed, "payouts_channel_id_month_currency_key") {
                    return error::paid_out_already();
                }
                failed.into()
            })?;
            let posting =
                |account, amount_minor| Posting { account, channel_id: Some(channel.id), item_id: None, amount_minor };
            let postings = [posting(Account::Share, amount_minor), posting(Account::Bank, -amount_minor)];
            enter(tx, app, (Movement::Payout, payout.id, None), currency, &postings).await?;
            let details = json!({
                "channelId": channel.id.encode(),
                "month": input.month.to_string(),
                "amount": Money::new(amount_minor, currency).to_string(),
                "reference": reference,
            });
            let subject = Some(channel.owner_id.uuid());
            let entry = Entry { action: Action::PayoutRecorded, actor: actor.id(), subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            Ok(channel.id)
        })
        .await
}

/// Sets what part of its sales is a channel's, from the next payment on.
///
/// # Errors
/// The percentage is out of range; there is no such channel; the actor is not an administrator.
pub async fn set_channel_share(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: SetChannelShareInput,
) -> Result<Channel> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    let percent =
        input.percent.map(|percent| i16::try_from(percent).ok().filter(|percent| (0..=100).contains(percent)));
    if percent == Some(None) {
        let message = "A share is 0 to 100 percent.";
        return Err(Error::invalid(UserErrorCode::OutOfRange, &["percent"], message));
    }
    app.db
        .transaction(async |tx| {
            let channel = channels::lock_editable(tx, actor, input.channel_id).await?;
            rows::set_percent(tx, channel.id, percent.flatten()).await?;
            let details = json!({ "channelId": channel.id.encode(), "percent": input.percent });
            let subject = Some(channel.owner_id.uuid());
            let entry = Entry { action: Action::ChannelShareChanged, actor: actor.id(), subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(channel)
        })
        .await
}

/// What the URL of a statement proves.
fn state_of(earner: Earner, month: YearMonth) -> String {
    match earner {
        Earner::Channel(_) => format!("earnings/{month}"),
        Earner::Owner(_) => format!("earnings of all channels/{month}"),
    }
}

/// The URL of a statement as CSV, which is valid for an hour.
pub fn earnings_url(app: &App, earner: Earner, month: YearMonth) -> String {
    let id = match earner {
        Earner::Channel(channel) => channel.uuid(),
        Earner::Owner(user) => user.uuid(),
    };
    let token = app.codes.link(Proof::Download, id, app.clock.now() + URL_LIFETIME, &state_of(earner, month));
    format!("{}/earnings/{month}.csv?token={token}", app.config.public_url)
}

/// Returns a statement as CSV, batch by batch; `None` if the token of its URL is not valid, or not anymore.
pub fn earnings_file(
    app: &App,
    month: &str,
    token: &str,
) -> Option<impl Stream<Item = std::result::Result<String, InternalError>> + use<>> {
    let month = YearMonth::parse(month)?;
    let link = Link::parse(token)?;
    let proves =
        |earner: &Earner| app.codes.is_link(&link, Proof::Download, &state_of(*earner, month), app.clock.now());
    let earners = [Earner::Channel(ChannelId::new(link.id)), Earner::Owner(UserId::new(link.id))];
    let earner = earners.into_iter().find(proves)?;
    let (app, bounds) = (app.clone(), month.bounds(app.config.time_zone));
    Some(stream::try_unfold(Reading::Begin, move |reading| {
        let app = app.clone();
        async move { next_lines(&app, (earner, bounds), reading).await }
    }))
}

/// How far a file was read.
enum Reading {
    Begin,
    After(EarningsLine),
    End,
}

async fn next_lines(
    app: &App,
    (earner, bounds): (Earner, (DateTime<Utc>, DateTime<Utc>)),
    reading: Reading,
) -> std::result::Result<Option<(String, Reading)>, InternalError> {
    let mut out = String::new();
    let after = match reading {
        Reading::Begin => {
            write_row(&mut out, &["time", "what", "order", "item", "currency", "price", "share"].map(Cell::Plain));
            None
        }
        Reading::After(line) => Some(line),
        Reading::End => return Ok(None),
    };
    let channels = match earner {
        Earner::Channel(channel) => Arc::new(vec![channel]),
        Earner::Owner(user) => OwnedBy(user).load_one(app).await?.unwrap_or_default(),
    };
    let lines = rows::lines_of(&*app.db.read().await?, &channels, bounds, after.as_ref()).await?;
    for line in &lines {
        let decimal = |minor: i64| Money::new(minor, line.currency).decimal().to_string();
        write_row(
            &mut out,
            &[
                Cell::Plain(&line.recorded_at.to_rfc3339()),
                Cell::Plain(line.kind.as_str()),
                Cell::Plain(&line.number.to_string()),
                Cell::Text(&line.title),
                Cell::Plain(line.currency.code()),
                Cell::Plain(&decimal(line.gross)),
                Cell::Plain(&decimal(line.share)),
            ],
        );
    }
    let next = lines.into_iter().next_back().map_or(Reading::End, Reading::After);
    Ok(Some((out, next)))
}
