import pytest

from otel_guard.core.classify import Call
from otel_guard.core.dependency import dependency_of, label_of, sign_of, words_of


def call(**given: object) -> Call:
    usual: dict[str, object] = {
        "kind": "CLIENT",
        "context": "payment",
        "system": "stripe",
        "operation": "charge",
        "outcome": "failed",
        "error_class": None,
        "duration_ms": 1500.0,
        "ended_ms": 0,
        "route": None,
        "name": "n",
    }
    return Call(**(usual | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"context": "database", "system": "postgresql"}, "database"),
        ({"context": "payment"}, "payment"),
        ({"context": "ai", "system": "anthropic"}, "ai.anthropic"),
        ({"context": "ai", "system": None}, None),
        ({"context": "storage"}, "storage"),
        ({"context": "email"}, "email"),
        ({"context": "cache"}, "cache"),
        ({"context": "api", "system": "http"}, None),
        ({"context": "other"}, None),
        ({"context": "queue", "kind": "CONSUMER"}, None),
        ({"context": "payment", "kind": "SERVER"}, None),
    ],
)
def test_a_call_tells_of_what_it_called(given: dict[str, object], expected: str | None) -> None:
    assert dependency_of(call(**given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"outcome": "ok"}, "ok"),
        ({"outcome": "partial", "error_class": "rejected"}, "ok"),
        ({"outcome": "cancelled", "error_class": "connection"}, None),
        ({"error_class": "connection"}, "failed"),
        ({"error_class": "server"}, "failed"),
        ({"error_class": "rate_limit"}, "failed"),
        ({"error_class": "quota"}, "failed"),
        ({"error_class": "timeout"}, "failed"),
        ({"error_class": "timeout", "duration_ms": 900.0}, None),
        ({"error_class": "auth"}, "credentials"),
        ({"error_class": "client"}, None),
        ({"error_class": "contention"}, None),
        ({"error_class": "declined"}, None),
        ({"error_class": "content", "context": "ai"}, None),
        ({"error_class": "constraint", "context": "database"}, None),
        ({"error_class": "config", "context": "database"}, "failed"),
        ({"error_class": "config", "context": "ai"}, None),
        ({"error_class": "unknown"}, None),
        ({"error_class": None}, None),
    ],
)
def test_only_what_the_peer_is_to_blame_for_is_a_failure(given: dict[str, object], expected: str | None) -> None:
    assert sign_of(call(**given)) == expected


def test_a_provider_is_shown_by_its_label() -> None:
    assert [label_of(f"ai.{name}") for name in ("openai", "anthropic", "gcp.gemini", "mistral_ai")] == [
        "openai",
        "claude",
        "gemini",
        "mistral_ai",
    ]


def test_a_database_without_connections_is_not_down() -> None:
    assert words_of("quota", "database") == "pool exhausted"
    assert words_of("quota", "ai.openai") == "quota used up"
    assert words_of(None, "email") == "failing"
