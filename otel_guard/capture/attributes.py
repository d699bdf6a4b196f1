"""A span's attributes as a plain dict: OTel's own mapping costs a Python call a look-up."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otel_guard.runtime.private import OTEL_ATTRIBUTES, OTEL_ATTRIBUTES_DICT


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    """The attributes of *span*, not to be changed."""
    plain = getattr(getattr(span, OTEL_ATTRIBUTES, None), OTEL_ATTRIBUTES_DICT, None)
    return plain if type(plain) is dict else span.attributes or {}
