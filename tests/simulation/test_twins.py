"""Each guarantee broken on purpose: a few lives see it, and by which promise."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tapledger.lab.world import customers, simulation, weather
from tapledger.lab.world.chain import Chain, Plan
from tapledger.lab.world.customers import Wish
from tapledger.lab.world.kiosks import Kiosk
from tapledger.lab.world.rules import SET
from tapledger.lab.world.simulation import simulate
from tapledger.lab.world.trace import ACKNOWLEDGED, EQUAL, KEPT, LEDGER, NO_OVERDRAFT, QUIET, SUSPECTS, Broken
from tapledger.lab.world.weather import Climate, Weather
from tapledger.loyalty import leases as lease_rules
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, fold
from tapledger.store import members
from tapledger.store.journal import Recorded
from tapledger.sync import loop as sync_loop
from tapledger.wire.messages import Batch, BatchAnswer
from tapledger_central import app, apply, telling
from tapledger_central.leases import Leases
from tapledger_central.store import Transaction, nodes
from tapledger_central.store import members as central_members
from tapledger_central.store.nodes import Node
from tapledger_drivers.cassettes.virtual_time import VirtualTimeLoop

HOUR_S = 3600.0
NO_QUOTA = 3
"""A seed of a chain in which kiosks give out nothing without a lease."""


def rules_broken(seeds: range, days: float = 1.0, climate: Climate | None = None, shops: int = 2) -> set[str]:
    """Live until one of the seeds breaks something; return what is broken."""
    for seed in seeds:
        outcome = simulate(Plan(seed, days, 4, 2), climate)
        if outcome.rule:
            return {outcome.rule}
    return set()


def test_own_events_folded_again_onto_a_state_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    real = members.replace_all

    def unsettled(tx: Any, told: Any, node: str) -> None:
        real(tx, told, "somebody else")

    monkeypatch.setattr(members, "replace_all", unsettled)
    assert rules_broken(range(2, 5), 0.3) & {EQUAL, LEDGER}


def test_events_applied_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(state: Member | None, body: EventBody) -> Member:
        return fold(fold(state, body), body)

    monkeypatch.setattr(apply, "fold", twice)
    assert rules_broken(range(1, 4), 0.3) == {LEDGER}


def test_central_acknowledges_before_it_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    real = app.Central.take

    async def early(self: app.Central, node: Node, batch: Batch) -> BatchAnswer:
        asyncio.get_running_loop().call_later(30.0, lambda: asyncio.ensure_future(real(self, node, batch)))
        return BatchAnswer(ack=batch.first_seq + len(batch.raws) - 1)

    monkeypatch.setattr(app.Central, "take", early)
    assert rules_broken(range(1, 4), 0.3) == {ACKNOWLEDGED}


def test_a_kiosk_says_done_before_its_disk_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    serve, power_off = Chain.serve, Kiosk.power_off

    async def lazy(self: Chain, kiosk: Kiosk, wish: Wish) -> Recorded | None:
        before = kiosk.disk.folder.with_suffix(".before")
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(kiosk.disk.folder, before)
        return await serve(self, kiosk, wish)

    async def forgetful(self: Kiosk) -> None:
        was_cut = self.machine is not None and self.machine.crashed
        await power_off(self)
        before = self.disk.folder.with_suffix(".before")
        if was_cut and before.exists():
            shutil.rmtree(self.disk.folder)
            shutil.move(before, self.disk.folder)

    monkeypatch.setattr(Chain, "serve", lazy)
    monkeypatch.setattr(Kiosk, "power_off", forgetful)
    climate = Climate(kiosk_points=400, line_cut_s=2 * HOUR_S, line_down_s=6 * HOUR_S)
    assert rules_broken(range(1, 6), 0.5, climate) & {KEPT, SUSPECTS}


def test_a_restored_disk_does_not_ask_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(store: object, register: object) -> bool:
        return False

    monkeypatch.setattr(sync_loop, "take_place", nowhere)
    monkeypatch.setattr(weather, "EAGER", 0.0)
    climate = Climate(image_s=2 * HOUR_S, restore_s=4 * HOUR_S, clone_s=1000 * HOUR_S)
    assert rules_broken(range(1, 6), 1.0, climate) & {SUSPECTS, KEPT, QUIET}


def test_a_clone_goes_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "heard_boot", lambda *asked: True)
    climate = Climate(clone_s=6 * HOUR_S)
    assert rules_broken(range(1, 6), 1.0, climate) & {SUSPECTS, EQUAL, QUIET, LEDGER}


def test_leases_are_given_back_by_a_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _spent_in_two_shops(tmp_path / "sound") == ""
    real = Leases.share_out

    async def share_out(self: Leases) -> int:
        await self._store.transact(lambda tx: _take_back(self, tx))
        return await real(self)

    monkeypatch.setattr(Leases, "share_out", share_out)
    assert _spent_in_two_shops(tmp_path / "twin") == NO_OVERDRAFT


def _take_back(self: Leases, tx: Transaction) -> None:
    """Close every lease that is older than an hour, whatever its holder has spent of it unheard."""
    now, program = self._clock.now(), telling.told_program(tx)
    assert program is not None
    for name in central_members.names(tx, "", 100):
        known = central_members.load(tx, name)
        for lease in () if known is None else known.state.leases:
            known = central_members.load(tx, name)
            if known is not None and (now - lease.at).total_seconds() > HOUR_S:
                decision = lease_rules.decide_close(known.state, lease, program, now)
                self._chain.record(tx, decision, "all", now)


def _spent_in_two_shops(folder: Path) -> str:
    """A member has 150 points, and one shop 30 of them on lease when its line is cut. Everything is spent in
    the other shop, and then the lease; return which promise is broken once both have told."""

    async def life() -> str:
        chain = Chain(Plan(NO_QUOTA, 1.0, 2, 2), folder, empty)
        chain.over = asyncio.get_running_loop().create_future()
        story = Weather(chain, Climate())
        try:
            await story.start_central()
            await chain.headquarters.tell(chain.rules[0])
            for shop in range(2):
                await story.switch_on(await chain.found(shop))
            await asyncio.sleep(60)
            holder, other = chain.kiosks
            assert await chain.serve(holder, customers.join("join", 0))
            assert await chain.serve(holder, customers.buy("buy", 0, [SET]))
            await asyncio.sleep(2 * HOUR_S)
            chain.lines[0].cut()
            await asyncio.sleep(5 * HOUR_S)
            got = [await chain.serve(other, customers.reward(f"other-{n}", 0, "cup")) for n in range(6)]
            assert sum(one is not None for one in got) >= 4
            assert await chain.serve(holder, customers.reward("holder", 0, "cup")), "it has a lease"
            chain.lines[0].mend()
            await asyncio.sleep(5 * HOUR_S)
            await chain.auditor.look(chain.disks)
            return ""
        except Broken as broken:
            return broken.rule
        finally:
            for kiosk in chain.kiosks:
                await kiosk.power_off()
            await chain.headquarters.stop()
            if chain.over.done():
                chain.over.exception()

    folder.mkdir()
    empty = simulation._empty(folder)
    with simulation._unhurried(), simulation._heard(), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(life())
