"""Each guarantee broken on purpose: a few lives see it, and by which promise."""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import replace
from typing import Any

import pytest

from tapledger.lab.world import customers, weather
from tapledger.lab.world.chain import Chain, Plan
from tapledger.lab.world.customers import Wish
from tapledger.lab.world.kiosks import Disk, Kiosk
from tapledger.lab.world.rules import TOWEL
from tapledger.lab.world.simulation import simulate
from tapledger.lab.world.trace import ACKNOWLEDGED, BOUND, EQUAL, KEPT, LEDGER, NO_OVERDRAFT, QUIET, SUSPECTS
from tapledger.lab.world.weather import Climate
from tapledger.loyalty import leases as lease_rules
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, fold
from tapledger.store import members
from tapledger.store.journal import Recorded
from tapledger.sync import loop as sync_loop
from tapledger.wire.messages import Batch, BatchAnswer
from tapledger_central import app, apply
from tapledger_central.leases import Leases, _program
from tapledger_central.store import Transaction, nodes
from tapledger_central.store import members as central_members
from tapledger_central.store.nodes import Node

HOUR_S = 3600.0


def rules_broken(seeds: range, days: float = 1.0, climate: Climate | None = None, shops: int = 2) -> set[str]:
    """Live until one of the seeds breaks something; return what is broken."""
    for seed in seeds:
        outcome = simulate(Plan(seed, days, 4, shops), climate)
        if outcome.rule:
            return {outcome.rule}
    return set()


def test_own_events_folded_again_onto_a_state_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    real = members.replace_all

    def unsettled(tx: Any, told: Any) -> None:
        real(tx, [replace(one, epoch=0, seq=0) for one in told])

    monkeypatch.setattr(members, "replace_all", unsettled)
    assert rules_broken(range(1, 4), 0.3) & {EQUAL, LEDGER}


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
    assert rules_broken(range(1, 6), 1.0, climate) & {SUSPECTS, EQUAL, QUIET}


def test_leases_are_given_back_by_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Leases.share_out

    async def share_out(self: Leases) -> int:
        await self._store.transact(lambda tx: _take_back(self, tx))
        return await real(self)

    monkeypatch.setattr(Leases, "share_out", share_out)
    monkeypatch.setattr(customers, "draw", _spender)
    climate = Climate(
        line_cut_s=1.5 * HOUR_S, line_down_s=4 * HOUR_S, rush_s=1500.0, image_s=1e6, kiosk_points=100_000
    )
    assert rules_broken(range(3, 30, 3), 1.0, climate, 4) & {NO_OVERDRAFT, BOUND}


def _spender(chance: random.Random, key: str, people: int, disk: Disk) -> Wish:
    """Everybody spends all they have, everywhere."""
    number = chance.randrange(people)
    if chance.random() < 0.1:
        return customers.buy(key, number, [TOWEL])
    return customers.reward(key, number, chance.choice(["sip", "cup", "pot"]))


def _take_back(self: Leases, tx: Transaction) -> None:
    """Close every lease that is older than an hour, whatever its holder has spent of it unheard."""
    now, program = self._clock.now(), _program(tx)
    assert program is not None
    for name in central_members.names(tx, "", 100):
        known = central_members.load(tx, name)
        for lease in () if known is None else known.state.leases:
            known = central_members.load(tx, name)
            if known is not None and (now - lease.at).total_seconds() > HOUR_S:
                decision = lease_rules.decide_close(known.state, lease, program, now)
                self._chain.record(tx, decision, "all", now)
