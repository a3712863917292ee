"""A shop without its line to central: what its hub holds on lease is spent once, whoever spends it."""

from __future__ import annotations

import asyncio
import os

import msgspec
import pytest

from tapledger.errors import Conflict, Denied, Refused, TapledgerError, Unavailable
from tapledger.loyalty import sharing
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import POINTS, Lease, Leased, LotTake
from tapledger.loyalty.leases import Asked
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, points
from tapledger.loyalty.program import Program
from tapledger.membership import permits
from tapledger.membership import sharing as giving
from tapledger.membership.sharing import share
from tapledger.store import ahead, members, outbox
from tapledger.sync import hub as asking
from tapledger.sync import transport
from tapledger.sync.client import CentralClient
from tapledger.wire.asking import ShareAsked
from tapledger.wire.news import ProgramNews
from tapledger_central import telling
from tapledger_central.leases import Leases
from tapledger_central.outstanding import find as outstanding
from tests.central.chains import held
from tests.central.world import HandClock
from tests.hub.branch import Box, Branch, node_of


async def unsettled(box: Box) -> int:
    return await box.node.store.transact(members.unsettled_in_all)


async def overdrawn(branch: Branch) -> list[str]:
    listed = (await held(branch.world.central))["difference"]
    return [str(one["detail"]) for one in listed if one["code"] == "OVERDRAWN"]


async def test_kiosks_spend_the_hubs_lease_together_and_never_beyond_it(branch: Branch) -> None:
    left, right = branch.kiosks
    await branch.leave()
    for box in (left, right, left, right):
        await box.redeem("r100")
        assert ((await box.member()).deficit, await unsettled(box)) == (0, 0), "a lease paid"
    assert (await branch.hub.leased(), await left.leased(), await right.leased()) == (0, 0, 0)
    for box in (left, right):
        await box.redeem("r100")
        assert await unsettled(box) == 100, "what is beyond falls to the quota"
        assert await box.refused("r100") == "UNSETTLED_LIMIT"
    branch.wire.cut = False
    await branch.sync()
    state = await branch.central()
    assert (state.deficit, state.leases) == (0, ())
    have = points(state, branch.world.clock.now())
    assert (have.available, have.held, have.leased) == (400, 600, 0)
    for box in (branch.hub, left, right):
        assert await box.member() == state
        assert await box.node.store.transact(lambda tx: ahead.missing(tx, ["li"], {})) == []
    assert await overdrawn(branch) == []


async def test_what_the_hub_gave_reaches_central_before_what_became_of_it(branch: Branch) -> None:
    """Kiosks come back first; all of the balance is on lease, so that the order shows."""
    left, _ = branch.kiosks
    assert branch.hub.shop.permits is not None
    await branch.hub.shop.permits.ask("li", POINTS, 600)
    await branch.leave()
    await left.redeem("r500")
    branch.wire.cut = False
    branch.wire.carried.clear()
    await left.sync()
    pushed = [one for one in branch.wire.carried if one.startswith("POST") and one.endswith("/events")]
    assert pushed[0] == f"POST /v1/nodes/{branch.hub.name}/events"
    assert f"POST /v1/nodes/{left.name}/events" in pushed[1:]
    assert (await branch.central()).deficit == 0


# ---- a row of central's that does not know yet ------------------------------------------------------------
async def _told_too_early(branch: Branch) -> Box:
    """A kiosk whose spending central knows of and the hub's part does not: it did not come by the hub."""
    left, _ = branch.kiosks
    await branch.leave()
    left.shop.hub_silent_until_s = float("-inf")
    await ask(left, 300)
    await left.redeem("r100")
    async with transport.http() as way:
        central = left.settings.url
        direct = CentralClient(way, central, left.node.keyring, left.node.clock, os.urandom)
        left.node.client = direct
        await left.node.push()
        assert await branch.world.central.caught_up()
        await left.node.pull()
    return left


async def ask(box: Box, amount: int) -> None:
    assert box.shop.hub is not None
    await box.shop.hub.ask("li", POINTS, amount)


async def test_what_was_spent_of_it_stays_spent_until_central_hears_the_hub(branch: Branch) -> None:
    left = await _told_too_early(branch)
    assert await left.leased() == 200, "of 300: what central has applied without the lease counts as drawn"
    before = await left.member()
    branch.wire.cut = False
    await branch.sync()
    assert await left.member() == await branch.central()
    assert before.leases[-1].id in {one.id for one in (await branch.central()).leases}
    assert await left.leased() == 200


async def test_a_kiosk_that_only_adds_what_it_heard_would_spend_it_twice(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""
    nothing = msgspec.structs.replace
    monkeypatch.setattr(ahead, "of_leases", lambda body, leases: nothing(body, effects=()))
    left = await _told_too_early(branch)
    assert await left.leased() == 300


async def test_a_lease_of_a_hub_that_is_gone_for_good_is_closed_and_forgotten(branch: Branch) -> None:
    left = await _told_too_early(branch)
    branch.world.clock.move(73 * 3600)
    assert await permits.close_due(left.shop) == 1
    async with transport.http() as way:
        left.node.client = CentralClient(
            way, left.settings.url, left.node.keyring, left.node.clock, os.urandom
        )
        await left.sync_directly()
    assert await left.leased() == 0
    await left.node.sale("li", 100)
    assert await left.node.store.transact(lambda tx: ahead.missing(tx, ["li"], {})) == []


# ---- the hub ----------------------------------------------------------------------------------------------
async def test_the_same_question_is_answered_by_the_same_event(branch: Branch) -> None:
    left, right = branch.kiosks
    hub = branch.hub
    asked = ShareAsked(id="once", member="li", pool="points", amount=150)
    one = await share(hub.shop, left.name, asked)
    assert (await share(hub.shop, left.name, asked)).raw == one.raw
    assert await hub.leased() == 250
    more = msgspec.structs.replace(asked, amount=151)
    for node, other in ((left.name, more), (right.name, asked)):
        with pytest.raises(Conflict, match="IDEMPOTENCY_MISMATCH"):
            await share(hub.shop, node, other)
    with pytest.raises(Refused, match="POINTS_MISSING"):
        await share(hub.shop, left.name, ShareAsked(id="2", member="li", pool="points", amount=251))
    with pytest.raises(TapledgerError, match="MEMBER_UNKNOWN"):
        await share(hub.shop, left.name, ShareAsked(id="3", member="wu", pool="points", amount=1))
    assert await hub.leased() == 250


async def test_a_hub_that_may_not_spend_itself_gives_nothing(branch: Branch) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    branch.hub.shop.stopped = "NOT_TRUSTED"
    with pytest.raises(Refused, match="NOT_TRUSTED"):
        await ask(left, 100)
    branch.hub.shop.stopped = ""
    branch.world.clock.move(73 * 3600)
    with pytest.raises(Refused, match="AWAY_TOO_LONG"):
        await ask(left, 100)
    assert await left.leased() == 0


async def test_only_active_computers_of_the_same_shop_are_given_anything(branch: Branch) -> None:
    left, right = branch.kiosks
    stranger = await node_of(branch.world, "elsewhere", "stranger")
    central, now = branch.world.central, branch.world.clock.now()
    await central.store.transact(lambda tx: telling.change_status(tx, right.name, "quarantined", now))
    await branch.hub.sync()
    right.shop.hub_silent_until_s = float("-inf")
    asked = ShareAsked(id="x", member="li", pool="points", amount=100)
    async with transport.http() as way:
        for keyring, expected in (
            (stranger.keyring, "NODE_SUSPENDED"),
            (right.node.keyring, "NODE_SUSPENDED"),
        ):
            client = asking.HubClient(
                way, branch.address, branch.hub.name, keyring, branch.world.clock, os.urandom
            )
            key = branch.hub.node.keyring.signing_key.public_key().public_bytes_raw()
            with pytest.raises((Denied, Unavailable)) as error:
                await client.share(asked, key)
            assert expected in (error.value.code, error.value.data.get("why"))
    assert await branch.hub.leased() == 400
    await branch.leave()
    await ask(left, 100)


async def test_a_wrong_clock_is_told_the_hubs_time(branch: Branch) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    slow = HandClock(branch.world.clock.now())
    slow.move(-300)
    key = branch.hub.node.keyring.signing_key.public_key().public_bytes_raw()
    asked = ShareAsked(id="x", member="li", pool="points", amount=100)
    async with transport.http() as way:
        client = asking.HubClient(way, branch.address, branch.hub.name, left.node.keyring, slow, os.urandom)
        event, _ = await client.share(asked, key)
    assert event.body.kind == sharing.KIND


# ---- a hub that is not there ------------------------------------------------------------------------------
async def test_without_the_hub_each_kiosk_falls_to_its_own_quota(branch: Branch) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    await branch.end_hub()
    await left.redeem("r100")
    assert await unsettled(left) == 100
    assert not left.shop.has_hub, "it is not asked again for a while"
    assert await left.refused("r100") == "UNSETTLED_LIMIT"
    branch.world.clock.move(permits.SILENT_S)
    assert left.shop.has_hub


async def test_a_hub_that_hangs_costs_one_deadline(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    met: list[str] = []
    never = asyncio.Event()

    async def hang(member: str, pool: str, amount: int) -> None:
        met.append(member)
        await never.wait()

    monkeypatch.setattr(permits, "ASK_DEADLINE_S", 0.01)
    monkeypatch.setattr(left.shop.hub, "ask", hang)
    await left.redeem("r100")
    assert await left.refused("r100") == "UNSETTLED_LIMIT"
    assert met == ["li"]


# ---- answers that are none --------------------------------------------------------------------------------
def _for_another(given: EventBody) -> EventBody:
    *draws, last = given.effects
    assert isinstance(last, Leased)
    return msgspec.structs.replace(
        given, effects=(*draws, Leased(msgspec.structs.replace(last.lease, node="somebody")))
    )


def _more(given: EventBody) -> EventBody:
    *draws, last = given.effects
    assert isinstance(last, Leased)
    taken = tuple(msgspec.structs.replace(one, amount=one.amount * 3) for one in last.lease.taken)
    return msgspec.structs.replace(
        given, effects=(*draws, Leased(msgspec.structs.replace(last.lease, taken=taken)))
    )


def _undrawn(given: EventBody) -> EventBody:
    return msgspec.structs.replace(given, effects=given.effects[-1:])


def _of_another(given: EventBody) -> EventBody:
    return msgspec.structs.replace(given, member="wu")


async def test_an_event_that_gives_anything_else_is_none(branch: Branch) -> None:
    hub, now = branch.hub, branch.world.clock.now()
    asked = Asked("x", branch.kiosks[0].name, POINTS, 100)
    body = sharing.decide_share(await hub.member(), asked, hub.name, hub.shop.program, now).body
    assert sharing.given(body, asked, "li") is not None
    for spoil in (_for_another, _more, _undrawn, _of_another):
        assert sharing.given(spoil(body), asked, "li") is None, spoil.__name__
    for other in (msgspec.structs.replace(body, kind="lease"), msgspec.structs.replace(body, effects=())):
        assert sharing.given(other, asked, "li") is None


async def test_an_answer_signed_by_another_key_is_not_taken(branch: Branch) -> None:
    left, right = branch.kiosks
    key = right.node.keyring.signing_key.public_key().public_bytes_raw()
    asked = ShareAsked(id="x", member="li", pool="points", amount=100)
    async with transport.http() as way:
        client = asking.HubClient(
            way, branch.address, branch.hub.name, left.node.keyring, branch.world.clock, os.urandom
        )
        with pytest.raises(Unavailable, match="CENTRAL_ANSWER_UNPROVED"):
            await client.share(asked, key)


def gives_without_drawing(member: Member, asked: Asked, hub: str, program: Program, now: object) -> Decision:
    """What a broken hub records: a lease out of nothing."""
    at = member.joined_at
    lot = member.lots[0]
    lease = Lease(
        asked.id, asked.node, asked.pool, (LotTake(lot.id, asked.amount),), at, at.replace(year=2030)
    )
    body = EventBody(kind=sharing.KIND, at=at, program="1", member=member.id, effects=(Leased(lease),))
    return decision(member, body)


async def test_a_hub_that_gives_without_drawing_is_not_believed_and_is_listed(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    monkeypatch.setattr(giving, "decide_share", gives_without_drawing)
    with pytest.raises(Unavailable, match="CENTRAL_ANSWER_UNPROVED"):
        await ask(left, 100)
    assert await left.leased() == 0
    branch.wire.cut = False
    await branch.sync()
    assert await overdrawn(branch) == ["100 points"], "although nothing is missing anywhere yet"


async def test_a_kiosk_that_looks_at_nothing_would_spend_it(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of the kiosk."""
    left, _ = branch.kiosks
    await branch.leave()
    monkeypatch.setattr(giving, "decide_share", gives_without_drawing)
    monkeypatch.setattr(sharing, "given", lambda body, asked, member: object())
    await ask(left, 100)
    assert await left.leased() == 100


# ---- what the hub holds -----------------------------------------------------------------------------------
async def test_the_share_for_whom_a_kiosk_sees_is_leased_to_its_hub(branch: Branch) -> None:
    left, right = branch.kiosks
    world = branch.world
    table = msgspec.to_builtins(left.shop.program) | {"offline": {"lease_share_pct": 20}}
    told = ProgramNews(version="1", content=msgspec.json.encode(table, order="sorted"), text="")
    now = world.clock.now()
    await world.central.store.transact(lambda tx: telling.program(tx, told, now))
    rooms = Leases(world.central.store, world.central.keys, world.clock, os.urandom)
    await left.node.join("wu")
    await left.node.sale("wu", 1000 * 100)
    await branch.sync()
    assert await rooms.share_out() == 1
    await branch.sync()
    member = await right.node.member("wu")
    assert member is not None
    assert [one.node for one in member.leases] == [branch.hub.name]
    await branch.leave()
    await right.redeem("r100", "wu")
    assert await unsettled(right) == 0


# ---- afterwards -------------------------------------------------------------------------------------------
async def test_a_part_whose_holder_is_lost_can_be_written_off(branch: Branch) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    await ask(left, 100)
    branch.wire.cut = False
    await branch.hub.sync()
    assert await branch.world.central.caught_up()
    world = branch.world
    found = [one for one in await outstanding(world.central.store) if one.node == left.name]
    assert [(one.rest, one.pool) for one in found] == [(100, POINTS)]
    rooms = Leases(world.central.store, world.central.keys, world.clock, os.urandom)
    assert await rooms.write_off(found[0].lease, "the owner") == 100
    assert points(await branch.central(), world.clock.now()).leased == 300


async def test_the_hub_knows_what_it_gave_and_did_not_send(branch: Branch) -> None:
    left, _ = branch.kiosks
    await branch.leave()
    assert not await branch.hub.node.store.transact(outbox.has_given)
    await ask(left, 100)
    assert await branch.hub.node.store.transact(outbox.has_given)
    branch.wire.cut = False
    await branch.hub.sync()
    assert not await branch.hub.node.store.transact(outbox.has_given)
