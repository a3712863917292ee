"""Points between two shops of an alliance: whatever is lost on the way, no point is (section 3.21)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tapledger.errors import Refused, TapledgerError, Unavailable
from tapledger.lab.partner import Losing
from tapledger.loyalty import ledger
from tapledger.loyalty import members as fold
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import Credited, Lot
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life.lifecycle import Erase, decide_erase
from tapledger.loyalty.members import Points
from tapledger.loyalty.program.people import Partner
from tapledger.membership import alliance, night, redemption
from tapledger.membership.alliance import SendCommand, send_points, settle_open, take_points
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store import members, partners
from tests.store.shops import Bench, HandClock, card

OVER_THERE = Partner("mall", {"en": "Mall"}, 3, 2, 3, 2, price_minor=5, overdraft="allow", expiry_days=30)


class Line:
    """The way to the partner's shop, and what gets lost on it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.losing: Losing = ""

    async def credit(self, key: str, member: str, points: int) -> None:
        if self.losing in ("request", "everything"):
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost")
        await take_points(self.shop, key, "mall", member, points)
        if self.losing == "answer":
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost")

    async def has_credited(self, key: str) -> bool:
        if self.losing == "everything":
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost")
        return await alliance.has_taken(self.shop, key, "mall")


@dataclass
class Two:
    """Our shop with Li and 1000 points, and the partner's with Li and none."""

    here: Bench
    there: Bench
    li: str
    theirs: str
    line: Line

    def command(self, points: int = 1000, **changes: Any) -> SendCommand:
        made = SendCommand(
            os.urandom(4).hex(), self.li, card("li", 3), "mall", self.theirs, points, "s-1", "en"
        )
        return replace(made, **changes)

    async def ours(self) -> Points:
        return await _points(self.here, self.li)

    async def over_there(self) -> int:
        return (await _points(self.there, self.theirs)).available

    async def account(self, bench: Bench) -> int:
        return (await alliance.account(bench.shop, "mall"))[0]

    async def send(self, points: int = 1000) -> partners.Sending:
        return await send_points(self.here.shop, self.line, self.command(points))

    def rules(self, **changes: Any) -> None:
        for bench in (self.here, self.there):
            partner = msgspec.structs.replace(OVER_THERE, **changes)
            bench.shop.program = msgspec.structs.replace(bench.shop.program, partners=[partner])


async def _points(bench: Bench, member: str) -> Points:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return fold.points(stored.member, bench.clock.now())


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    clock = HandClock()
    here, there = Bench(tmp_path / "here", clock), Bench(tmp_path / "there", clock)
    for bench in (here, there):
        await bench.open()
    li, theirs = await here.join("Li", card("li", 3)), await there.join("Li", card("li", 3))
    body = EventBody(
        kind="grant",
        at=clock.now(),
        program="1",
        member=li,
        lines=(
            ledger.Line(ledger.member_points(li), "POINT", 1000),
            ledger.Line(ledger.PROGRAM_POINTS, "POINT", -1000),
        ),
        effects=(Credited(Lot("gift", 1000, 1000, clock.now(), None)),),
    )
    await change_member(here.shop, operation("gift"), li, lambda tx, known, now: decision(known.member, body))
    made = Two(here, there, li, theirs, Line(there.shop))
    made.rules()
    yield made
    for bench in (here, there):
        await bench.close()


@pytest.mark.parametrize(("points", "given", "stays"), [(1000, 444, 1), (999, 444, 1), (2, 0, 0)])
async def test_G92_only_full_steps_go_over(two: Two, points: int, given: int, stays: int) -> None:
    """3 of ours become 2 on the way, and 3 of those become 2 there: 1000 to 666 to 444."""
    if not given:
        with pytest.raises(Refused, match="EXCHANGE_TOO_SMALL"):
            await two.send(points)
        assert (await two.ours()).available == 1000
        return
    sent = await two.send(points)
    assert (sent.taken, sent.given, sent.state) == (999, 666, "sent")
    assert ((await two.ours()).available, (await two.ours()).held) == (stays, 0)
    assert await two.over_there() == given


async def test_points_from_a_partner_have_their_own_expiry(two: Two) -> None:
    await two.send()
    two.there.clock.move(31 * 86_400)
    assert await two.over_there() == 0


@pytest.mark.parametrize("losing", ["request", "answer", "everything"])
async def test_whatever_is_lost_on_the_way_it_ends_once(two: Two, losing: Losing) -> None:
    two.line.losing = losing
    command = two.command()
    with pytest.raises(Unavailable, match="EXCHANGE_UNCERTAIN"):
        await send_points(two.here.shop, two.line, command)
    assert ((await two.ours()).available, (await two.ours()).held) == (1, 999)
    if losing == "everything":
        with pytest.raises(Unavailable):
            await settle_open(two.here.shop, "mall", two.line)
    two.here.clock.move(400 * 86_400)
    await night.run(two.here.shop)
    assert (await two.ours()).held == 999, "time alone frees nothing that the partner may have"
    two.line.losing = ""
    (ended,) = await settle_open(two.here.shop, "mall", two.line)
    arrived = losing == "answer"
    assert ended.state == ("sent" if arrived else "released")
    assert ((await two.ours()).available, (await two.ours()).held) == (1 if arrived else 1000, 0)
    assert await settle_open(two.here.shop, "mall", two.line) == []
    assert await send_points(two.here.shop, two.line, command) == ended


async def test_the_same_command_again_asks_what_became_of_it(two: Two) -> None:
    two.line.losing = "answer"
    command = two.command()
    with pytest.raises(Unavailable):
        await send_points(two.here.shop, two.line, command)
    assert (await send_points(two.here.shop, two.line, command)).state == "sent"
    assert await two.over_there() == 444


async def test_a_key_that_was_given_up_is_never_credited(two: Two) -> None:
    two.line.losing = "request"
    command = two.command()
    with pytest.raises(Unavailable):
        await send_points(two.here.shop, two.line, command)
    await settle_open(two.here.shop, "mall", two.line)
    with pytest.raises(Refused, match="EXCHANGE_GIVEN_UP"):
        await take_points(two.there.shop, command.key, "mall", two.theirs, 666)
    assert await two.over_there() == 0


async def test_a_request_that_is_delivered_three_times_counts_once(two: Two) -> None:
    for _ in range(3):
        await take_points(two.there.shop, "same", "mall", two.theirs, 300)
    assert await two.over_there() == 200


async def test_a_partners_refusal_gives_the_points_back(two: Two) -> None:
    command = two.command(theirs="nobody")
    with pytest.raises(TapledgerError, match="MEMBER_UNKNOWN"):
        await send_points(two.here.shop, two.line, command)
    assert ((await two.ours()).available, (await two.ours()).held) == (1000, 0)
    assert await two.account(two.here) == 0
    with pytest.raises(Refused, match="EXCHANGE_GIVEN_UP"):
        await take_points(two.there.shop, command.key, "mall", two.theirs, 666)


async def test_points_on_their_way_are_not_undone_like_a_reward(two: Two) -> None:
    two.line.losing = "answer"
    command = two.command()
    with pytest.raises(Unavailable):
        await send_points(two.here.shop, two.line, command)
    with pytest.raises(Refused, match="VOUCHER_DELIVERED"):
        await redemption.undo_reward(two.here.shop, "undo", two.li, command.key)


async def test_who_was_erased_in_the_meantime_gets_nothing_twice(two: Two) -> None:
    two.line.losing = "answer"
    with pytest.raises(Unavailable):
        await two.send()
    await change_member(
        two.here.shop,
        operation("erase"),
        two.li,
        lambda tx, known, now: decide_erase(known.member, Erase("s-1"), two.here.shop.program, now),
    )
    (ended,) = await settle_open(two.here.shop, "mall", two.line)
    assert ended.state == "sent"
    assert await two.over_there() == 444


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"points": 0}, "POINTS_IMPOSSIBLE"),
        ({"points": -3}, "POINTS_IMPOSSIBLE"),
        ({"points": 2**63}, "POINTS_IMPOSSIBLE"),
        ({"points": 1002}, "POINTS_MISSING"),
        ({"partner": "nobody"}, "PARTNER_UNKNOWN"),
        ({"presented": card("li", 0)}, "CARD_ONLY_IDENTIFIES"),
    ],
)
async def test_a_refused_exchange_changes_nothing(two: Two, changes: dict[str, Any], code: str) -> None:
    before = two.here.tables(), two.there.tables()
    with pytest.raises(TapledgerError) as error:
        await send_points(two.here.shop, two.line, two.command(**changes))
    assert error.value.code == code
    assert (two.here.tables(), two.there.tables()) == before


async def test_the_account_of_each_shop_and_what_it_is_worth(two: Two) -> None:
    await two.send()
    assert await alliance.account(two.here.shop, "mall") == (-999, -4995)
    assert await alliance.account(two.there.shop, "mall") == (444, 2220)


async def test_a_shop_without_overdraft_pays_in_first(two: Two) -> None:
    two.rules(overdraft="deny")
    with pytest.raises(Refused) as error:
        await two.send()
    assert (error.value.code, error.value.data) == ("ALLIANCE_OVERDRAFT", {"points": 999})
    for _ in range(2):
        await alliance.pay_in(two.here.shop, "paid", "mall", 1000, "s-1")
    assert await two.account(two.here) == 1000
    await two.send()
    assert await two.account(two.here) == 1


async def test_the_ledger_says_the_same_as_the_account(two: Two) -> None:
    await two.send()
    await alliance.pay_in(two.here.shop, "paid", "mall", 50, "s-1")
    from tapledger.wire.codec import decode_event

    for bench, expected in ((two.here, 949), (two.there, -444)):
        lines = [x for (raw,) in bench.rows("SELECT raw FROM event") for x in decode_event(raw).body.lines]
        assert sum(x.amount for x in lines if x.account == "partner/mall/points") == expected
        assert await two.account(bench) == -expected
