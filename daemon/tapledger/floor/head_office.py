"""What central means for this shop: what may be spent, what is shown of it, and what is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from tapledger.clock import Clock
from tapledger.database import Transaction
from tapledger.errors import Conflict, Refused, TapledgerError, Unavailable
from tapledger.floor import told_devices
from tapledger.floor.nearby import NearbyHub
from tapledger.loyalty.effects import POINTS
from tapledger.membership import exposure, permits, received, stock
from tapledger.membership.shop import Shop
from tapledger.settings import CentralSettings
from tapledger.store import facts, news
from tapledger.sync import transport
from tapledger.sync.client import CentralClient
from tapledger.sync.loop import Connect, SyncLoop, SyncState
from tapledger.sync.witness import witness_news
from tapledger.web import problems, sync_views
from tapledger.web.snapshots import SyncView
from tapledger.wire.asking import LeaseAnswer, LeaseAsked, Report, StatusReport, Telemetry
from tapledger.wire.news import DifferenceNews

log = structlog.get_logger("head office")

NOT_TRUSTED = "NOT_TRUSTED"
"""Why nothing is spent at a computer that central has suspended."""
SUSPENDED = frozenset({"NODE_SUSPENDED", "NODE_CLONED", "FORK"})
_FACT = "not_trusted"
MAX_DIFFERENCES = 50
REPORT_EVERY_S = 60.0
BEING_ASKED = "CENTRAL_BEING_ASKED"
"""Why nothing is spent right after a start: central may know more of this disk than it does (R23)."""


class HeadOffice:
    """Runs sync for a shop. ``on_change`` is called when the faces have something else to show."""

    def __init__(
        self, shop: Shop, settings: CentralSettings, clock: Clock, connect: Connect | None = None
    ) -> None:
        self._shop = shop
        self._settings = settings
        self.sync = SyncLoop(shop.store, shop.store.keyring, settings, clock, shop.randomness, connect)
        self.sync.on_change = self._changed
        self.sync.after_round = self._after_round
        self.on_change: Callable[[], None] = lambda: None
        if settings.url:
            shop.permits = self
        self._forked: TapledgerError | None = None
        """Central has signed two histories."""
        self._distrusted = False
        """Central has suspended this computer and did not take that back: a cut line is no pardon."""
        self._report_after_s = 0.0
        self._look_again = asyncio.Event()
        self._risk: exposure.Risk | None = None
        self._differences: list[DifferenceNews] = []
        self.problem: TapledgerError | None = None
        """What central has told that this shop cannot use."""
        self._devices_used = ""
        """The devices that central had told when this daemon started."""
        self._devices_problem: TapledgerError | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.sync.run())
            group.create_task(self._look())
            group.create_task(self._keep_hub())

    async def _keep_hub(self) -> None:
        """Let the shop's hub be asked, where one is configured."""
        if not self._settings.hub or not self._shop.store.keyring.enrolled:
            return
        async with transport.http() as way:
            self._shop.hub = NearbyHub(self._shop, self._settings, way)
            try:
                await asyncio.Event().wait()
            finally:
                self._shop.hub = None

    async def push(self) -> None:
        """Send all that was recorded here now; raise what central says, or that it cannot be reached."""
        if self.sync.client is None:
            raise Unavailable("CENTRAL_UNREACHABLE", why="there is no line yet")
        await self.sync.push_all(self.sync.client)

    async def _look(self) -> None:
        """Keep what is shown of the worst case and of differences as the store has it."""
        store = self._shop.store
        while store.keyring.enrolled:
            self._look_again.clear()
            before = (self._risk, self._differences)
            try:
                self._risk, self._differences = await store.transact(self._read)
            except TapledgerError as error:
                log.warning("the worst case is not known", code=error.code, data=error.data)
            if before != (self._risk, self._differences):
                self.on_change()
            await self._look_again.wait()

    def _read(self, tx: Transaction) -> tuple[exposure.Risk, list[DifferenceNews]]:
        self.keep_trust(tx)
        found = news.all_of(tx, "difference", DifferenceNews).values()
        newest = sorted(found, key=lambda one: one.found_ms, reverse=True)
        return exposure.now(tx, self._shop), newest[:MAX_DIFFERENCES]

    async def recall(self) -> None:
        """Say what is known from before this start."""
        store = self._shop.store
        if store.keyring.enrolled and self._settings.url:
            self._shop.stopped = BEING_ASKED
        self._distrusted = await store.fact(_FACT) is not None
        self._devices_used = await told_devices.told_text(store)
        self._devices_problem = told_devices.problem(self._devices_used, self._devices_used)
        self.sync.state = SyncState(
            last_contact=await store.heard_from_central(), unsynced=await store.unsynced()
        )

    def keep_trust(self, tx: Transaction) -> None:
        """Remember over a restart whether central trusts this computer."""
        if (facts.get(tx, _FACT) is not None) == self._distrusted:
            return
        if self._distrusted:
            facts.put(tx, _FACT, b"")
        else:
            facts.drop(tx, _FACT)

    @property
    def state(self) -> SyncState:
        return self.sync.state

    def poke(self) -> None:
        """Something was recorded."""
        self.sync.poke()
        self._look_again.set()

    def _changed(self) -> None:
        problem = self.state.problem
        self._shop.reachable = self.state.online and problem is None
        suspended = problem is not None and problem.code in SUSPENDED
        self._distrusted = suspended or (self._distrusted and not self._shop.reachable)
        self._shop.stopped = NOT_TRUSTED if self._distrusted else ""
        self._look_again.set()
        self.on_change()

    async def ask(self, member: str, pool: str, amount: int) -> None:
        """Get a lease of a member's balance (``membership.shop.Permits``)."""
        client, store = self.sync.client, self._shop.store
        await self.push()
        assert client is not None
        wanted = {"id": self._shop.new_id(), "member": member, "pool": pool, "amount": amount}
        answer = await client.lease(msgspec.convert(wanted, LeaseAsked))
        await store.heard(answer.hlc)
        if answer.row is not None:
            await store.apply_row(answer.row)
        if answer.granted < amount and answer.reserved:
            raise self._reserved(pool, answer)

    def _reserved(self, pool: str, answer: LeaseAnswer) -> Refused:
        shop, free, reserved = ", ".join(answer.reserved_at), answer.available, answer.reserved
        if pool == POINTS:
            return Refused("POINTS_RESERVED", available=free, reserved=reserved, shop=shop)
        currency = self._shop.program.currency
        return Refused(
            "VALUE_RESERVED", available_minor=free, reserved_minor=reserved, currency=currency, shop=shop
        )

    async def _after_round(self, client: CentralClient) -> None:
        """Use what came before anything else is asked of central: a question may fail."""
        told, self._shop.store.told = self._shop.store.told, set()
        if told & {"program", "catalogue"}:
            await self._take_rules()
        if told_devices.KIND in told:
            now = await told_devices.told_text(self._shop.store)
            self._devices_problem = told_devices.problem(self._devices_used, now)
        if told:
            self._look_again.set()
            self.on_change()
        has_closed = await permits.close_due(self._shop)
        if await stock.give_back(self._shop) or has_closed:
            self.poke()
        await self._witness(client)
        await self._report(client)

    async def _witness(self, client: CentralClient) -> None:
        """Hold what central signed now against what it signed before."""
        was = self._forked
        try:
            await witness_news(self._shop.store, client, self._shop.clock.now())
            self._forked = None
        except Conflict as error:
            self._forked = error
        except TapledgerError as error:
            log.warning("no proof yet that central's log only grew", code=error.code, data=error.data)
        if (was is None) != (self._forked is None):
            self.on_change()

    async def _report(self, client: CentralClient) -> None:
        """Tell now and then how this shop does; it may be lost and delays nothing."""
        if self._shop.clock.monotonic_s() < self._report_after_s:
            return
        self._report_after_s = self._shop.clock.monotonic_s() + REPORT_EVERY_S
        status = StatusReport(
            unsynced=self.state.unsynced,
            stopped=self._shop.stopped,
            given_out=0 if self._risk is None else self._risk.given_out,
            clock_ms=int(self._shop.clock.now().timestamp() * 1000),
            hub=self._settings.hub_node,
        )
        report = Report(at_ms=status.clock_ms, kind="status", body=msgspec.msgpack.encode(status))
        await client.report(Telemetry(reports=[report]))

    async def _take_rules(self) -> None:
        try:
            await received.take(self._shop)
            self.problem = None
        except TapledgerError as error:
            log.warning("what central told cannot be used", code=error.code, data=error.data)
            self.problem = error

    def as_of(self) -> str | None:
        """Return until when central was heard, as a time of day; None while it is."""
        state = self.state
        if state.online or state.last_contact is None:
            return None
        return f"{state.last_contact.astimezone(self._shop.program.zone()):%H:%M}"

    def view(self, language: str) -> SyncView:
        """Return how sync goes, in the words of a language."""
        state = self.state
        problem = state.problem or self._forked or self.problem or self._devices_problem
        return SyncView(
            enrolled=self._shop.store.keyring.enrolled,
            online=state.online,
            unsynced=state.unsynced,
            last_contact="" if state.last_contact is None else state.last_contact.isoformat(),
            problem=None if problem is None else problems.problem(language, problem),
            worst=None if self._risk is None else sync_views.worst_case(self._risk, language),
            differences=[sync_views.difference(one, language) for one in self._differences],
        )
