"""The payment provider: Stripe's balance, which any key may ask for or is refused by name."""

from typing import Final

from otel_guard.core.dependency import PAYMENT
from otel_guard.health.checks._base import FORBIDDEN, Asks, Check, Found, http_check
from otel_guard.runtime.http import request

BASE: Final = "https://api.stripe.com"
TIMEOUT_S: Final = 3.0
EVERY_S: Final = 60.0


def check(key: str, base: str | None = None, *, ask: Asks = request) -> Check:
    """The check of `[check.payment]`."""
    url = f"{(base or BASE).rstrip('/')}/v1/balance"

    def run() -> Found:
        # A restricted key may not read the balance: its 403 comes from a Stripe that works.
        return http_check(
            "GET",
            url,
            {"Authorization": f"Bearer {key}"},
            TIMEOUT_S,
            reachable=lambda answer: answer.status == FORBIDDEN,
            ask=ask,
        )

    return Check(name=PAYMENT, run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S, is_critical=True)
