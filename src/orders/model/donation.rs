//! Donations that are repeated each month.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Months, TimeZone, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;

use super::OrderId;
use crate::accounts::UserId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{donation_orders, donations};
use crate::platform::payments::Provider;

/// How many donations in succession may not be paid: then they end.
const MOST_FAILURES: i16 = 3;

/// The id of a repeated donation: `donation_01j…`.
pub type DonationId = Id<Donation>;

/// A donation that is repeated each month. Each is an order of its own.
#[derive(Clone, Debug, AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = donations, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
pub struct Donation {
    /// The id.
    pub id: DonationId,
    /// Who donates.
    pub donor_id: UserId,
    /// Their country (ISO 3166-1, two letters).
    pub(crate) country: String,
    /// The amount of each in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: CurrencyCode,
    /// The provider at which the first one was paid.
    pub provider: Option<Provider>,
    /// The provider's id of the checkout that is charged again; `None` if each is paid on a page.
    pub authorization_id: Option<String>,
    /// When the first one was paid; `None` until then.
    pub started_at: Option<DateTime<Utc>>,
    /// When the next one is ordered; `None` while one waits for its payment, and after the end.
    pub next_at: Option<DateTime<Utc>>,
    /// How many in succession were not paid.
    pub(crate) failures: i16,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When it ended: it was canceled, or not paid too often.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Entity for Donation {
    const PREFIX: &'static str = "donation";
}

/// An order of a repeated donation.
#[derive(Insertable)]
#[diesel(table_name = donation_orders)]
pub(crate) struct NewDonationOrder {
    pub order_id: OrderId,
    pub(crate) donation_id: DonationId,
    /// Whether it is not known yet what becomes of it.
    pub(crate) is_open: bool,
}

/// The state of a repeated donation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DonationStatus {
    /// The first one waits for its payment.
    Pending,
    /// It is repeated each month.
    Active,
    /// It was canceled, or was not paid three times in succession, or not at all.
    Ended,
}

/// The input of `cancelDonation`.
#[derive(Clone, Debug, InputObject)]
pub struct CancelDonationInput {
    /// The donation.
    pub(crate) donation_id: DonationId,
}

/// How the order of a month was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Donated {
    /// When.
    pub at: DateTime<Utc>,
    /// Where.
    pub provider: Option<Provider>,
    /// What can be charged again, if it is new.
    pub authorization_id: Option<String>,
}

impl Donation {
    /// The state.
    pub fn status(&self) -> DonationStatus {
        match (self.ended_at, self.started_at) {
            (Some(_), _) => DonationStatus::Ended,
            (None, None) => DonationStatus::Pending,
            (None, Some(_)) => DonationStatus::Active,
        }
    }

    /// Ends it.
    pub fn end(&mut self, now: DateTime<Utc>) {
        self.ended_at = Some(now);
        self.next_at = None;
    }

    /// Does what follows when it is known what has become of an order: `paid` says how it was paid, `None` that it was
    /// not.
    pub fn follow(&mut self, paid: Option<Donated>, now: DateTime<Utc>, zone: Tz) {
        match paid {
            Some(paid) => {
                if self.started_at.is_none() && self.failures > 0 {
                    // It has ended only because this did not come.
                    self.ended_at = None;
                }
                self.started_at = self.started_at.or(Some(paid.at));
                self.provider = paid.provider.or(self.provider);
                self.authorization_id = paid.authorization_id.or(self.authorization_id.take());
                self.failures = 0;
            }
            None if self.ended_at.is_some() => {}
            None => self.failures += 1,
        }
        match self.started_at.filter(|_| self.ended_at.is_none() && self.failures < MOST_FAILURES) {
            Some(started) => {
                // What comes late does not take the place of the next one.
                self.next_at = Some(self.next_at.unwrap_or_else(|| next_month(started, now, zone)));
            }
            None => self.end(self.ended_at.unwrap_or(now)),
        }
    }
}

/// Returns when the first month after `now` begins, counted from `start` in the school's time zone.
fn next_month(start: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let local = start.with_timezone(&zone).naive_local();
    let after = |months: u32| {
        let at = local.checked_add_months(Months::new(months))?;
        // In the hour that the clock skips, the time in UTC is the same.
        zone.from_local_datetime(&at)
            .earliest()
            .map_or_else(|| start.checked_add_months(Months::new(months)), |at| Some(at.to_utc()))
    };
    (1..).map_while(after).find(|at| *at > now).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_counted_from_the_first_donation() {
        for (now, next) in [
            ("2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z"),
            ("2026-02-28T12:00:00Z", "2026-03-31T11:00:00Z"),
            ("2026-09-02T00:00:00Z", "2026-09-30T11:00:00Z"),
        ] {
            assert_eq!(next_month(at("2026-01-31T12:00:00Z"), at(now), chrono_tz::Europe::Berlin), at(next), "{now}");
        }
    }

    #[test]
    fn a_donation_ends_when_three_in_succession_are_not_paid() {
        let now = at("2026-11-20T09:00:00Z");
        let mut donation = Donation {
            id: Id::new(Uuid::nil()),
            donor_id: Id::new(Uuid::nil()),
            country: "DE".into(),
            amount_minor: 700,
            currency: CurrencyCode::USD,
            provider: None,
            authorization_id: None,
            started_at: None,
            next_at: None,
            failures: 0,
            created_at: now,
            ended_at: None,
        };
        let mut unpaid = donation.clone();
        unpaid.follow(None, now, Tz::UTC);
        assert_eq!(unpaid.status(), DonationStatus::Ended, "it was not begun");
        let paid = |authorization: Option<&str>| {
            let authorization_id = authorization.map(str::to_owned);
            Some(Donated { at: now, provider: Some(Provider::Sandbox), authorization_id })
        };
        unpaid.follow(paid(None), now, Tz::UTC);
        assert_eq!(unpaid.status(), DonationStatus::Active, "the money has come late");
        let mut canceled = donation.clone();
        canceled.end(now);
        for outcome in [None, paid(None)] {
            canceled.follow(outcome, now, Tz::UTC);
            assert_eq!(canceled.status(), DonationStatus::Ended, "the donor has ended it");
        }
        donation.follow(paid(Some("first")), now, Tz::UTC);
        for outcome in [None, None, paid(None), None, None] {
            donation.follow(outcome, now, Tz::UTC);
            assert_eq!(donation.status(), DonationStatus::Active);
            assert_eq!(donation.next_at, Some(at("2026-12-20T09:00:00Z")));
        }
        assert_eq!(donation.authorization_id.as_deref(), Some("first"));
        donation.follow(None, now, Tz::UTC);
        assert_eq!((donation.status(), donation.next_at), (DonationStatus::Ended, None));
        // What is paid late changes that no more.
        donation.follow(paid(None), now, Tz::UTC);
        assert_eq!((donation.status(), donation.next_at), (DonationStatus::Ended, None));
    }
}
