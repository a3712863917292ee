"""Messages keep the bytes that were released, and are read with more or less in them than today."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.wire import asking, messages, proofs
from tests.wire.golden import make_messages
from tests.wire.golden.make_messages import MESSAGES

INSIDE = {"LedgerEvent", "SealedProfile", "Pending", "Verdict", "FeedRow", "ChainHead", "Report"}
"""What never travels by itself."""


def test_every_message_has_its_golden_bytes() -> None:
    assert make_messages.read() == make_messages.made()
    known = {
        name
        for module in (messages, asking, proofs)
        for name, item in vars(module).items()
        if isinstance(item, type) and issubclass(item, msgspec.Struct) and item.__module__ == module.__name__
    }
    assert known - INSIDE == {type(one).__name__ for one in MESSAGES}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_a_message_is_read_whatever_a_newer_side_adds(message: msgspec.Struct) -> None:
    raw = make_messages.read()[type(message).__name__]
    assert msgspec.msgpack.decode(raw, type=type(message)) == message
    more = msgspec.msgpack.decode(raw) | {"of tomorrow": {"a": [1, None]}}
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(more), type=type(message))
    assert _plain(read) == _plain(message)


def _plain(message: msgspec.Struct) -> object:
    """Return what a message says; a state that goes on as it came has many encodings."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(message))
