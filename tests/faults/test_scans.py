"""The daemon is killed between scanner and basket: what it has taken in is in the basket exactly once."""

from __future__ import annotations

from collections import Counter as Count

import pytest

from tapledger.lab.seed import EARPHONES, TOWEL, WATER
from tapledger.lab.visitor import Snapshot
from tests.faults.counter import Counter

pytestmark = pytest.mark.asyncio(loop_scope="session")

SKUS = (TOWEL, EARPHONES, WATER)
BURST = [SKUS[number % len(SKUS)] for number in range(20)]
LAST = "6901234567960"


def on_disk(at: Counter, since: int, *, still_open: bool = False) -> int:
    """Count the scans in the ring, or those of them that nobody has handled yet."""
    handled = " AND open = 1" if still_open else ""
    query = "SELECT count(*) FROM device_event WHERE type = 'data' AND device = 'till-scanner'"
    ((count,),) = at.rows(f"{query} AND seq > {since}{handled}")
    return int(count)


def last_event(at: Counter) -> int:
    ((seq,),) = at.rows("SELECT coalesce(max(seq), 0) FROM device_event")
    return int(seq)


def basket(snapshot: Snapshot) -> dict[str, int]:
    """Return how many of which article are in the till's basket."""
    found: Count[str] = Count()
    for line in snapshot["lines"]:
        found[line["sku"]] += int(line["quantity"])
    return dict(found)


@pytest.mark.parametrize("moment", ["stored", "handled"])
@pytest.mark.parametrize("codes", [1, 10, 20])
async def test_a_burst_of_scans_survives_a_kill(counter: Counter, moment: str, codes: int) -> None:
    since = last_event(counter)

    def now() -> bool:
        stored = on_disk(counter, since)
        return (stored if moment == "stored" else stored - on_disk(counter, since, still_open=True)) >= codes

    for code in BURST:
        await counter.bench.scanner.scan(code)
    await counter.until(now, "the moment never came")
    counter.cut_power()
    taken = on_disk(counter, since)
    await counter.power_back()
    await counter.till.until(lambda s: s["scanner"] == "ok", "the scanner is not back")
    # What the kernel kept of the burst while nobody listened comes before this one.
    await counter.bench.scanner.scan(LAST)
    seen = await counter.till.until(lambda s: LAST in basket(s), "the scanner is not heard")
    assert on_disk(counter, since, still_open=True) <= 1, "all but the last have been handled"
    rung = on_disk(counter, since) - 1
    assert rung >= taken >= codes
    assert basket(seen) == {**Count(BURST[:rung]), LAST: 1}
    # What had left the scanner and was nowhere yet never rang: its article is scanned again.
    for code in BURST[rung:]:
        await counter.bench.scanner.scan(code)
    seen = await counter.till.until(lambda s: sum(basket(s).values()) > len(BURST), "some do not arrive")
    assert basket(seen) == {**Count(BURST), LAST: 1}
    await counter.pay()
    await counter.settled()
