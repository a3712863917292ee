"""What goes wrong, and when: everything is drawn from the chain's one source of chance."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from dataclasses import dataclass

from tapledger.lab.world.chain import Chain, draw
from tapledger.lab.world.kiosks import Disk, Kiosk
from tapledger.lab.world.lines import Line, Odds
from tapledger.membership import night
from tapledger_central.store import nodes

HOUR_S, DAY_S = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Climate:
    """Mean seconds from one trouble to the next, and how long each takes."""

    rush_s: float = 30_000.0
    customer_s: float = 20.0
    in_a_rush: float = 0.75
    """Of all customers: those who have another one right behind them."""
    line_cut_s: float = 6 * HOUR_S
    line_down_s: float = 2.5 * HOUR_S
    chain_cut_s: float = 30 * HOUR_S
    chain_down_s: float = 3 * HOUR_S
    central_points: int = 4000
    central_down_s: float = 120.0
    kiosk_points: int = 5000
    kiosk_down_s: float = 300.0
    clock_jump_s: float = 2 * DAY_S
    clock_wrong_s: float = 4 * HOUR_S
    image_s: float = 20 * HOUR_S
    restore_s: float = 3 * DAY_S
    clone_s: float = 15 * DAY_S
    night_work_s: float = 8 * HOUR_S
    watch_s: float = HOUR_S


JUMPS = tuple(
    dt.timedelta(seconds=s) for s in (-DAY_S * 365, -DAY_S, -1800, -200, 200, 3600, DAY_S * 2, DAY_S * 365)
)
REPAIR_S = 900.0
"""A restored disk takes at least so long: whatever was on its way from it has arrived or never will."""
EAGER = 0.2
"""Of restored kiosks: those that serve at once, before they have heard of central."""


class Weather:
    def __init__(self, chain: Chain, climate: Climate) -> None:
        self.chain = chain
        self.climate = climate
        self.is_fair = True
        """Nothing breaks by itself any more."""
        chain.headquarters.on_crash = self._central_crashed

    @property
    def _chance(self) -> random.Random:
        return self.chain.chance

    async def _pause(self, mean_s: float) -> None:
        await asyncio.sleep(self._chance.expovariate(1 / mean_s))

    # Power.
    async def switch_on(self, kiosk: Kiosk) -> None:
        kiosk.on_crash = self._kiosk_crashed
        points = None if self.is_fair else self._chance.randint(20, self.climate.kiosk_points)
        await kiosk.power_on(points)
        self.chain.note(kiosk.name, "power on", kiosk.clock.off)
        machine = kiosk.machine
        assert machine is not None
        machine.run_task(self._customers(kiosk), "customers")
        machine.run_task(self._night_work(kiosk), "night work")

    def _kiosk_crashed(self, kiosk: Kiosk) -> None:
        self.chain.note(kiosk.name, "power cut")
        self.chain.job(self._power_again(kiosk), f"power of {kiosk.name}")

    async def _power_again(self, kiosk: Kiosk) -> None:
        async with kiosk.switch:
            await kiosk.power_off()
            await self._pause(self.climate.kiosk_down_s)
            await self.switch_on(kiosk)

    async def start_central(self) -> None:
        points = None if self.is_fair else self._chance.randint(50, self.climate.central_points)
        await self.chain.headquarters.start(points)
        self.chain.note("central", "started")
        await self.chain.auditor.look(self.chain.disks)

    def _central_crashed(self) -> None:
        self.chain.note("central", "killed")
        self.chain.job(self._central_again(), "power of central")

    async def _central_again(self) -> None:
        await self.chain.headquarters.stop()
        await self._pause(self.climate.central_down_s)
        await self.start_central()

    # What kiosks do by themselves.
    async def _customers(self, kiosk: Kiosk) -> None:
        if kiosk.unfinished is not None:
            await self.chain.serve(kiosk, kiosk.unfinished)
        while True:
            climate = self.climate
            rush = self._chance.random() < climate.in_a_rush
            await self._pause(climate.customer_s if rush else climate.rush_s)
            office = kiosk.office
            if self.is_fair or kiosk.is_closed or office is None:
                continue
            if kiosk.waits_for_central:
                kiosk.waits_for_central = not office.state.online
                continue
            wish = draw(self.chain, kiosk)
            recorded = await self.chain.serve(kiosk, wish)
            if recorded is not None and self._chance.random() < 0.1:
                await self.chain.serve(kiosk, wish)

    async def _night_work(self, kiosk: Kiosk) -> None:
        while True:
            await self._pause(self.climate.night_work_s)
            assert kiosk.shop is not None
            done = await night.run(kiosk.shop)
            self.chain.note(kiosk.name, "night work", done.events)

    # Troubles.
    def begin(self) -> None:
        """Let everything happen from now on."""
        self.is_fair = False
        chain = self.chain
        chain.headquarters.fail_after(self._chance.randint(50, self.climate.central_points))
        for number, line in enumerate(chain.lines):
            line.odds = Odds()
            chain.job(self._cuts(line, f"line {number}"), f"cuts of line {number}")
        chain.job(self._chain_cuts(), "cuts of the chain")
        chain.job(self._clones(), "clones")
        chain.job(self._watch(), "operator")
        for kiosk in chain.kiosks:
            self._trouble(kiosk)
            if kiosk.machine is not None:
                kiosk.machine.points_left = self._chance.randint(20, self.climate.kiosk_points)

    def _trouble(self, kiosk: Kiosk) -> None:
        self.chain.job(self._clock_jumps(kiosk), f"clock of {kiosk.name}")
        self.chain.job(self._images(kiosk), f"images of {kiosk.name}")
        self.chain.job(self._restores(kiosk), f"restores of {kiosk.name}")

    async def _cuts(self, line: Line, name: str) -> None:
        while True:
            await self._pause(self.climate.line_cut_s)
            await self._cut([line], name, self.climate.line_down_s)

    async def _chain_cuts(self) -> None:
        while True:
            await self._pause(self.climate.chain_cut_s)
            await self._cut(self.chain.lines, "all lines", self.climate.chain_down_s)

    async def _cut(self, lines: list[Line], name: str, down_s: float) -> None:
        self.chain.note(name, "cut")
        for line in lines:
            line.cut()
        await self._pause(down_s)
        for line in lines:
            line.mend()
        self.chain.note(name, "mended")

    async def _clock_jumps(self, kiosk: Kiosk) -> None:
        while True:
            await self._pause(self.climate.clock_jump_s)
            kiosk.clock.off = self._chance.choice(JUMPS)
            self.chain.note(kiosk.name, "clock off", kiosk.clock.off)
            await self._pause(self.climate.clock_wrong_s)
            kiosk.clock.off = dt.timedelta(seconds=self._chance.uniform(-20, 20))
            self.chain.note(kiosk.name, "clock right")

    async def _images(self, kiosk: Kiosk) -> None:
        """Somebody makes a copy of the disk now and then."""
        while True:
            await self._pause(self.climate.image_s)
            async with kiosk.switch:
                await kiosk.power_off()
                kiosk.image = kiosk.disk.copy_to(kiosk.disk.folder.with_suffix(".image"))
                self.chain.note(kiosk.name, "image", len(kiosk.image.promised))
                await self.switch_on(kiosk)

    async def _restores(self, kiosk: Kiosk) -> None:
        while True:
            await self._pause(self.climate.restore_s)
            if kiosk.image is None or kiosk.is_suspect or not self.chain.headquarters.is_open:
                continue
            async with kiosk.switch:
                await kiosk.power_off()
                await asyncio.sleep(REPAIR_S)
                if self.chain.headquarters.is_open:
                    await self._put_back(kiosk, kiosk.image)
                await self.switch_on(kiosk)

    async def _put_back(self, kiosk: Kiosk, image: Disk) -> None:
        """The disk broke; the copy of earlier takes its place."""
        await self.chain.auditor.look(self.chain.disks)
        now = kiosk.disk
        kiosk.disk = image.copy_to(now.folder)
        kept = {
            place: one
            for place, one in now.promised.items()
            if place in image.promised or self.chain.auditor.has(kiosk.node, *place) == one.hash
        }
        self.chain.lost_with_disks += len(now.promised) - len(kept)
        kiosk.disk.promised = kept
        kiosk.unfinished, kiosk.last_hlc = None, 0
        self.chain.disks += 1
        kiosk.is_suspect = self._chance.random() < EAGER
        kiosk.waits_for_central = not kiosk.is_suspect
        self.chain.note(
            kiosk.name, "restored", f"{len(now.promised) - len(kept)} lost, eager {kiosk.is_suspect}"
        )

    async def _clones(self) -> None:
        while True:
            await self._pause(self.climate.clone_s / len(self.chain.kiosks))
            chosen = [one for one in self.chain.kiosks if not one.is_suspect]
            if not chosen:
                continue
            kiosk = self._chance.choice(chosen)
            async with kiosk.switch:
                await kiosk.power_off()
                copy = kiosk.disk.copy_to(kiosk.disk.folder.with_suffix(".clone"))
                await self.switch_on(kiosk)
            clone = self.chain.put_up(f"{kiosk.name}-clone", copy, kiosk.keyring, kiosk.line)
            kiosk.is_suspect = clone.is_suspect = kiosk.is_cloned = clone.is_cloned = True
            self.chain.disks += 1
            self.chain.note(kiosk.name, "cloned")
            await self.switch_on(clone)

    # The operator.
    async def _watch(self) -> None:
        """Look now and then who is trusted no more; put up a new kiosk for each."""
        while True:
            await asyncio.sleep(self.climate.watch_s)
            if not self.chain.headquarters.is_up:
                continue
            for kiosk in list(self.chain.kiosks):
                if not kiosk.is_closed and await self.chain.status(kiosk) == nodes.QUARANTINED:
                    await self._replace(kiosk)

    async def _replace(self, kiosk: Kiosk) -> None:
        self.chain.note(kiosk.name, "suspended")
        self.chain.check_suspended(kiosk)
        kiosk.is_closed = True
        if kiosk.name.endswith("clone"):
            return
        fresh = await self.chain.found(self.chain.lines.index(kiosk.line))
        await self.switch_on(fresh)
        self._trouble(fresh)

    async def clear_up(self) -> None:
        """Let nothing break any more, and everything run."""
        self.is_fair = True
        await self.chain.end_jobs()
        for line in self.chain.lines:
            line.heal()
        await self.chain.headquarters.stop()
        await self.start_central()
        for kiosk in self.chain.kiosks:
            await kiosk.power_off()
            kiosk.clock.off = dt.timedelta()
            kiosk.unfinished = None
            await self.switch_on(kiosk)
