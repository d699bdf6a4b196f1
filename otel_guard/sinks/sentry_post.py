"""One envelope to Sentry's endpoint, answered."""

import gzip

from otel_guard.runtime.clock import Clock
from otel_guard.runtime.http import Http, NoAnswerError
from otel_guard.sinks.sentry_answer import Answer, Later, read


class EnvelopePost:
    """Posts envelopes in the caller's thread, one try each."""

    def __init__(self, http: Http, url: str, auth: str, agent: str, clock: Clock) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._headers = {
            "Content-Type": "application/x-sentry-envelope",
            "Content-Encoding": "gzip",
            "User-Agent": agent,
            "X-Sentry-Auth": auth,
        }

    def __call__(self, envelope: bytes) -> Answer:
        """Post *envelope*; no answer means later."""
        try:
            response = self._http.post(self._url, gzip.compress(envelope, compresslevel=6, mtime=0), self._headers)
        except NoAnswerError as error:
            return Later(f"Sentry: {error}")
        return read(response, self._clock.now_ms())

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
