"""The active checks that the settings ask for."""

from otel_guard.health.checks import ai, cache, database, email, payment, storage
from otel_guard.health.checks._base import Check
from otel_guard.settings.checks import Checks


def listed(given: Checks) -> tuple[Check, ...]:
    """One check for each `[check.*]` table."""
    found: list[Check] = []
    if given.database is not None:
        found.append(database.check(given.database.url))
    if given.payment is not None:
        found.append(payment.check(given.payment.key, given.payment.url))
    keys = {"openai": given.openai, "anthropic": given.anthropic, "gemini": given.gemini}
    found += [ai.check(name, one.key, one.url) for name, one in keys.items() if one is not None]
    if given.storage is not None:
        found.append(storage.check(given.storage.bucket, given.storage.url))
    if given.email is not None and given.email.host is not None:
        found.append(email.check_host(given.email.host))
    elif given.email is not None and given.email.provider is not None and given.email.key is not None:
        found.append(email.check_api(given.email.provider, given.email.key, given.email.url))
    if given.cache is not None:
        found.append(cache.check(given.cache.url))
    return tuple(found)
