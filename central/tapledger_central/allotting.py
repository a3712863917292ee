"""Divides each shop's limited stock among its computers, and counts what they give out of it.

What is divided is the stock of the programme that was told last (``loyalty.rewards.allotting``). Computers
hear of their allotments by the feed. One falls by its holder's own event, or by an operator's write-off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import msgspec

from tapledger.clock import Clock
from tapledger.errors import Conflict, NotFound
from tapledger.identifiers import Randomness
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.rewards import allotting
from tapledger.loyalty.rewards.allotting import Returned, Settled, Slice, Used
from tapledger.wire.codec import decode_event
from tapledger.wire.news import AllotmentNews
from tapledger_central import rounds, telling
from tapledger_central.keys import CentralKeys
from tapledger_central.own_chain import OwnChain, ms
from tapledger_central.store import CentralStore, Transaction, allotments, inbox, members, news, nodes
from tapledger_central.store.following import FOR_STOCK, Unseen
from tapledger_central.store.inbox import Filed
from tapledger_central.store.members import Difference
from tapledger_central.store.news import Item
from tapledger_central.store.nodes import Node

KIND = "allotment"
OVERUSED, WRITTEN_OFF = "STOCK_OVERUSED", "STOCK_WRITTEN_OFF"
EVENTS_AT_ONCE = 500
MAY_COUNT = re.compile(rb"reward/|prize/|settle|hold|stock_back")
"""An event without any of these words uses no stock and gives none back."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Allotting:
    """Divides the stock of one tenant's shops. ``told`` is called when computers have something to hear."""

    def __init__(
        self,
        store: CentralStore,
        keys: CentralKeys,
        clock: Clock,
        randomness: Randomness,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._told = told
        self._chain = OwnChain(keys, randomness)
        self._divided: dict[str, object] = {}
        """What each shop was divided by last: the stock, and its computers."""

    async def share_out(self) -> int:
        """Count what computers have given out since, fill up the allotments of their shops and of those where
        something else is new, and return how many computers were told."""
        limits, shops = await self._store.transact(lambda tx: (_limits(tx), _shops(tx)))
        if not limits:
            return 0  # nothing is counted before there is something to divide
        touched, count = await self._count(limits), 0
        for shop, its in shops.items():
            situation = (limits, its)
            if shop in touched or self._divided.get(shop) != situation:
                count += await self._store.transact(partial(self._divide, shop))
                self._divided[shop] = situation
        if count:
            self._told()
        return count

    async def _count(self, limits: Mapping[str, int]) -> set[str]:
        """Count all that is applied by now; return the shops whose computers have given out something."""
        look = partial(self._count_chain, limits)
        return {*await rounds.through(self._store, FOR_STOCK, self._chain.node, look)} - {""}

    def _count_chain(self, limits: Mapping[str, int], chain: Unseen, tx: Transaction) -> str:
        """Count the next events of a chain, each once for ever; return its shop when there was something."""
        news.lock(tx)
        node, epoch = chain.node, chain.epoch
        after = FOR_STOCK.upto(tx, chain)  # another process may have counted meanwhile
        filed = inbox.events(tx, node, epoch, after, min(EVENTS_AT_ONCE, max(0, chain.upto - after)))
        if not filed:
            return ""
        known = nodes.find(tx, node)
        shop = "" if known is None else known.shop
        found, touched = list[Difference](), False
        for event in filed:
            if event.verdict or not MAY_COUNT.search(event.raw):
                continue
            its, is_about = _use(tx, event, shop)
            touched = touched or is_about
            for key in its:
                over = 0 if key not in limits else allotments.used_in(tx, shop, key) - limits[key]
                if over > 0:
                    place = (node, epoch, event.seq)
                    found.append(Difference(OVERUSED, *place, f"{key} {over}", event.member))
        FOR_STOCK.set(tx, replace(chain, upto=filed[-1].seq))
        now_ms = ms(self._clock.now())
        told = members.list_differences(tx, found, now_ms)
        news.publish(tx, nodes.scope_of(tx, node), told, now_ms)
        return shop if touched else ""

    def _divide(self, shop: str, tx: Transaction) -> int:
        news.lock(tx)
        mine = nodes.of_shop(tx, shop)
        here = {one.node for one in mine}
        active = [one.node for one in mine if one.status == nodes.ACTIVE]
        used, before = allotments.used(tx, shop), allotments.everything(tx, shop)
        for key, stock in _limits(tx).items():
            rows = {one.node: one.slice for one in before if one.key == key}
            counted = {node: Slice(0, count) for (node, name), count in used.items() if name == key}
            # Who went to another shop keeps what it was given here, and what it uses is counted there.
            left = {node: Slice(one.allotted) for node, one in rows.items() if node not in here}
            divided = allotting.divide(stock, {**counted, **rows, **left}, active)
            new = {node: one for node, one in divided.items() if node in here and rows.get(node) != one}
            allotments.put(tx, shop, key, new)
        return sum(self._tell(tx, one) for one in mine)

    def _tell(self, tx: Transaction, node: Node) -> bool:
        """Tell a computer its allotments when they are others than it was told."""
        its = allotments.everything(tx, node.shop, node.node)
        limits = {one.key: one.slice.allotted + one.returned for one in its}
        back = {one.key: one.returned + one.slice.asked for one in its if one.slice.asked}
        body = _encode(AllotmentNews(limits=limits, back=back))
        before = news.told(tx, node.scope, KIND, node.node)
        if body == before or (before is None and not its):
            return False
        item = Item(KIND, node.node, body, only_for=node.node)
        news.publish(tx, node.scope, [item], ms(self._clock.now()))
        return True

    async def write_off(self, node: str, operator: str) -> dict[str, int]:
        """Give back what a computer that is gone for good has not used; return how much of each key.

        What it has given out unheard is lost, never more than that: it is listed as a difference. Raises
        ``NotFound`` NODE_UNKNOWN, and ``Conflict`` NODE_ACTIVE for one that would be given more at once.
        """

        def work(tx: Transaction) -> dict[str, int]:
            news.lock(tx)
            known = nodes.find(tx, node)
            if known is None:
                raise NotFound("NODE_UNKNOWN")
            if known.status == nodes.ACTIVE:
                raise Conflict("NODE_ACTIVE", node=node)
            return self._write_off(tx, known, operator)

        await self._count(await self._store.transact(_limits))
        given_back = await self._store.transact(work)
        self._divided.clear()
        self._told()
        return given_back

    def _write_off(self, tx: Transaction, node: Node, operator: str) -> dict[str, int]:
        rests: dict[str, int] = {}
        for one in allotments.everything(tx, node=node.node):
            if one.slice.rest > 0:
                allotments.put(tx, one.shop, one.key, {node.node: Slice(one.slice.used)})
                rests[one.key] = rests.get(one.key, 0) + one.slice.rest
        if not rests:
            return rests
        now = self._clock.now()
        facts: dict[str, int | str] = {"node": node.node, **rests}
        body = EventBody(kind="stock_write_off", at=now, program="", facts=facts, staff=operator)
        where = self._chain.record(tx, Decision(body, None), node.scope, now)
        place = (node.node, where.epoch, where.seq)
        found = [Difference(WRITTEN_OFF, *place, f"{key} {rest}") for key, rest in rests.items()]
        news.publish(tx, node.scope, members.list_differences(tx, found, ms(now)), ms(now))
        self._tell(tx, node)
        return rests


def _use(tx: Transaction, event: Filed, shop: str) -> tuple[list[str], bool]:
    """Count one event; return the keys of which it has given out something, and whether it is about stock."""
    given, is_about = [], False
    for one in allotting.uses(decode_event(event.raw).body):
        is_about = True
        match one:
            case Used(key=key, count=count, hold=hold):
                if hold:
                    allotments.add_hold(tx, event.node, hold, key)
                if count:
                    allotments.use(tx, event.node, key, count)
                    given.append(key)
            case Returned(key=key, count=count):
                allotments.give_back(tx, shop, event.node, key, count)
            case Settled(hold=hold, given_back=given_back):
                settled = allotments.take_hold(tx, event.node, hold)
                if settled is not None and given_back:
                    allotments.use(tx, event.node, settled, -1)
    return given, is_about


def _limits(tx: Transaction) -> dict[str, int]:
    """Return the stock of what is divided by the programme that central tells."""
    program = telling.told_program(tx)
    return {} if program is None else allotting.limits(program)


def _shops(tx: Transaction) -> dict[str, list[tuple[str, str, str]]]:
    """Return the computers of each shop, with what it depends on whether and where they are told."""
    shops: dict[str, list[tuple[str, str, str]]] = {}
    for one in nodes.everyone(tx):
        shops.setdefault(one.shop, []).append((one.node, one.status, one.scope))
    return shops
