"""Whatever bytes a Star printer sends: taken in time, without a crash, and nothing is kept."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.printers.star_raster import ETB, safe_row
from tapledger_drivers.printers.star_status import StarStatus, StatusParser, status_bytes
from tests.drivers.own_time import OwnTime

CASES = 10_000
LONG_CASES = 1_000_000
CASE_S_MAX = 0.1
GROWTH_BYTES_MAX = 128 * 1024
MODEL = b"\x1b#*,TSP100IIIWVer1.4\n\x00"


def network(status: bytes, answer: bytes = b"") -> bytes:
    """Return a status as a network printer sends it."""
    return bytes([status[0], status[1] | 0x80]) + status[2:] + len(answer).to_bytes(2, "big") + answer


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (status_bytes(), "ok"),
        (status_bytes(state=0x28), "cover_open"),
        (status_bytes(state=0x08, paper=0x08), "paper_out"),
        (status_bytes(state=0x08, errors=0x08), "cutter_error"),
        (status_bytes(state=0x08, errors=0x40), "overheated"),
        (status_bytes(state=0x08, errors=0x20), "printer_error"),
        (status_bytes(state=0x08), "offline"),
    ],
)
def test_each_state_has_its_code(status: bytes, reason: str) -> None:
    for sent in (status, network(status)):
        [said] = StatusParser().feed(sent)
        assert said == StarStatus(status)
        assert said.reason == reason


def test_every_count_of_the_counter_reads_back() -> None:
    counts = [StatusParser().feed(status_bytes(counter=count))[0].counter for count in range(32)]
    assert counts == list(range(32))
    [short] = StatusParser().feed(b"\x0f\x06\x00\x00\x00\x00\x00")
    assert short.counter is None


def test_near_end_and_the_drawers_switch_are_told() -> None:
    [said] = StatusParser().feed(status_bytes(state=0x04, paper=0x04))
    assert (said.near_end, said.drawer_level, said.reason) == (True, True, "ok")


@pytest.mark.parametrize("order", ["big", "little"])
def test_the_model_is_found_on_a_cable_and_on_a_network(order: str) -> None:
    plain = StatusParser()
    assert len(plain.feed(status_bytes() + MODEL + status_bytes())) == 2
    assert (plain.model, plain.junk) == ("TSP100IIIWVer1.4", 0)
    answer = b"11:B" + len(MODEL).to_bytes(2, "big") + MODEL + b";"
    framed = bytearray(network(status_bytes(), answer))
    framed[9:11] = len(answer).to_bytes(2, order)  # type: ignore[arg-type]
    on_network = StatusParser()
    assert len(on_network.feed(bytes(framed) + network(status_bytes()))) == 2
    assert (on_network.model, on_network.junk) == ("TSP100IIIWVer1.4", 0)


@given(
    said=st.lists(
        st.tuples(st.booleans(), st.integers(0, 31), st.sampled_from([0, 0x28, 0x08])), min_size=1, max_size=6
    ),
    cuts=st.lists(st.integers(0, 80), max_size=10),
)
def test_where_the_bytes_are_parted_makes_no_difference(
    said: list[tuple[bool, int, int]], cuts: list[int]
) -> None:
    statuses = [status_bytes(state=state, counter=count) for _, count, state in said]
    data = b"".join(
        network(status) if lan else status for (lan, _, _), status in zip(said, statuses, strict=True)
    )
    parser, heard, at = StatusParser(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        heard += parser.feed(data[at:cut])
        at = max(at, cut)
    assert [status.data for status in heard] == statuses
    assert parser.junk == 0


@given(noise=st.binary(max_size=40), count=st.integers(0, 31))
def test_after_any_noise_a_status_is_heard_again(noise: bytes, count: int) -> None:
    parser = StatusParser()
    parser.feed(noise)
    for _ in range(100):
        if any(status.counter == count for status in parser.feed(status_bytes(counter=count))):
            return
    raise AssertionError("the parser never found back")


@given(row=st.binary(max_size=72))
def test_no_row_proves_anything(row: bytes) -> None:
    safe = safe_row(row)
    assert ETB not in safe
    assert b"\x1b\x1d\x03" not in safe
    assert len(safe) == len(row)
    assert all(after & before == before for before, after in zip(row, safe, strict=True)), (
        "dots are added only"
    )


# ---- any bytes -----------------------------------------------------------------------------------------
def mutated(rng: random.Random) -> bytes:
    """Return noise, or good statuses with a few bytes changed, moved, doubled or left out."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(120))
    status = status_bytes(state=rng.choice([0, 0x28, 0x08]), counter=rng.randrange(32))
    data = bytearray(
        rng.choice((status, network(status), network(status, MODEL), MODEL)) * rng.randrange(1, 4)
    )
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[at:at] = rng.randbytes(1)
            case 1:
                del data[at : at + rng.randrange(6)]
            case 2:
                data[at:at] = data[at : at + rng.randrange(20)]
            case _:
                data[at : at + 1] = rng.choice((b"\x23", b"\x1b", b"\x00", b"\xff", b"\x2f\x86"))
    return bytes(data)


def run(cases: int, seed: int) -> None:
    rng = random.Random(seed)
    parser = StatusParser()
    own, before = OwnTime(), 0
    tracemalloc.start()
    try:
        for case in range(cases):
            data = mutated(rng)
            with own:
                for status in parser.feed(data):
                    assert status.reason and str(status)
                    assert status.counter is None or 0 <= status.counter < 32
                    assert not any(byte & 0x11 for byte in status.data[1:])
            if case == cases // 10:
                before = tracemalloc.get_traced_memory()[0]
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert own.slowest_s < CASE_S_MAX
    assert grown < GROWTH_BYTES_MAX


def test_any_bytes_are_taken() -> None:
    run(CASES, seed=4)


@pytest.mark.long
def test_a_million_of_any_bytes_are_taken() -> None:
    run(LONG_CASES, seed=27)
