"""Records to payload bytes and back: msgpack arrays, one decoder a kind."""

from typing import Final

import msgspec

from otel_guard.core.record import Amendment, CallStats, Drops, ErrorRecord, Head, Record, Repeat, SlowCall

HEAD: Final = 1
KINDS: Final[dict[type, int]] = {ErrorRecord: 2, Amendment: 3, SlowCall: 4, CallStats: 5, Repeat: 6, Drops: 7}
KIND_NAMES: Final[dict[type, str]] = {
    ErrorRecord: "error",
    Amendment: "amendment",
    SlowCall: "slow",
    CallStats: "stats",
    Repeat: "repeat",
    Drops: "drops",
}

_encoder: Final = msgspec.msgpack.Encoder()
_decoders: Final[dict[int, msgspec.msgpack.Decoder[Record]]] = {
    kind: msgspec.msgpack.Decoder(record) for record, kind in KINDS.items()
}
_head_decoder: Final = msgspec.msgpack.Decoder(Head)


def encode(value: Record | Head) -> bytes:
    """Encode *value*; values must be JSON-like already."""
    return _encoder.encode(value)


def decode(kind: int, payload: bytes) -> Record:
    """Decode a record; KeyError for an unknown kind, msgspec.DecodeError for other bytes."""
    return _decoders[kind].decode(payload)


def decode_head(payload: bytes) -> Head:
    """Decode the first frame of a file; msgspec.DecodeError for other bytes."""
    return _head_decoder.decode(payload)
