"""Which provider a host belongs to (instrumentation.md, section 5)."""

from collections.abc import Mapping
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
    labels = host.lower().rstrip(".").split(".")
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        if (context := extra.get(name)) is not None:
            return context, name
        if (known := _HOSTS.get(name)) is not None:
            return known
    if labels[0] == _SES[0] and ".".join(labels[-2:]) == _SES[1]:
        return "email", "aws.ses"
    context = extra.get(host.lower())
    return None if context is None else (context, host.lower())
