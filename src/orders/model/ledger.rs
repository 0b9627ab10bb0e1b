//! The books: accounts, entries, and what payments and refunds enter. All amounts are in minor units.
//!
//! Rounding: a channel's share is its percents of an item's amount without tax, rounded half up; the school keeps the
//! rest. Of a refund, tax and share are in proportion, by the difference of rounded sums ([`part_of`]); so an item that is
//! refunded in whatever steps leaves nothing behind. That is the same in currencies with 0, 2 and 3 decimals.

use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use uuid::Uuid;

use super::{OrderId, OrderItemId, part_of};
use crate::channels::ChannelId;
use crate::graphql::money::CurrencyCode;
use crate::platform::db::schema::{ledger_entries, ledger_transactions};
use crate::platform::db::stored_as_text;

/// An account of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Account {
    /// What the payment providers owe the school.
    Clearing,
    /// What the school earns.
    Revenue,
    /// What the school owes the state.
    Tax,
    /// What the school owes a channel.
    Share,
    /// What has left the school's bank account.
    Bank,
}

stored_as_text!(Account {
    Clearing = "CLEARING",
    Revenue = "REVENUE",
    Tax = "TAX",
    Share = "SHARE",
    Bank = "BANK",
});

/// What moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Movement {
    /// An order was paid.
    Payment,
    /// Money goes back.
    Refund,
    /// A refund has failed: its money stays.
    RefundFailed,
    /// A bank has taken money back, until the dispute is decided.
    Dispute,
    /// A dispute was decided. If it was lost, a refund follows.
    DisputeClosed,
    /// A channel was paid its share.
    Payout,
}

stored_as_text!(Movement {
    Payment = "PAYMENT",
    Refund = "REFUND",
    RefundFailed = "REFUND_FAILED",
    Dispute = "DISPUTE",
    DisputeClosed = "DISPUTE_CLOSED",
    Payout = "PAYOUT",
});

/// A transaction of the books.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = ledger_transactions)]
pub(crate) struct NewTransaction {
    pub id: Uuid,
    pub kind: Movement,
    /// The order, the refund, the dispute or the payout.
    pub(crate) source_id: Uuid,
    pub order_id: Option<OrderId>,
    pub recorded_at: DateTime<Utc>,
}

/// An entry of a transaction.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = ledger_entries)]
pub(crate) struct NewEntry {
    pub id: Uuid,
    pub(crate) transaction_id: Uuid,
    pub(crate) account: Account,
    pub(crate) channel_id: Option<ChannelId>,
    pub item_id: Option<OrderItemId>,
    pub amount_minor: i64,
    pub currency: CurrencyCode,
    pub recorded_at: DateTime<Utc>,
}

/// What an entry says: a debit is positive, a credit negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = ledger_entries, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Posting {
    pub(crate) account: Account,
    pub(crate) channel_id: Option<ChannelId>,
    pub item_id: Option<OrderItemId>,
    pub amount_minor: i64,
}

/// An item that was paid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sold {
    pub item: OrderItemId,
    /// What was paid, with the tax.
    pub amount: i64,
    pub tax: i64,
    /// The channel that it belongs to, and what part of it is the channel's, in percent.
    pub channel: Option<(ChannelId, i16)>,
}

/// Returns what the payment of an item enters.
pub(crate) fn sale_postings(sold: Sold) -> Vec<Posting> {
    let net = sold.amount - sold.tax;
    let share = sold.channel.map_or(0, |(_, percent)| part_of(net, 100, 0, i64::from(percent)));
    balanced(sold.item, sold.channel.map(|(channel, _)| channel), sold.amount, sold.tax, share)
}

/// Returns what a refund of a part of an item enters, after other refunds of `before` in all. `paid` has what the payment
/// of the item has entered.
pub(crate) fn return_postings(item: OrderItemId, paid: &[Posting], before: i64, part: i64) -> Vec<Posting> {
    let of = |account: Account| -> i64 {
        paid.iter().filter(|posting| posting.account == account).map(|posting| posting.amount_minor).sum()
    };
    let (whole, channel) = (of(Account::Clearing), paid.iter().find_map(|posting| posting.channel_id));
    let tax = part_of(-of(Account::Tax), whole, before, part);
    let share = part_of(-of(Account::Share), whole, before, part);
    negated(&balanced(item, channel, part, tax, share))
}

/// Returns the opposite of entries.
pub(crate) fn negated(postings: &[Posting]) -> Vec<Posting> {
    postings.iter().map(|posting| Posting { amount_minor: -posting.amount_minor, ..*posting }).collect()
}

/// The entries of an amount that came in for an item, of which the school keeps what is neither tax nor share.
fn balanced(item: OrderItemId, channel_id: Option<ChannelId>, amount: i64, tax: i64, share: i64) -> Vec<Posting> {
    let posting = |account, amount_minor| Posting { account, channel_id, item_id: Some(item), amount_minor };
    let all = [
        posting(Account::Clearing, amount),
        posting(Account::Tax, -tax),
        posting(Account::Share, -share),
        posting(Account::Revenue, tax + share - amount),
    ];
    all.into_iter().filter(|posting| posting.amount_minor != 0).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::graphql::Id;

    fn sold(amount: i64, tax: i64, percent: Option<i16>) -> Sold {
        let channel = percent.map(|percent| (Id::new(Uuid::from_u128(2)), percent));
        Sold { item: Id::new(Uuid::from_u128(1)), amount, tax, channel }
    }

    fn sums(postings: &[Posting]) -> HashMap<Account, i64> {
        let mut sums = HashMap::new();
        for posting in postings {
            *sums.entry(posting.account).or_default() += posting.amount_minor;
        }
        sums
    }

    #[test]
    fn a_sale_is_split_into_tax_share_and_revenue() {
        for (amount, tax, percent, expected) in [
            (1990, 318, Some(70), (318, 1170, 502)),
            (1990, 0, None, (0, 0, 1990)),
            (1, 0, Some(50), (0, 1, 0)),
            (3, 0, Some(50), (0, 2, 1)),
            (100, 100, Some(70), (100, 0, 0)),
            (1995, 95, Some(100), (95, 1900, 0)),
            (0, 0, Some(70), (0, 0, 0)),
        ] {
            let sums = sums(&sale_postings(sold(amount, tax, percent)));
            let of = |account| -sums.get(&account).copied().unwrap_or_default();
            let split = (of(Account::Tax), of(Account::Share), of(Account::Revenue));
            assert_eq!(split, expected, "{amount} {tax} {percent:?}");
            assert_eq!(-of(Account::Clearing), amount);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_refunded_the_books_are_balanced_and_empty_in_the_end(
            amount in 0..1_000_000_000_i64,
            tax in 0..100_i64,
            percent in proptest::option::of(0..=100_i16),
            steps in proptest::collection::vec(1..1_000_000_i64, 0..12),
        ) {
            let sold = sold(amount, amount * tax / 100, percent);
            let paid = sale_postings(sold);
            prop_assert_eq!(sums(&paid).values().sum::<i64>(), 0);
            let (mut before, mut all) = (0, paid.clone());
            for step in steps.into_iter().map(|step| step * amount / 1_000_000).chain([amount]) {
                let part = step.min(amount - before);
                let refunded = return_postings(sold.item, &paid, before, part);
                prop_assert_eq!(refunded.iter().map(|posting| posting.amount_minor).sum::<i64>(), 0);
                all.extend(refunded);
                before += part;
            }
            prop_assert!(sums(&all).values().all(|sum| *sum == 0), "{:?}", all);
        }
    }
}
