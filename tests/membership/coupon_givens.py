"""What the tests of coupons in a real store start from."""

from __future__ import annotations

from typing import Any

import msgspec

from tapledger.loyalty.coupons import couponing, wallet
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import Effect
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program import Template
from tapledger.loyalty.promotions.amount import Amount
from tapledger.membership import registration
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining
from tapledger.membership.shop import operation
from tapledger.store import members
from tapledger.store.journal import Recorded
from tests.store.shops import Bench

MINUTE_S = 60.0


def set_up(bench: Bench, *templates: Template) -> None:
    bench.shop.program = msgspec.structs.replace(bench.shop.program, coupons=list(templates))


def template(id_: str = "ten", **terms: Any) -> Template:
    return Template(id_, Amount(1000), **terms)


async def joined(bench: Bench, count: int) -> list[str]:
    found = []
    for number in range(count):
        joining = Joining(f"j-{number}", "Ann", "", (Presented("card", f"c-{number}", 1, "test"),), None)
        recorded = await registration.register_member(bench.shop, joining)
        found.append(recorded.event.body.member or "")
    return found


async def states(bench: Bench, member: str) -> dict[str, str]:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return {one.id: wallet.state(one, bench.clock.now()) for one in stored.member.coupons}


async def posted(bench: Bench, key: str, member: str | None, make: Any, kind: str = "sale") -> Recorded:
    """Record an event with the effects that ``make(member)`` returns, as a sale or a return does."""

    def work(tx: Any) -> Recorded:
        stored = None if member is None else members.load(tx, member)
        holder = None if stored is None else stored.member
        effects: tuple[Effect, ...] = make(holder)
        body = EventBody(kind=kind, at=bench.clock.now(), program="1", member=member, effects=effects)
        return bench.shop.record(tx, operation(key), decision(holder, body), bench.clock.now())

    return await bench.shop.store.transact(work)


async def use(bench: Bench, name: str, sale: str, member: str | None = None) -> Recorded:
    def make(holder: Any) -> tuple[Effect, ...]:
        return couponing.redeem_effects(holder, [name], sale, bench.shop.program, bench.clock.now())

    return await posted(bench, f"pay-{sale}", member, make)
