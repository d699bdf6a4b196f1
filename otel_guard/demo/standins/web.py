"""A web server that answers 200, and 500 below `/broken`; it remembers what it was asked."""

from otel_guard.demo.standins._http import Request, Response, serve

BROKEN: str = "/broken"


class Web:
    """`requests` is everything that was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(500 if request.path.startswith(BROKEN) else 200, b"{}", {"Content-Type": "application/json"})


def start() -> Web:
    """Start it on a free port."""
    return Web()
