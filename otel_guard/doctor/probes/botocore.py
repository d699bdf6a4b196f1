"""botocore: an object that is read, and one that may not be."""

from typing import Any

import botocore.config  # type: ignore[import-untyped]
import botocore.session  # type: ignore[import-untyped]

from otel_guard.demo.standins.s3 import REFUSED, start

__all__ = ["failing", "good", "start"]


def good(server: Any) -> None:
    """It is read."""
    _read(server, "object")


def failing(server: Any) -> None:
    """It is refused."""
    _read(server, REFUSED)


def _read(server: Any, key: str) -> None:
    config = botocore.config.Config(
        s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=5
    )
    client = botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="doctor",
        aws_secret_access_key="doctor",  # noqa: S106 - of a stand-in
        config=config,
    )
    client.get_object(Bucket="doctor", Key=key)
