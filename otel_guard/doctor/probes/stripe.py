"""stripe: a payment, and a card that is declined."""

from typing import Any

import stripe

from otel_guard.demo.standins.stripe import start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It succeeds."""
    _pay(server, "pm_card_visa")


def failing(server: Any) -> None:
    """It is declined."""
    _pay(server, "pm_card_chargeDeclined")


def _pay(server: Any, method: str) -> None:
    # As every version from 8 on takes it; a client would need one of its several constructors.
    before = stripe.api_key, stripe.api_base, stripe.max_network_retries
    stripe.api_key, stripe.api_base, stripe.max_network_retries = "sk_doctor", server.url, 0
    try:
        stripe.PaymentIntent.create(amount=100, currency="eur", payment_method=method, confirm=True)
    finally:
        stripe.api_key, stripe.api_base, stripe.max_network_retries = before
