"""As much of S3 as one object: it is there, or the bucket refuses."""

from typing import Final

from otel_guard.demo.standins._http import Request, Response, serve

REFUSED: Final = "refused"  # a key that begins so
_DENIED: Final = (
    b"<?xml version='1.0' encoding='UTF-8'?>"
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>STANDIN</RequestId></Error>"
)


class S3:
    """`requests` has the method and path of each call."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        path = request.path.partition("?")[0]
        self.requests.append((request.method, path))
        headers = {"x-amz-request-id": "STANDIN", "Content-Type": "application/xml"}
        if path.rpartition("/")[2].startswith(REFUSED):
            return Response(403, _DENIED, headers)
        return Response(200, b"an object", headers | {"ETag": '"standin"'})


def start() -> S3:
    """Start it on a free port; its `url` is what `endpoint_url` takes."""
    return S3()
