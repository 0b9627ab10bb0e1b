//! The providers that are set up.

use std::sync::Arc;

use rustls::RootCertStore;

use super::google_play::GooglePlay;
use super::paypal::PayPal;
use super::razorpay::Razorpay;
use super::sandbox::Sandbox;
use super::stripe::Stripe;
use super::{GatewayError, Provider};
use crate::config::gateways::Gateways;
use crate::platform::clock::Clock;
use crate::platform::internal_error::InternalError;

/// The providers that are set up.
pub struct Payments {
    sandbox: Option<Sandbox>,
    stripe: Option<Stripe>,
    razorpay: Option<Razorpay>,
    paypal: Option<PayPal>,
    google_play: Option<GooglePlay>,
}

/// A provider that is set up.
pub(super) enum Gateway<'a> {
    Sandbox(&'a Sandbox),
    Stripe(&'a Stripe),
    Razorpay(&'a Razorpay),
    Paypal(&'a PayPal),
}

impl Payments {
    /// Creates the providers; without any, no payments are taken. PayPal's certificates must go back to one of `roots`.
    ///
    /// # Errors
    /// No root certificates are installed on this machine, or the key for Google Play is malformed.
    pub fn new(
        sandbox: Option<Sandbox>,
        settings: &Gateways,
        roots: Arc<RootCertStore>,
        clock: &Clock,
    ) -> Result<Payments, InternalError> {
        let stripe = settings.stripe.clone().map(Stripe::new).transpose()?;
        let razorpay = settings.razorpay.clone().map(Razorpay::new).transpose()?;
        let paypal = settings.paypal.clone().map(|paypal| PayPal::new(paypal, roots)).transpose()?;
        let google_play = settings.google_play.clone().map(|play| GooglePlay::new(play, clock.clone())).transpose()?;
        Ok(Payments { sandbox, stripe, razorpay, paypal, google_play })
    }

    /// The providers that take payments.
    pub fn available(&self) -> Vec<Provider> {
        let all = [Provider::Sandbox, Provider::Stripe, Provider::Razorpay, Provider::Paypal];
        all.into_iter().filter(|provider| self.of(*provider).is_ok()).collect()
    }

    /// The school's account at a provider; `None` if that is not set up.
    pub fn account(&self, provider: Provider) -> Option<&str> {
        Some(match self.of(provider).ok()? {
            Gateway::Sandbox(sandbox) => sandbox.account(),
            Gateway::Stripe(stripe) => stripe.account(),
            Gateway::Razorpay(razorpay) => razorpay.account(),
            Gateway::Paypal(paypal) => paypal.account(),
        })
    }

    /// The provider of what is ordered without the buyer choosing one; `None` if none is set up.
    pub fn first(&self) -> Option<Provider> {
        self.available().into_iter().next()
    }

    /// The sandbox; `None` if it is off.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// Google Play, where apps sell; `None` if it is off.
    pub fn google_play(&self) -> Option<&GooglePlay> {
        self.google_play.as_ref()
    }

    /// Stripe, if it is set up.
    pub(super) fn stripe(&self) -> Result<&Stripe, GatewayError> {
        self.stripe.as_ref().ok_or(GatewayError::Off)
    }

    /// The provider, if it is set up.
    pub(super) fn of(&self, provider: Provider) -> Result<Gateway<'_>, GatewayError> {
        let gateway = match provider {
            Provider::Sandbox => self.sandbox.as_ref().map(Gateway::Sandbox),
            Provider::Stripe => self.stripe.as_ref().map(Gateway::Stripe),
            Provider::Razorpay => self.razorpay.as_ref().map(Gateway::Razorpay),
            Provider::Paypal => self.paypal.as_ref().map(Gateway::Paypal),
        };
        gateway.ok_or(GatewayError::Off)
    }
}
