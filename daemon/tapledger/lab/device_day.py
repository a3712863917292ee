"""A day of a shop's devices in virtual time: members tap, codes are scanned, slips print, and faults come and
go at random. At the end nothing may be lost, nothing doubled, and nothing grown.

The drivers, the supervisor, the ring and the print queue are the product's own; only the lines end in memory.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import random
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tapledger.database import InlineExecutor
from tapledger.devices.events import DeviceEvents
from tapledger.devices.paper_keeper import PaperKeeper
from tapledger.devices.prints import PrintLoop
from tapledger.devices.receipts import templates
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.store import keyring, prints
from tapledger.store.store import Store
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.cassettes.virtual_time import VirtualTimeLoop
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import ONCE, Emulated, Verb
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.emulators.simulated_reader import SimulatedCardReader
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.ports import CardPresented, Driver, Scan
from tapledger_drivers.registry import create_driver

START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
HOUR_S = 3600.0
READERS = ("kiosk-reader", "till-reader")
_FIRST_BYTE = b"\x04"
"""Of a card's number that says what it is; ``random_uid`` makes others."""
NUMBER_DIGITS = 8
SCANNER, PRINTER = "till-scanner", "receipt-printer"
SCANNER_LINE, PRINTER_LINE = "sim:scanner", "tcp:127.0.0.1:9100"
CARD_STAYS_S, SETTLE_S, CALM_S = 1.5, 0.5, 120.0
"""How long a card lies on the reader, how long a healthy device may take, how long the end has no faults."""
FAULT_EVERY_S, FAULT_LASTS_S = 240.0, 60.0
SLIP_EVERY_S = 120.0
"""On average."""
WARM_UP_HOURS = 1
MOST_OVER_MEAN = 3
SETTLED = frozenset({"printed", "failed", "unknown", "expired"})
"""What may have become of a slip in the end."""


@dataclass(slots=True)
class Inputs:
    """Cards or codes, numbered from 0. Of a fixed size from the start: what grows is the product."""

    due: bytearray
    """1 for each that a healthy device had before it for as long as it takes."""
    got: bytearray
    """How often each reached its face."""
    count: int = 0
    """All of them, also those that a broken device had before it."""

    @classmethod
    def of(cls, most: int) -> Inputs:
        return cls(bytearray(most), bytearray(most))

    def next(self) -> int:
        self.count += 1
        return self.count - 1

    def reached(self, number: int) -> None:
        if 0 <= number < self.count:
            self.got[number] += 1

    @property
    def lost(self) -> list[int]:
        return [number for number in range(self.count) if self.due[number] and not self.got[number]]

    @property
    def doubled(self) -> list[int]:
        return [number for number in range(self.count) if self.got[number] > 1]


@dataclass(slots=True)
class Day:
    """What happened."""

    hours: float
    taps: Inputs
    scans: Inputs
    slips: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    """Slips that really came out whole."""
    faults: Counter[str] = field(default_factory=Counter)
    open_at_end: list[str] = field(default_factory=list)
    memory_kib: list[int] = field(default_factory=list)
    """Resident, after each hour."""
    descriptors: list[int] = field(default_factory=list)


class _LoopClock:
    """The virtual loop's time, as the product's clock."""

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.monotonic_s())

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()


def live(folder: Path, program: Program, articles: Catalogue, hours: float, taps: int, seed: int) -> Day:
    """Live so many hours. Needs a thread without a running event loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_live(folder, program, articles, hours, taps, seed))


async def _live(
    folder: Path, program: Program, articles: Catalogue, hours: float, taps: int, seed: int
) -> Day:
    chance = random.Random(seed)  # noqa: S311 - a day that can be lived again
    if not (folder / keyring.FILE_NAME).exists():
        keyring.create(folder, keyring.make(chance.randbytes(keyring.RANDOMNESS)))
    store = await Store.open(folder, keyring.load(folder), InlineExecutor())
    shop = Shop(store, program, articles, _LoopClock(), chance.randbytes, "Day", "zh-Hans")
    try:
        most = taps * MOST_OVER_MEAN
        return await _Shop(shop, chance, Day(hours, Inputs.of(most), Inputs.of(most)), taps).live()
    finally:
        await store.close()


class _Shop:
    def __init__(self, shop: Shop, chance: random.Random, day: Day, taps: int) -> None:
        self._shop = shop
        self._chance = chance
        self._day = day
        self._tap_every_s = day.hours * HOUR_S / taps
        trust = SignedTokenPolicy(shop.store.keyring.token_keys)
        self._readers = {role: SimulatedCardReader(role, trust) for role in READERS}
        self._scanner = SerialScannerEmulator(lambda machine: MemoryWire(machine, "scanner"))
        self._printer = EscposPrinterEmulator(wire=lambda machine: MemoryWire(machine, "printer"))
        wires = {SCANNER_LINE: self._scanner.wire, PRINTER_LINE: self._printer.wire}

        def build(config: DeviceConfig, io: object, sibling: object) -> Driver:
            reader = self._readers.get(config.role)
            return reader or create_driver(config, trust, io, sibling)  # type: ignore[arg-type]

        configs = [DeviceConfig(role, "simulated_reader") for role in READERS]
        configs += [
            DeviceConfig(SCANNER, "serial_line", {"path": SCANNER_LINE}),
            DeviceConfig(PRINTER, "escpos", {"port": PRINTER_LINE}),
        ]
        self._devices = DeviceSupervisor(
            configs,
            build,
            shop.clock,
            self._poke,
            DeviceEvents(shop.store, shop.clock, shop.randomness),
            make_io=lambda role, traffic: MemoryIo(wires, traffic),  # type: ignore[arg-type]
            dice=chance.random,
        )
        paper = PaperKeeper(shop.store, shop.clock)
        self._prints = PrintLoop(shop, self._devices, self._settled, templates.load(None), paper)
        self._printer.on_change.append(self._paper_moved)
        self._cut: set[int] = set()
        lines: dict[str, Emulated] = {SCANNER: self._scanner, PRINTER: self._printer}
        self._emulated: dict[str, Emulated] = {**self._readers, **lines}

    def _poke(self) -> None:
        self._prints.poke()

    def _paper_moved(self) -> None:
        if self._printer.slips and self._printer.slips[-1].cut:
            self._cut.add(self._printer.slips[-1].number)

    async def _settled(self, job: str) -> None: ...

    async def live(self) -> Day:
        await self._scanner.start()
        await self._printer.start()
        loops = [self._devices.run(), self._prints.run(), self._hear_taps(), self._hear_scans()]
        running = [asyncio.create_task(loop) for loop in loops]
        acting = [
            asyncio.create_task(act)
            for act in (self._tap(), self._scan(), self._print(), self._break(), self._measure())
        ]
        try:
            await asyncio.gather(*acting)
            await self._end()
        finally:
            for task in (*acting, *running):
                task.cancel()
            await asyncio.gather(*acting, *running, return_exceptions=True)
            await self._scanner.close()
            await self._printer.close()
        return self._day

    @property
    def _over(self) -> bool:
        return self._shop.clock.monotonic_s() >= self._day.hours * HOUR_S

    def _healthy(self, role: str) -> bool:
        state = self._devices.states[role]
        return state.link == "online" and not self._emulated[role].faults()

    # What people do.
    async def _tap(self) -> None:
        while not self._over:
            await asyncio.sleep(max(0.0, self._tap_every_s * 2 * self._chance.random() - CARD_STAYS_S))
            role = self._chance.choice(READERS)
            reader, number = self._readers[role], self._day.taps.next()
            healthy = self._healthy(role)
            reader.insert(VirtualCard(CardKind.UID_ONLY, _FIRST_BYTE + number.to_bytes(6, "big")))
            await asyncio.sleep(SETTLE_S)
            self._day.taps.due[number] = healthy and self._healthy(role)
            await asyncio.sleep(CARD_STAYS_S - SETTLE_S)
            reader.remove()

    async def _scan(self) -> None:
        while not self._over:
            await asyncio.sleep(self._tap_every_s * 2 * self._chance.random())
            number, healthy = self._day.scans.next(), self._healthy(SCANNER)
            sent = self._scanner.wire.send(f"{_code(number)}\r".encode())
            await asyncio.sleep(SETTLE_S)
            self._day.scans.due[number] = sent and healthy and self._healthy(SCANNER)

    async def _print(self) -> None:
        while not self._over:
            await asyncio.sleep(SLIP_EVERY_S * 2 * self._chance.random())
            job = f"test-{self._day.slips}"
            slip = slips.Slip(kind="test", language="zh-Hans")
            await self._shop.store.transact(lambda tx: slips.enqueue(tx, self._shop, job, slip))  # noqa: B023
            self._day.slips += 1
            self._prints.poke()

    async def _break(self) -> None:
        while not self._over:
            await asyncio.sleep(FAULT_EVERY_S * 2 * self._chance.random())
            device = self._emulated[self._chance.choice(list(self._emulated))]
            verb = self._chance.choice([one for one in device.verbs() if one is not Verb.REPLUG])
            await device.pull(verb)
            self._day.faults[verb] += 1
            await asyncio.sleep(FAULT_LASTS_S * 2 * self._chance.random())
            if verb not in ONCE:
                await device.pull(verb, on=False)

    async def _measure(self) -> None:
        for _ in range(int(self._day.hours)):
            await asyncio.sleep(HOUR_S)
            gc.collect()
            self._day.memory_kib.append(_resident_kib())
            self._day.descriptors.append(_open_descriptors())

    async def _end(self) -> None:
        """Mend everything, wait, and look what became of it all."""
        for device in self._emulated.values():
            for fault in device.faults():
                await device.pull(fault.verb, on=False)
        await asyncio.sleep(CALM_S)
        day = self._day
        day.open_at_end = [role for role, state in self._devices.states.items() if state.link == "online"]
        for number in range(day.slips):
            job = await self._shop.store.transact(lambda tx: prints.get(tx, f"test-{number}"))  # noqa: B023
            day.fates["missing" if job is None else job.state] += 1
        day.cut = len(self._cut)

    # What the faces hear.
    async def _hear_taps(self) -> None:
        async for tap in self._devices.taps():
            if isinstance(tap.event, CardPresented) and tap.event.uid[:1] == _FIRST_BYTE:
                self._day.taps.reached(int.from_bytes(tap.event.uid[1:], "big"))

    async def _hear_scans(self) -> None:
        async for scan in self._devices.scans():
            if isinstance(scan.event, Scan):
                number = int(scan.event.text[:NUMBER_DIGITS]) if scan.event.text.isdigit() else -1
                if scan.event.text == _code(number):
                    self._day.scans.reached(number)


def _code(number: int) -> str:
    """Noise makes digits and line ends too: a code that is read as another one must not count for that."""
    digits = f"{number:0{NUMBER_DIGITS}}"
    return f"{digits}{zlib.crc32(digits.encode()):010}"


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def as_dict(day: Day) -> dict[str, object]:
    """Return the day in figures."""
    grown = day.memory_kib[WARM_UP_HOURS:] or [0]
    return {
        "hours": day.hours,
        "taps": day.taps.count,
        "scans": day.scans.count,
        "slips": day.slips,
        "faults": sum(day.faults.values()),
        "verbs": len(day.faults),
        "due": sum(day.taps.due) + sum(day.scans.due),
        "lost": len(day.taps.lost) + len(day.scans.lost),
        "doubled": len(day.taps.doubled) + len(day.scans.doubled),
        "printed": day.fates["printed"],
        "unsettled": sum(day.fates[state] for state in day.fates if state not in SETTLED),
        "cut": day.cut,
        "memory_growth_kib": grown[-1] - grown[0],
        "descriptor_growth": (day.descriptors or [0])[-1] - (day.descriptors or [0])[0],
    }
