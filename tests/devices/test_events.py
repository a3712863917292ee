"""The ring of device events: on disk before anybody acts, sealed, in order, and there again after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tapledger.devices import events as device_events
from tapledger.devices import inputs
from tapledger.devices.events import DeviceEvents, Draft
from tapledger.errors import Unavailable
from tapledger.store import device_events as stored
from tapledger_drivers.ports import CardPresented, CardTorn, CardTrust, Scan, ScanRefused, TrustLevel, UidKind
from tests.devices.fakes import PATIENCE_S
from tests.store.shops import Bench

SCANNER, READER = "till-scanner", "till-reader"
CODE = "6901234567908"


@asynccontextmanager
async def ring(bench: Bench) -> AsyncIterator[DeviceEvents]:
    made = DeviceEvents(bench.shop.store, bench.clock, bench.shop.randomness)
    task = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def scan(text: str, claim: str = "till") -> Draft:
    return inputs.draft(SCANNER, claim, "till", Scan(text.encode(), text, 0.0, symbology="ean13"), False)


def tap(kind: UidKind = UidKind.FIXED) -> CardPresented:
    trust = CardTrust(TrustLevel.L1, "token:key=demo-1", "member-card-1")
    return CardPresented(bytes.fromhex("04A1B2C3D4E5F6"), kind, "type2", b"", None, trust, 1.0, 1.1)


async def test_an_event_is_on_disk_when_it_is_told(bench: Bench) -> None:
    async with ring(bench) as events:
        event = await events.record(scan(CODE))
        assert bench.rows("SELECT seq, device, class, type, claim, open FROM device_event") == [
            (event.seq, SCANNER, "barcode_scanner", "data", "till", 1)
        ]
        assert len(event.trace) == 16
        assert (event.shown["what"], event.shown["symbology"], event.shown["length"]) == ("code", "ean13", 13)
        assert CODE not in str(event.shown)


async def test_what_is_personal_is_sealed(bench: Bench) -> None:
    """Neither a card's number nor a code is in the file, whoever reads it."""
    async with ring(bench) as events:
        await events.record(scan("SECRET-COUPON-1"))
        await events.record(inputs.draft(READER, "till", "till", tap(), False))
        await events.record(inputs.draft(READER, "till", "till", tap(UidKind.RANDOM), False))
    raw = bench.database.read_bytes() + bench.database.with_name("shop.db-wal").read_bytes()
    for secret in (b"SECRET-COUPON-1", b"04A1B2C3D4E5F6", bytes.fromhex("04A1B2C3D4E5F6"), b"member-card-1"):
        assert secret not in raw


async def test_a_payment_secret_is_not_even_kept_sealed(bench: Bench) -> None:
    """Should a scanner let one pass, the till refuses it, and it is on no disk (decisions R27)."""
    async with ring(bench) as events:
        for secret in ("4111111111111111", "134567890123456789"):
            event = await events.record(scan(secret))
            assert (event.private, bench.rows("SELECT count(*) FROM device_event WHERE open = 1")) == (
                b"",
                [(0,)],
            )


async def test_what_waits_is_one_commit(bench: Bench) -> None:
    async with ring(bench) as events:
        first = await events.record(scan("0"))
        said = await bench.listen()
        told = [events.record(scan(str(number))) for number in range(1, 21)]
        seqs = [(await one).seq for one in told]
        assert seqs == list(range(first.seq + 1, first.seq + 21))
        assert sum(text.startswith("COMMIT") for text in said) == 1


async def test_it_is_replayed_from_a_number_on(bench: Bench) -> None:
    async with ring(bench) as events:
        seqs = [(await events.record(scan(str(number)))).seq for number in range(5)]
        page = await events.since(seqs[1])
        assert [event.seq for event in page] == seqs[2:]
        assert [event.private for event in page] == [b""] * 3, "nobody gets what was for the till"
    await bench.restart()
    async with ring(bench) as events:
        after = (await events.record(scan("9"))).seq
        assert after == seqs[-1] + 1
        assert [event.seq for event in await events.since(seqs[-1])] == [after]


async def test_only_the_holder_of_the_claim_gets_the_data(bench: Bench) -> None:
    async with ring(bench) as events:
        await events.record(scan("mine", claim="session-of-page-1"))
        for session, expected in (
            ("session-of-page-1", {"text": "mine"}),
            ("session-of-page-2", {}),
            ("", {}),
        ):
            [event] = await events.since(0, session)
            assert inputs.private_view(event.private) == expected
        assert await events.unhandled() == [], "a test is for nobody else to handle"


async def test_what_was_handled_is_not_handed_out_again(bench: Bench) -> None:
    async with ring(bench) as events:
        seqs = [(await events.record(scan(str(number)))).seq for number in range(3)]
        await events.handled(seqs[0])
        await events.record(scan("next"))
    await bench.restart()
    async with ring(bench) as events:
        left = await events.unhandled()
        assert [inputs.read_code(event.private).text for event in left] == ["1", "2", "next"]  # type: ignore[union-attr]


async def test_the_ring_is_capped_by_number_and_age(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "KEPT_ROWS", 10)
    async with ring(bench) as events:
        unhandled = await events.record(scan("left"))
        for number in range(50):
            events.tell(Draft(SCANNER, "status", {"number": number}))
        await events.record(Draft(SCANNER, "status", {}))
        kept = [seq for (seq,) in bench.rows("SELECT seq FROM device_event ORDER BY seq")]
        assert kept[0] == unhandled.seq, "what nobody has handled is not pushed out by chatter"
        assert len(kept) == 11
        bench.clock.move(stored.KEPT_MS / 1000 + 1)
        last = await events.record(Draft(SCANNER, "status", {}))
        assert unhandled.seq not in [event.seq for event in await events.since(0)]
        assert (await events.newest(1))[0].seq == last.seq


async def test_what_was_handled_is_gone_after_its_days_however_little_came_since(bench: Bench) -> None:
    """Cards and codes are personal, sealed as they are: a quiet shop does not keep them for years."""
    async with ring(bench) as events:
        handled, left = [(await events.record(scan(text))).seq for text in ("1", "2")]
        await events.settle([handled])
        bench.clock.move(stored.KEPT_MS / 1000 + 1)
        last = (await events.record(Draft(SCANNER, "status", {}))).seq
        kept = [seq for (seq,) in bench.rows("SELECT seq FROM device_event ORDER BY seq")]
        assert kept == [left, last], "what has to be handled goes by no clock alone"


async def test_a_flood_of_news_is_cut_and_codes_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_events, "WAITING_MAX", 4)
    events = DeviceEvents(bench.shop.store, bench.clock, bench.shop.randomness)
    for number in range(9):
        events.tell(Draft(SCANNER, "status", {"number": number}))
    waiting = asyncio.create_task(events.record_when_there_is_room(scan(CODE)))
    await asyncio.sleep(0)
    assert not waiting.done()
    writing = asyncio.create_task(events.run())
    async with asyncio.timeout(PATIENCE_S):
        event = await (await waiting)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert event.seq == 5


async def test_a_disk_that_fails_is_told_to_who_waits(bench: Bench) -> None:
    async with ring(bench) as events:

        async def fail(work: object) -> object:
            raise Unavailable("STORE_FAULT", why="disk full")

        before, bench.shop.store.transact = bench.shop.store.transact, fail  # type: ignore[method-assign, assignment]
        with pytest.raises(Unavailable):
            await events.record(scan(CODE))
        bench.shop.store.transact = before  # type: ignore[method-assign]
        assert (await events.record(scan(CODE))).seq == 1


@pytest.mark.parametrize(
    ("event", "what"),
    [(CardTorn("removed", 0.0), "torn"), (ScanRefused("payment_card", 16, 0.0), "refused")],
    ids=["torn", "refused"],
)
async def test_what_names_nobody_waits_for_nobody(
    bench: Bench, event: CardTorn | ScanRefused, what: str
) -> None:
    draft = inputs.draft(SCANNER, "till", "till", event, True)
    assert (draft.shown["what"], draft.shown["simulated"], draft.private, draft.open) == (
        what,
        True,
        b"",
        False,
    )
