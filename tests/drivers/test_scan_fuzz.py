"""Whatever bytes a scanner sends: an answer, in time, and nothing kept."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest

from tapledger_drivers.ports import Scan, ScanRefused
from tapledger_drivers.scanners import gs1, symbologies
from tapledger_drivers.scanners.framing import KEYBOARD_ENDS, SERIAL_ENDS, Framer
from tapledger_drivers.scanners.reading import CodeFormat, CodeReader
from tapledger_drivers.traffic import Traffic
from tests.drivers.own_time import OwnTime

CASES = 10_000
LONG_CASES = 1_000_000
CASE_S_MAX = 0.1
GROWTH_BYTES_MAX = 256 * 1024
TRAFFIC_BYTES = 4096

_SEEDS = (
    b"]C10106901234567892\x1d10AB-1\x1d17261231",
    b"]d2010690123456789221S9\x1d3103001250",
    b"]E06901234567892\r\n",
    "]Q1会员李".encode(),
    "]Q1会员李".encode("gb18030"),
    b"4111111111111111\r",
    b"]Q3" + b"9" * 600,
    b"\x02TC1:ABCDEFGHIJKLMNOP\x03\r",
)


def mutated(rng: random.Random) -> bytes:
    """Return noise, or a good code with a few bytes changed, moved, doubled or left out."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(120))
    code = bytearray(rng.choice(_SEEDS))
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(code) + 1)
        match rng.randrange(4):
            case 0:
                code[at:at] = rng.randbytes(1)
            case 1:
                del code[at : at + rng.randrange(4)]
            case 2:
                code[at:at] = code[at : at + rng.randrange(20)]
            case _:
                code[at:at] = rng.choice((b"\x1d", b"\r", b"01", b"]", "李".encode(), b"\xff"))
    return bytes(code)


def run(cases: int, seed: int) -> None:
    rng = random.Random(seed)
    traffic = Traffic(time.monotonic, TRAFFIC_BYTES)
    formats = (CodeFormat(), CodeFormat(prefix=b"\x02", suffix=b"\x03\r"), CodeFormat(encoding="utf-8"))
    readers = [CodeReader(one, traffic) for one in formats]
    framers = [
        Framer(one.suffix, ends=ends)
        for one, ends in zip(formats, (SERIAL_ENDS, SERIAL_ENDS, KEYBOARD_ENDS), strict=True)
    ]
    own, before = OwnTime(), 0
    tracemalloc.start()
    try:
        for case in range(cases):
            data, which = mutated(rng), rng.randrange(len(framers))
            with own:
                framed = [*framers[which].feed(data)]
                if rng.random() < 0.3:
                    framed += framers[which].silence()
                for one in framed:
                    event = readers[which].read(one)
                    assert isinstance(event, Scan | ScanRefused)
                    if isinstance(event, Scan):
                        assert symbologies.split_aim_id(event.aim_id + event.text)[0] or not event.aim_id
                gs1.parse(data.decode("latin-1"))
            if case == cases // 10:
                before = tracemalloc.get_traced_memory()[0]
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert own.slowest_s < CASE_S_MAX
    assert grown < GROWTH_BYTES_MAX + sum(map(len, traffic.secrets()))


def test_any_bytes_are_answered() -> None:
    run(CASES, seed=4)


@pytest.mark.long
def test_a_million_of_any_bytes_are_answered() -> None:
    run(LONG_CASES, seed=27)
