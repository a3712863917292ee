"""Whatever bytes come: what reads them understands them or names why not, and nothing else happens."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tapledger.errors import TapledgerError
from tapledger.wire import checkpoints, proofs
from tapledger.wire.codec import decode_event, unpack
from tapledger_central.classify import classify
from tests.wire.golden import make, make_messages
from tests.wire.mutations import Mutator, plain

SHORT, LONG = 3_000, 30_000


def read_one(mutator: Mutator) -> bool:
    """Read something mutated; return whether it could be read. Only errors of the product's own may come."""
    pick = mutator.random.choice
    read: Callable[[bytes], object]
    match mutator.random.randrange(4):
        case 0:
            message = pick(make_messages.MESSAGES)
            data = mutator.packed(plain(message))
            read = lambda raw: unpack(raw, type(message))  # noqa: E731
        case 1:
            raw = pick([*make.read().values(), *make_messages.V1])
            changed = mutator.value(msgspec.msgpack.decode(raw)) if mutator.random.random() < 0.7 else None
            data = mutator.raw(raw) if changed is None else msgspec.msgpack.encode(changed)
            read = decode_event
            assert classify(data, "k7m2p9qx", 1, 1).verdict in {"", *_VERDICTS}
        case 2:
            note = checkpoints.sign(checkpoints.Checkpoint("o", 3, bytes(32)), make_messages.KEY)
            key = make_messages.KEY.public_key().public_bytes_raw()
            data = mutator.raw(note.encode())
            read = lambda raw: checkpoints.read(raw.decode("utf-8", "replace"), "o", key)  # noqa: E731
        case _:
            text = proofs.Proof(1, [bytes(32)], "note", bytes(32), b"raw").text()
            data = mutator.raw(text.encode())
            read = lambda raw: proofs.read(raw.decode("utf-8", "replace"))  # noqa: E731
    try:
        read(data)
    except TapledgerError:
        return False
    return True


_VERDICTS = {"EVENT_UNREADABLE", "EVENT_MISPLACED", "EVENT_UNBALANCED", "EVENT_IMPOSSIBLE"}


def fuzzed(seed: int, count: int) -> int:
    mutator = Mutator(seed)
    return sum(read_one(mutator) for _ in range(count))


def test_whatever_bytes_come_are_read_or_refused_by_name() -> None:
    assert SHORT / 20 < fuzzed(5, SHORT) < SHORT * 19 / 20


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_whatever_bytes_come_are_read_or_refused_by_name_at_length(seed: int) -> None:
    assert fuzzed(1000 + seed, LONG) > 0


def test_a_reader_that_lets_the_librarys_errors_out_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tapledger.wire.codec._UNREADABLE", ())
    with pytest.raises(msgspec.DecodeError):
        fuzzed(5, SHORT)
