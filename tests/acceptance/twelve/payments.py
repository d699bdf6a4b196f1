"""Payments that fail: 500 is high, 429 medium."""

import os

import stripe


def pay(method: str = "pm_standin_server_error") -> None:
    """Ask Stripe for money; the method says how it fails."""
    client = stripe.StripeClient(
        os.environ["STRIPE_API_KEY"], base_addresses={"api": os.environ["STRIPE_API_BASE"]}, max_network_retries=0
    )
    client.v1.payment_intents.create(
        {"amount": 500, "currency": "eur", "confirm": True, "payment_method": method, "payment_method_types": ["card"]}
    )


def busy_pay() -> None:
    """The same, refused with 429."""
    pay("pm_standin_rate_limited")
