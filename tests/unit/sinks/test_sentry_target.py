from typing import Any

import pytest

from otel_guard.sinks.sentry_target import Target


@pytest.mark.parametrize(
    ("given", "scheme", "host", "expected"),
    [
        ({}, "https", "sentry.example", "http://env:1"),
        ({}, "http", "sentry.example", None),
        ({}, "https", "inside.example", None),
        ({"https_proxy": "http://mine:2"}, "https", "inside.example", "http://mine:2"),
        ({"https_proxy": ""}, "https", "sentry.example", None),
        ({"http_proxy": "http://plain:3"}, "http", "sentry.example", "http://plain:3"),
        ({"https_proxy": "", "http_proxy": "http://plain:3"}, "https", "sentry.example", "http://plain:3"),
    ],
)
def test_the_proxy_is_the_applications_else_the_environments(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], scheme: str, host: str, expected: str | None
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://env:1")
    monkeypatch.setenv("no_proxy", "inside.example")

    assert Target(dsn=None, environment=None, release=None, **given).proxy(scheme, host) == expected
