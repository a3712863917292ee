"""What must be true of every shop and member whatever the story: chains whole, states rebuilt, books even."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

from tapledger.database import Transaction
from tapledger.errors import TapledgerError
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World
from tapledger.loyalty import ledger, tallies
from tapledger.loyalty import members as rules
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member
from tapledger.store import history, journal, members
from tapledger.store.journal import Broken
from tapledger_central.store import members as central_members

EVERYBODY = 10_000
ROUNDS = 3
"""Of talking to central until every shop knows what every other did."""


async def audit(world: World) -> list[str]:
    """Return what is wrong, one sentence each; empty when all is well.

    A story with central first tells it everything, so it must not be asked in the middle of one.
    """
    is_alone = world.central is None
    found = [one for place in world.places.values() for one in await look(place, is_alone=is_alone)]
    return found if is_alone else found + await _together(world)


async def look(place: Place, *, is_alone: bool) -> list[str]:
    """Return what is wrong with one shop in the middle of a story."""
    found = await _chain(place)
    if is_alone:
        found += await place.shop.store.transact(lambda tx: _alone(tx, place.name))
    return found


async def _chain(place: Place) -> list[str]:
    def work(tx: Transaction) -> list[str]:
        steps = journal.verify(tx, place.shop.store.keyring.node)
        broken = [
            f"event {one.seq} of shop {place.name}: {one.why}" for one in steps if isinstance(one, Broken)
        ]
        damaged = journal.check_file(tx)
        return [*broken, f"the file of shop {place.name}: {damaged}"] if damaged else broken

    return await place.shop.store.transact(work)


def _alone(tx: Transaction, name: str) -> list[str]:
    """Compare what a shop keeps of its members with all its events folded again."""
    events = list(history.everything(tx))
    folded: dict[str, Member] = {}
    for body in events:
        if body.member is not None:
            folded[body.member] = rules.fold(folded.get(body.member), body)
    found = []
    if set(history.members_after(tx, "", EVERYBODY)) != set(folded):
        found.append(f"shop {name} knows other members than its events")
    for member, rebuilt in folded.items():
        kept = members.load_alias(tx, member)
        if kept is None or kept.member != rebuilt:
            found.append(f"what shop {name} keeps of a member is not what their events make of them")
    return found + _uneven(folded.values(), events)


async def _together(world: World) -> list[str]:
    """Bring everybody up to date, then compare every shop with central, and members with their lines."""
    central = world.central
    assert central is not None
    for place in world.places.values():
        place.shop.reachable = True
    try:
        for place in [*world.places.values()] * ROUNDS:
            await place.sync()
    except TapledgerError as error:
        return [f"the shops do not come together: {error.code}"]
    found: list[str] = []
    events: list[EventBody] = []
    states: dict[str, Member] = {}
    for name, place in world.places.items():
        mine, own = await place.shop.store.transact(_of_shop)
        events += own
        for member, state in mine.items():
            applied = await central.store.transact(partial(central_members.load, member=member))
            if applied is None or applied.state != state:
                found.append(f"shop {name} and central do not agree on a member")
            else:
                states[member] = applied.state
    return found + _uneven(states.values(), events)


def _of_shop(tx: Transaction) -> tuple[dict[str, Member], list[EventBody]]:
    states = {}
    for member in history.members_after(tx, "", EVERYBODY):
        kept = members.load_alias(tx, member)
        assert kept is not None
        states[member] = kept.member
    return states, list(history.everything(tx))


def _uneven(states: Iterable[Member], events: Iterable[EventBody]) -> list[str]:
    """Name every pool in which lots less deficit are not what the lines of the ledger come to (I1)."""
    sums = Counter[str]()
    for body in events:
        for line in body.lines:
            sums[line.account] += line.amount
    found = []
    known = {state.id: state for state in states}
    for state in known.values():
        if state.merged_into:
            continue  # what came late in this name is counted with the other
        names = merging.names_of(state, known.get)
        for pool in (POINTS, PRINCIPAL, BONUS):
            have = sum(lot.remaining for lot in state.lots if lot.pool == pool)
            have -= rules.deficit_of(state, pool)
            have -= tallies.total(state.tallies, tallies.of_overlapse(pool))
            if pool == POINTS:
                booked = sum(sums[ledger.member_points(one)] for one in names)
            else:
                booked = -sum(sums[ledger.member_value(one, pool)] for one in names)
            if have != booked:
                found.append(f"{pool} of a member: the lots have {have}, the ledger {booked}")
    return found
