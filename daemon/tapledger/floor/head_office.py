"""What central means for this shop: what may be spent, what is shown of it, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable

from tapledger.clock import Clock
from tapledger.errors import Denied
from tapledger.membership.shop import Shop
from tapledger.settings import CentralSettings
from tapledger.sync.loop import SyncLoop, SyncState
from tapledger.web import problems
from tapledger.web.snapshots import SyncView

NOT_TRUSTED = "NOT_TRUSTED"
"""Why nothing is spent at a computer that central has suspended."""
BEING_ASKED = "CENTRAL_BEING_ASKED"
"""Why nothing is spent right after a start: central may know more of this disk than it does (R23)."""


class HeadOffice:
    """Runs sync for a shop. ``on_change`` is called when the faces have something else to show."""

    def __init__(self, shop: Shop, settings: CentralSettings, clock: Clock) -> None:
        self._shop = shop
        self._settings = settings
        self.sync = SyncLoop(shop.store, shop.store.keyring, settings, clock, shop.randomness)
        self.sync.on_change = self._changed
        self.on_change: Callable[[], None] = lambda: None

    async def run(self) -> None:
        await self.sync.run()

    async def recall(self) -> None:
        """Say what is known from before this start."""
        store = self._shop.store
        if store.keyring.enrolled and self._settings.url:
            self._shop.stopped = BEING_ASKED
        self.sync.state = SyncState(
            last_contact=await store.heard_from_central(), unsynced=await store.unsynced()
        )

    @property
    def state(self) -> SyncState:
        return self.sync.state

    def poke(self) -> None:
        """Something was recorded."""
        self.sync.poke()

    def _changed(self) -> None:
        problem = self.state.problem
        suspended = isinstance(problem, Denied) and problem.code == "NODE_SUSPENDED"
        self._shop.reachable = self.state.online and problem is None
        self._shop.stopped = NOT_TRUSTED if suspended else ""
        self.on_change()

    def as_of(self) -> str | None:
        """Return until when central was heard, as a time of day; None while it is."""
        state = self.state
        if state.online or state.last_contact is None:
            return None
        return f"{state.last_contact.astimezone(self._shop.program.zone()):%H:%M}"

    def view(self, language: str) -> SyncView:
        """Return how sync goes, in the words of a language."""
        state = self.state
        return SyncView(
            enrolled=self._shop.store.keyring.enrolled,
            online=state.online,
            unsynced=state.unsynced,
            last_contact="" if state.last_contact is None else state.last_contact.isoformat(),
            problem=None if state.problem is None else problems.problem(language, state.problem),
        )
