"""Where Sentry events go, and in whose name."""

from collections.abc import Callable
from typing import Any
from urllib.request import getproxies, proxy_bypass

from msgspec import Struct


class Target(Struct, frozen=True, kw_only=True):
    """A DSN with what the application's own client says about the way there."""

    dsn: str | None
    environment: str | None
    release: str | None
    before_send: Callable[[Any, Any], Any] | None = None
    http_proxy: str | None = None  # "": none, also not the environment's
    https_proxy: str | None = None
    ca_certs: str | None = None

    def proxy(self, scheme: str, host: str) -> str | None:
        """The proxy to *host*: the application's, else the environment's; as the SDK chooses it."""
        known = {} if proxy_bypass(host) else getproxies()
        if scheme == "https" and (found := _chosen(self.https_proxy, known.get("https"))):
            return found
        return _chosen(self.http_proxy, known.get("http"))


def _chosen(given: str | None, known: str | None) -> str | None:
    return known if given is None else given or None
