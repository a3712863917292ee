"""How long until a device that goes is missed, and until one that comes back is used."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from benchmarks.device_bench import PATIENCE_S, PRINTER, READER, SCANNER, Watched, plugged, running
from benchmarks.seeded_shop import SeededShop
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Emulated, Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.virtual_card import CardKind
from tapledger_drivers.ports import CardPresented


@dataclass(frozen=True, slots=True)
class RecoveryTimes:
    """Seconds."""

    unplug_noticed_s: list[float] = field(default_factory=list)
    usable_again_s: list[float] = field(default_factory=list)
    cover_shown_s: list[float] = field(default_factory=list)
    cover_shut_shown_s: list[float] = field(default_factory=list)
    pcscd_back_s: list[float] = field(default_factory=list)
    """From the start of the new pcscd to the data of a card that lies there."""


async def measure(seeded: SeededShop, station: ReaderStation, rounds: int, times: RecoveryTimes) -> None:
    """Add to ``times``."""
    async with seeded.open() as shop:
        async with plugged() as (scanner, printer, configs), running(shop, configs) as watched:
            await watched.until(lambda: watched.is_up(SCANNER) and watched.is_up(PRINTER))
            devices: tuple[tuple[str, Emulated], ...] = ((SCANNER, scanner), (PRINTER, printer))
            for _ in range(rounds):
                for role, device in devices:
                    await unplug(watched, role, device, times)
                await _cover(watched, printer, times)
        name = station.reader_names[0]
        config = DeviceConfig(READER, "pcsc", {"reader_name": name})
        async with running(shop, [config]) as watched:
            await watched.until(lambda: watched.is_up(READER))
            for number in range(rounds):
                # Another set of readers each time: the second one is there, and then it is not.
                times.pcscd_back_s.append(await _pcscd(watched, seeded, station, with_other=number % 2 == 1))


async def unplug(watched: Watched, role: str, device: Emulated, times: RecoveryTimes) -> None:
    """Pull a device out, and plug it in again when the supervisor knows that it is gone."""
    gone = watched.until(lambda: not watched.is_up(role), device.pull(Verb.UNPLUG))
    times.unplug_noticed_s.append(await gone)
    await watched.until(lambda: watched.devices.states[role].link == "absent")
    back = watched.until(lambda: watched.is_up(role), device.pull(Verb.REPLUG))
    times.usable_again_s.append(await back)


async def _cover(watched: Watched, printer: Emulated, times: RecoveryTimes) -> None:
    shown = watched.until(
        lambda: watched.devices.states[PRINTER].reason == "cover_open", printer.pull(Verb.COVER_OPEN)
    )
    times.cover_shown_s.append(await shown)
    shut = watched.until(lambda: watched.is_up(PRINTER), printer.pull(Verb.COVER_OPEN, on=False))
    times.cover_shut_shown_s.append(await shut)


async def _pcscd(watched: Watched, seeded: SeededShop, station: ReaderStation, *, with_other: bool) -> float:
    """Kill pcscd, start it with another set of readers, lay a card on: return how long after its start the
    card was read."""
    await station.kill_pcscd()
    await watched.until(lambda: not watched.is_up(READER))
    await station.fault(1, Verb.UNPLUG, on=not with_other)
    began_s = time.perf_counter()
    if not (await station.state())["pcscd"]:
        await station.start_pcscd()
    await station.insert(0, seeded.virtual_card(0, CardKind.TYPE4))
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance((await anext(watched.taps)).event, CardPresented):
            pass
    spent_s = time.perf_counter() - began_s
    await station.remove(0)
    return spent_s
