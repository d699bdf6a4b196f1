import pytest

from otel_guard.core.hosts import provider_of
from otel_guard.core.record import Context

EXTRA: dict[str, Context] = {"pay.example.com": "payment", "llm": "ai"}


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.stripe.com", ("payment", "stripe")),
        ("API.Stripe.com.", ("payment", "stripe")),
        ("shop.openai.azure.com", ("ai", "azure.ai.openai")),
        ("generativelanguage.googleapis.com", ("ai", "gcp.gemini")),
        ("storage.googleapis.com", None),
        ("email.eu-west-1.amazonaws.com", ("email", "aws.ses")),
        ("s3.eu-west-1.amazonaws.com", None),
        ("eu.pay.example.com", ("payment", "pay.example.com")),
        ("llm", ("ai", "llm")),
        ("notstripe.com", None),
        ("com", None),
        ("", None),
    ],
)
def test_a_host_belongs_to_its_provider(host: str, provider: tuple[str, str] | None) -> None:
    assert provider_of(host, EXTRA) == provider
