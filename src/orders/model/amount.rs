//! What the items of an order cost: price, discount and tax. All in minor units, without a rounding error in the sum.

use crate::config::payments::TaxRate;

/// What a coupon takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discount {
    /// So many percent of each item that it is for, 1 to 100.
    Percent(i16),
    /// This amount off all items that it is for together, in minor units; at most their price.
    Amount(i64),
}

/// The amounts of an item, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// What the coupon takes off.
    pub discount: i64,
    /// The tax in `total`.
    pub tax: i64,
    /// What is paid.
    pub total: i64,
}

/// An item of an order before discount and tax.
#[derive(Clone, Copy, Debug)]
pub struct Priced {
    /// The price in minor units.
    pub price: i64,
    /// Whether the discount is for it.
    pub(crate) is_discounted: bool,
    /// Whether it is taxed: a donation is not.
    pub(crate) is_taxed: bool,
}

/// Returns the amounts of items.
pub fn amounts(items: &[Priced], discount: Option<Discount>, tax: Option<TaxRate>) -> Vec<Amounts> {
    let eligible: Vec<i64> = items.iter().map(|item| if item.is_discounted { item.price } else { 0 }).collect();
    let discounts = match discount {
        None => vec![0; items.len()],
        Some(Discount::Percent(percent)) => {
            eligible.iter().map(|price| rounded(i128::from(*price) * i128::from(percent), 100)).collect()
        }
        Some(Discount::Amount(amount)) => spread(amount.min(eligible.iter().sum()), &eligible),
    };
    let amounts = |(item, discount): (&Priced, i64)| {
        let net = item.price - discount;
        let Some(rate) = tax.filter(|_| item.is_taxed) else { return Amounts { discount, tax: 0, total: net } };
        let share = i128::from(net) * i128::from(rate.hundredths);
        if rate.included {
            Amounts { discount, tax: rounded(share, 10_000 + i128::from(rate.hundredths)), total: net }
        } else {
            let tax = rounded(share, 10_000);
            Amounts { discount, tax, total: net + tax }
        }
    };
    items.iter().zip(discounts).map(amounts).collect()
}

/// Spreads an amount in proportion to what is left of each part, which together is at least the amount. The parts have
/// exactly that sum, and none is more than what is left of it.
pub(crate) fn spread(amount: i64, left: &[i64]) -> Vec<i64> {
    let (mut amount, mut whole) = (i128::from(amount), left.iter().map(|part| i128::from(*part)).sum::<i128>());
    let share = |left: &i64| {
        if whole == 0 {
            return 0;
        }
        // The rest is spread over the rest, so that rounding never loses a minor unit.
        let part = rounded(amount * i128::from(*left), whole);
        amount -= i128::from(part);
        whole -= i128::from(*left);
        part
    };
    left.iter().map(share).collect()
}

/// Divides, and rounds half up.
fn rounded(dividend: i128, divisor: i128) -> i64 {
    i64::try_from((dividend + divisor / 2) / divisor).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_spread_to_the_minor_unit_and_never_beyond_what_is_left() {
        for (amount, left, parts) in [
            (100, vec![100], vec![100]),
            (1, vec![100, 100], vec![1, 0]),
            (100, vec![100, 100, 100], vec![33, 34, 33]),
            (150, vec![50, 100], vec![50, 100]),
            (10, vec![0, 10, 0], vec![0, 10, 0]),
            (0, vec![0], vec![0]),
            (i64::MAX - 1, vec![i64::MAX - 1], vec![i64::MAX - 1]),
        ] {
            assert_eq!(spread(amount, &left), parts, "{amount} of {left:?}");
        }
        let left = [7, 11, 1, 0, 400];
        for amount in 0..=left.iter().sum() {
            let parts = spread(amount, &left);
            assert_eq!(parts.iter().sum::<i64>(), amount);
            assert!(parts.iter().zip(left).all(|(part, left)| (0..=left).contains(part)), "{amount}: {parts:?}");
        }
    }

    #[test]
    fn discount_comes_before_tax_and_the_parts_are_the_whole() {
        let rate = |hundredths, included| Some(TaxRate { hundredths, included });
        let percent = |percent| Some(Discount::Percent(percent));
        for (what, price, discount, tax, expected) in [
            ("nothing", 1990, None, None, (0, 0, 1990)),
            ("19 % within 19.90 EUR", 1990, None, rate(1900, true), (0, 318, 1990)),
            ("8.25 % on top of 19.90 USD", 1990, None, rate(825, false), (0, 164, 2154)),
            ("half, 19 % within", 1990, percent(50), rate(1900, true), (995, 159, 995)),
            ("a third of a cent", 1, percent(33), None, (0, 0, 1)),
            ("10 % on top of 1000 yen", 1000, None, rate(1000, false), (0, 100, 1100)),
            ("5 % on top of 1.995 dinars", 1995, None, rate(500, false), (0, 100, 2095)),
            ("more than the price", 500, Some(Discount::Amount(900)), rate(1900, true), (500, 0, 0)),
            ("all of it", 500, percent(100), rate(825, false), (500, 0, 0)),
        ] {
            let item = Priced { price, is_discounted: true, is_taxed: true };
            let Amounts { discount, tax, total } = amounts(&[item], discount, tax)[0];
            assert_eq!((discount, tax, total), expected, "{what}");
        }
        // An amount is spread over what it is for.
        let items = [(1000, true), (5000, false), (500, true)];
        let items = items.map(|(price, is_discounted)| Priced { price, is_discounted, is_taxed: is_discounted });
        let amounts = amounts(&items, Some(Discount::Amount(300)), rate(1000, false));
        let parts: Vec<(i64, i64)> = amounts.iter().map(|amounts| (amounts.discount, amounts.tax)).collect();
        assert_eq!(parts, [(200, 80), (0, 0), (100, 40)]);
    }
}
