"""From a device to its face, each input exactly once: also over a crash between any two steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tapledger.app import Daemon
from tapledger.database import Transaction
from tapledger.devices import inputs
from tapledger.devices.events import DeviceEvents
from tapledger.devices.roles import ROLES
from tapledger.errors import Invalid
from tapledger.membership import sign_in
from tapledger.settings import (
    DeviceSettings,
    FilesSettings,
    Settings,
    ShopSettings,
    StoreSettings,
    WebSettings,
)
from tapledger.web.till import TillFace
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.ports import CardPresented, CardTrust, Driver, Scan, TrustLevel, UidKind
from tests.devices.fakes import PATIENCE_S, FakeReader, FakeScanner
from tests.store.shops import EARPHONES, TOWEL, Bench, card

PIN = "2468"
PAGE, OTHER_PAGE = "page-one-session", "page-two-session"


class Shop:
    """A running daemon over fake devices. ``kill`` ends it as a power cut does: nothing more is written."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.scanner, self.till_reader, self.kiosk_reader = FakeScanner(), FakeReader(), FakeReader()
        roles: dict[str, Driver] = {
            "till-scanner": self.scanner, "till-reader": self.till_reader, "kiosk-reader": self.kiosk_reader,
        }  # fmt: skip
        settings = Settings(
            shop=ShopSettings(name="Tea Hill", language="en"),
            store=StoreSettings(folder=bench.folder),
            files=FilesSettings(program=Path("none"), catalogue=Path("none")),
            web=WebSettings(port=0),
            devices=[DeviceSettings(role=role, driver="pcsc") for role in roles],  # type: ignore[arg-type]
        )

        def build(config: DeviceConfig, *_: object) -> Driver:
            return roles[config.role]

        self.daemon = Daemon(bench.shop, settings, build)
        self.changed = asyncio.Event()
        show = self.daemon.live.show

        def shown(*arguments: Any) -> None:
            show(*arguments)
            self.changed.set()

        self.daemon.live.show = shown  # type: ignore[method-assign, assignment]
        self.daemon.events.on_stored = lambda events: self.changed.set()

    def scan(self, text: str) -> None:
        self.scanner.events.put_nowait(Scan(text.encode(), text, 0.0))

    def tap(self, reader: FakeReader, credential: str) -> None:
        trust = CardTrust(TrustLevel.L1, "token:key=demo-1", credential)
        seen_at_s = self.bench.clock.monotonic_s()
        reader.events.put_nowait(
            CardPresented(b"\x04\x01\x02\x03", UidKind.FIXED, "type2", b"", None, trust, seen_at_s, seen_at_s)
        )

    @property
    def basket(self) -> dict[str, int]:
        return {entry.sku: entry.quantity for entry in self.daemon.till._counter.basket.entries}

    @property
    def kiosk(self) -> str:
        return type(self.daemon.kiosk._screen).__name__

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    async def sign_in(self) -> None:
        await self.daemon.till.sign_in("s-1", PIN)


@asynccontextmanager
async def shop(bench: Bench) -> AsyncIterator[Shop]:
    made = Shop(bench)
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(made.daemon.run(started.set_result))
    try:
        both: list[asyncio.Future[Any]] = [task, started]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
async def cashier(bench: Bench) -> None:
    await sign_in.add_person(bench.shop, "s-1", "Cashier", "cashier", PIN)


def open_events(bench: Bench) -> int:
    [(count,)] = bench.rows("SELECT count(*) FROM device_event WHERE open = 1")
    return int(count)


def stored_data(bench: Bench) -> int:
    [(count,)] = bench.rows("SELECT count(*) FROM device_event WHERE type = 'data'")
    return int(count)


async def store_unhandled(bench: Bench, *codes: str, claim: str = "till") -> None:
    """Leave codes in the ring as a daemon does that dies right after the commit."""
    events = DeviceEvents(bench.shop.store, bench.clock, bench.shop.randomness)
    task = asyncio.create_task(events.run())
    for text in codes:
        await events.record(
            inputs.draft("till-scanner", claim, "till", Scan(text.encode(), text, 0.0), False)
        )
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_burst_arrives_whole_and_in_order(bench: Bench) -> None:
    """20 at once, the same article many times: no debounce for goods (decisions R26)."""
    async with shop(bench) as at:
        await at.sign_in()
        for number in range(20):
            at.scan(TOWEL if number % 2 else EARPHONES)
        await at.until(lambda: at.basket == {EARPHONES: 10, TOWEL: 10})
        assert list(at.basket) == [EARPHONES, TOWEL]
        assert stored_data(bench) == 20


async def test_codes_stored_and_not_handled_come_first_once_somebody_is_there(bench: Bench) -> None:
    await store_unhandled(bench, TOWEL, TOWEL, EARPHONES)
    await bench.restart()
    async with shop(bench) as at:
        at.scan(EARPHONES)
        await at.until(lambda: stored_data(bench) == 4)
        assert at.basket == {}
        await at.sign_in()
        await at.until(lambda: at.basket == {TOWEL: 2, EARPHONES: 2})
    await bench.restart()
    async with shop(bench) as at:
        await at.sign_in()
        assert at.basket == {TOWEL: 2, EARPHONES: 2}


async def test_a_crash_after_the_basket_was_kept_doubles_nothing(bench: Bench) -> None:
    """The scan is marked in the basket's own transaction: there is no instant in between."""
    async with shop(bench) as at:
        await at.sign_in()

        async def dies(seq: int) -> None:
            await asyncio.Event().wait()  # the power goes before the mark that comes after

        at.daemon.events.handled = dies  # type: ignore[method-assign]
        at.scan(TOWEL)
        await at.until(lambda: at.basket == {TOWEL: 1})
    assert open_events(bench) == 0
    await bench.restart()
    async with shop(bench) as at:
        await at.sign_in()
        at.scan(EARPHONES)
        await at.until(lambda: EARPHONES in at.basket)
        assert at.basket == {TOWEL: 1, EARPHONES: 1}


async def test_a_crash_before_the_basket_was_kept_loses_nothing(bench: Bench) -> None:
    async with shop(bench) as at:
        await at.sign_in()

        async def dies(*_: object) -> None:
            await asyncio.Event().wait()

        at.daemon.till.enter = dies  # type: ignore[method-assign, assignment]
        at.scan(TOWEL)
        await at.until(lambda: open_events(bench) == 1)
    await bench.restart()
    async with shop(bench) as at:
        await at.sign_in()
        await at.until(lambda: at.basket == {TOWEL: 1})


async def test_a_sale_that_was_paid_takes_its_scans_with_it(bench: Bench) -> None:
    """The basket is gone after paying; what filled it never fills the next one."""
    async with shop(bench) as at:
        await at.sign_in()
        at.scan(TOWEL)
        await at.until(lambda: at.basket == {TOWEL: 1})
        await at.daemon.till.pay("cash", 1200)
    await bench.restart()
    async with shop(bench) as at:
        await at.sign_in()
        at.scan(EARPHONES)
        await at.until(lambda: at.basket == {EARPHONES: 1})


async def leave_a_tap(bench: Bench) -> None:
    """Let Ann tap at a kiosk that dies before it greets her."""
    await bench.join("Ann", card("a"))
    async with shop(bench) as at:

        async def dies(*_: object) -> None:
            await asyncio.Event().wait()

        at.daemon.kiosk.card = dies  # type: ignore[method-assign, assignment]
        at.tap(at.kiosk_reader, "a")
        await at.until(lambda: open_events(bench) == 1)


async def test_an_old_tap_greets_nobody_and_is_on_record(bench: Bench) -> None:
    await leave_a_tap(bench)
    bench.clock.move(10)
    await bench.restart()
    async with shop(bench) as at:
        assert at.kiosk == "Attract"
        assert open_events(bench) == 0
        assert stored_data(bench) == 1
        at.tap(at.kiosk_reader, "a")
        await at.until(lambda: at.kiosk == "Balance")


async def test_a_tap_during_a_quick_restart_is_answered(bench: Bench) -> None:
    await leave_a_tap(bench)
    bench.clock.move(1)
    await bench.restart()
    async with shop(bench) as at:
        await at.until(lambda: at.kiosk == "Balance")


async def test_what_is_left_and_breaks_a_face_ends_no_daemon_at_each_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_unhandled(bench, TOWEL, EARPHONES)
    enter = TillFace.enter

    async def breaks(face: TillFace, text: str, *rest: Any, **more: Any) -> None:
        if text == TOWEL:
            raise ZeroDivisionError("a mistake of ours")
        await enter(face, text, *rest, **more)

    monkeypatch.setattr(TillFace, "enter", breaks)
    async with shop(bench) as at:
        await at.sign_in()
        await at.until(lambda: at.basket == {EARPHONES: 1})
        await at.until(lambda: open_events(bench) <= 1)  # what is in the basket is settled with it


async def test_a_tap_that_cannot_be_read_any_more_keeps_no_shop_closed(bench: Bench) -> None:
    await leave_a_tap(bench)

    def spoil(tx: Transaction) -> None:
        tx.exec_driver_sql("UPDATE device_event SET box = x'00' WHERE open = 1")

    await bench.shop.store.transact(spoil)
    await bench.restart()
    async with shop(bench) as at:
        assert open_events(bench) == 0
        at.tap(at.kiosk_reader, "a")
        await at.until(lambda: at.kiosk == "Balance")


async def test_a_reader_says_what_the_screen_says(bench: Bench) -> None:
    await bench.join("Ann", card("a"))
    async with shop(bench) as at:
        at.tap(at.kiosk_reader, "a")
        await at.until(lambda: at.kiosk == "Balance")
        at.tap(at.kiosk_reader, "stranger")
        await at.until(lambda: at.kiosk == "Trouble")
        assert [await at.kiosk_reader.shown.get() for _ in range(2)] == ["accepted", "refused"]


async def test_a_simulated_tap_is_marked_in_the_ledger(bench: Bench) -> None:
    """The fakes say that they are no things: so says every event that their reads lead to."""
    await bench.join("Ann", card("a"))
    async with shop(bench) as at:
        await at.sign_in()
        at.tap(at.till_reader, "a")
        await at.until(lambda: at.daemon.till._counter.basket.member is not None)
        at.scan(TOWEL)
        await at.until(lambda: at.basket == {TOWEL: 1})
        await at.daemon.till.pay("cash", 1200)
        last = at.daemon.till._counter.last
        assert last is not None
        assert last.event.body.evidence == "token:key=demo-1 (simulated)"


async def test_a_page_that_tests_a_device_gets_its_data_and_the_face_does_not(bench: Bench) -> None:
    async with shop(bench) as at:
        await at.sign_in()
        at.daemon.technician.change("claim", "till-scanner", PAGE)
        at.scan(TOWEL)
        await at.until(lambda: stored_data(bench) == 1)
        told = await at.daemon.technician.events(0, PAGE)
        assert [event.private for event in told if event.type == "data"] == [{"text": TOWEL}]
        assert at.basket == {}
        for session in (OTHER_PAGE, ""):
            told = await at.daemon.technician.events(0, session)
            assert all(event.private is None for event in told)
            assert PAGE not in str(told), "a session is nobody else's business"
        at.daemon.technician.change("release", "till-scanner", PAGE)
        at.scan(EARPHONES)
        await at.until(lambda: at.basket == {EARPHONES: 1})


async def test_no_page_is_told_what_was_for_a_face(bench: Bench) -> None:
    """A page that could name itself ``till`` would read every code of the shop."""
    async with shop(bench) as at:
        at.scan(TOWEL)
        await at.until(lambda: stored_data(bench) == 1)
        for face in {role.face for role in ROLES.values()} - {""}:
            with pytest.raises(Invalid, match="SESSION_IMPOSSIBLE"):
                await at.daemon.technician.events(0, face)
