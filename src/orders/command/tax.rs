//! The tax of what is ordered: by the rates of the settings, or as Stripe Tax calculates it.
//!
//! Stripe is asked outside of transactions. What is priced under locks needs a calculation of exactly these amounts:
//! without one it fails, which undoes the transaction; Stripe is asked, and it is priced again
//! ([`Calculations::after`]). So the tax is always that of what is ordered.

use std::fmt;

use crate::config::payments::Taxes;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Error, Result};
use crate::orders::error;
use crate::orders::model::{Amounts, Discount, Priced, amounts};
use crate::platform::App;
use crate::platform::payments::GatewayError;
use crate::platform::payments::stripe::tax::{self, Basket, Calculation};

/// How often Stripe is asked for one order: its price may change meanwhile, and the quote of a change has two.
const MOST_QUESTIONS: usize = 6;

/// Who is taxed.
#[derive(Clone, Copy)]
pub(super) struct Taxed<'a> {
    /// The country (ISO 3166-1, two letters).
    pub(super) country: &'a str,
    /// The tax number.
    pub(super) tax_id: Option<&'a str>,
    /// What is paid in.
    pub(super) currency: CurrencyCode,
}

/// How an order is taxed.
#[derive(Clone, Debug)]
pub(super) struct OrderTax {
    /// Whether the tax is in the prices already; otherwise it is added to them.
    pub(super) is_included: bool,
    /// The rate in hundredths of a percent, if there is one for all items.
    pub(super) rate: Option<u32>,
    /// Stripe's id of what it has calculated.
    pub(super) calculation: Option<String>,
}

impl OrderTax {
    /// Nothing is taxed.
    pub(super) fn none() -> OrderTax {
        OrderTax { is_included: true, rate: None, calculation: None }
    }
}

/// Whether a tax is added to prices in a country: what is bought there costs more than its price.
pub(super) fn adds_tax(app: &App, country: &str) -> bool {
    match &app.config.payments.taxes {
        Taxes::Rates(rates) => rates.get(country).is_some_and(|rate| !rate.included),
        Taxes::Stripe { added_in } => added_in.contains(country),
    }
}

/// What Stripe has calculated for an order that is about to be placed; nothing while the settings have the rates.
#[derive(Default)]
pub(super) struct Calculations {
    known: Vec<(Basket, Calculation)>,
}

/// The error of what cannot be priced before Stripe has calculated its tax.
#[derive(Debug)]
struct NotCalculated(Basket);

impl fmt::Display for NotCalculated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tax is not calculated")
    }
}

impl std::error::Error for NotCalculated {}

impl Calculations {
    /// Returns what items cost with their tax. What is not taxed, and what costs nothing, needs no calculation.
    ///
    /// # Errors
    /// The tax is to be calculated first; pass the error to [`Calculations::after`].
    pub(super) fn price(
        &self,
        app: &App,
        buyer: Taxed<'_>,
        items: &[Priced],
        discount: Option<Discount>,
    ) -> Result<(Vec<Amounts>, OrderTax)> {
        let added_in = match &app.config.payments.taxes {
            Taxes::Rates(rates) => {
                let rate = rates.get(buyer.country).copied();
                let is_included = rate.is_none_or(|rate| rate.included);
                let tax = OrderTax { is_included, rate: rate.map(|rate| rate.hundredths), calculation: None };
                return Ok((amounts(items, discount, rate), tax));
            }
            Taxes::Stripe { added_in } => added_in,
        };
        let is_included = !added_in.contains(buyer.country);
        let untaxed = amounts(items, discount, None);
        let taxed = items.iter().zip(&untaxed).map(|(item, net)| if item.is_taxed { net.total } else { 0 });
        let basket = Basket {
            country: buyer.country.to_owned(),
            tax_id: buyer.tax_id.map(str::to_owned),
            currency: buyer.currency.code(),
            is_included,
            amounts: taxed.collect(),
        };
        if basket.amounts.iter().all(|amount| *amount == 0) {
            return Ok((untaxed, OrderTax { is_included, rate: None, calculation: None }));
        }
        let Some((_, calculation)) = self.known.iter().find(|(known, _)| *known == basket) else {
            return Err(NotCalculated(basket).into());
        };
        let amounts = untaxed.iter().zip(&calculation.taxes).map(|(net, tax)| {
            let total = if is_included { net.total } else { net.total + tax };
            Amounts { discount: net.discount, tax: *tax, total }
        });
        let tax = OrderTax { is_included, rate: None, calculation: Some(calculation.id.clone()) };
        Ok((amounts.collect(), tax))
    }

    /// Returns what was done, or `None` if it is to be done again, because Stripe has calculated its tax only now.
    ///
    /// # Errors
    /// That of what was done; Stripe cannot say what tax is due.
    pub(super) async fn after<T>(&mut self, app: &App, outcome: Result<T>) -> Result<Option<T>> {
        let failed = match outcome {
            Ok(done) => return Ok(Some(done)),
            Err(failed) => failed,
        };
        let Some(basket) = basket_of(&failed) else { return Err(failed) };
        drop(failed);
        if self.known.len() >= MOST_QUESTIONS {
            return Err(error::no_tax_now());
        }
        let calculation = tax::calculate(app, &basket).await.map_err(|error| untaxable(&error))?;
        self.known.push((basket, calculation));
        Ok(None)
    }
}

/// Returns what is to be calculated, if an error says so.
fn basket_of(failed: &Error) -> Option<Basket> {
    match failed {
        Error::Internal(error) => error.downcast_ref::<NotCalculated>().map(|missing| missing.0.clone()),
        _ => None,
    }
}

/// What a buyer can do if Stripe does not say what tax is due. Nothing is sold without.
fn untaxable(failed: &GatewayError) -> Error {
    match failed {
        GatewayError::Refused(why) if why.starts_with("tax_id_invalid") => error::bad_tax_id(),
        GatewayError::Refused(why) if why.starts_with("customer_tax_location_invalid") => error::untaxable_country(),
        _ => {
            tracing::error!(error = %failed, "Stripe Tax does not say what tax is due");
            error::no_tax_now()
        }
    }
}
