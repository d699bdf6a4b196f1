"""Which provider a host belongs to (instrumentation.md, section 5)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from otel_guard.core.record import Context

Provider = tuple[Context, str]

# The host itself, and every host below it.
_HOSTS: Final[dict[str, Provider]] = {
    "stripe.com": ("payment", "stripe"),
    "paypal.com": ("payment", "paypal"),
    "adyen.com": ("payment", "adyen"),
    "adyenpayments.com": ("payment", "adyen"),
    "braintreegateway.com": ("payment", "braintree"),
    "braintree-api.com": ("payment", "braintree"),
    "squareup.com": ("payment", "square"),
    "squareupsandbox.com": ("payment", "square"),
    "api.openai.com": ("ai", "openai"),
    "openai.azure.com": ("ai", "azure.ai.openai"),
    "api.anthropic.com": ("ai", "anthropic"),
    "generativelanguage.googleapis.com": ("ai", "gcp.gemini"),
    "api.mistral.ai": ("ai", "mistral_ai"),
    "openrouter.ai": ("ai", "openrouter"),
    "api.resend.com": ("email", "resend"),
    "api.sendgrid.com": ("email", "sendgrid"),
    "api.eu.sendgrid.com": ("email", "sendgrid"),
    "api.postmarkapp.com": ("email", "postmark"),
    "api.mailgun.net": ("email", "mailgun"),
    "api.eu.mailgun.net": ("email", "mailgun"),
    "api.brevo.com": ("email", "brevo"),
    "api.sendinblue.com": ("email", "brevo"),
    "api.mailjet.com": ("email", "mailjet"),
}
_SES: Final = ("email", "amazonaws.com")


def provider_of(host: str, extra: Mapping[str, Context]) -> Provider | None:
    """Context and system of *host*; *extra* are hosts from the settings, whose system is their own name."""
    if extra:
        for name in _names(host):
            if (context := extra.get(name)) is not None:
                return context, name
    return _known(host)


@lru_cache(maxsize=1024)
def _known(host: str) -> Provider | None:
    names = _names(host)
    if names[0].startswith(f"{_SES[0]}.") and names[0].endswith(f".{_SES[1]}"):
        return "email", "aws.ses"
    return next((_HOSTS[name] for name in names if name in _HOSTS), None)


def _names(host: str) -> tuple[str, ...]:
    """The host itself, then every one above it."""
    labels = host.lower().rstrip(".").split(".")
    return tuple(".".join(labels[start:]) for start in range(max(1, len(labels))))
