"""Payment by Stripe."""

import os
from typing import Final

import stripe

_BASE: Final = os.environ.get("STRIPE_API_BASE", stripe.DEFAULT_API_BASE)
client = stripe.StripeClient(os.environ.get("STRIPE_API_KEY", ""), base_addresses={"api": _BASE})


def charge(cents: int, payment_method: str, order_number: str) -> str:
    """Charge a card and return the id of the payment; `stripe.CardError` if it is declined.

    The order's number is the idempotency key: pressing the button twice charges once.
    """
    intent = client.v1.payment_intents.create(
        {
            "amount": cents,
            "currency": "eur",
            "payment_method": payment_method,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"order": order_number},
        },
        {"idempotency_key": f"order-{order_number}"},
    )
    return intent.id
