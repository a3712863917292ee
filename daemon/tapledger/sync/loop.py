"""Keep a shop and central in step for ever: push, pull, wait; and say how it goes.

Pushing and pulling are steps of their own: what one of them meets does not keep the other from its work, and
nothing that central answers ends the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from tapledger.clock import Clock
from tapledger.errors import Denied, TapledgerError, Unavailable
from tapledger.identifiers import Randomness
from tapledger.settings import CentralSettings
from tapledger.store.keyring import Keyring
from tapledger.sync.client import CentralClient, central_address, open_session
from tapledger.sync.ports import SyncStore
from tapledger.sync.puller import pull_page
from tapledger.sync.pusher import push_once

BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 300.0
REFUSED_WAIT_S = 300.0
"""After a refusal that repeating cannot cure, pushing rests so long: an operator may have lifted it."""

_log = structlog.get_logger("sync")


@dataclass(frozen=True, slots=True)
class SyncState:
    """How sync goes, for the console and the status bar."""

    online: bool = False
    """The last thing tried reached central."""
    last_contact: dt.datetime | None = None
    unsynced: int = 0
    """Events that central has not acknowledged."""
    push_problem: TapledgerError | None = None
    pull_problem: TapledgerError | None = None

    @property
    def problem(self) -> TapledgerError | None:
        """The problem to show first: what was recorded here weighs more than what others did."""
        return self.push_problem or self.pull_problem

    def summary(self) -> tuple[bool, int, str, str]:
        """Return what is worth telling when it changes; the mere passing of time is not."""
        codes = ["" if one is None else one.code for one in (self.push_problem, self.pull_problem)]
        return (self.online, self.unsynced, codes[0], codes[1])


class SyncLoop:
    """Runs sync for one node; without a central it stands alone. ``on_change`` is called when ``state`` says
    something new and when members have changed."""

    def __init__(
        self,
        store: SyncStore,
        keyring: Keyring,
        settings: CentralSettings,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._url = str(central_address(settings.url)) if settings.url else ""
        self._poll_s = settings.poll_s
        self._clock = clock
        self._randomness = randomness
        self._poked = asyncio.Event()
        self._failures = 0
        self._push_rests_until_s = 0.0
        self.state = SyncState()
        self.on_change: Callable[[], None] = lambda: None

    def poke(self) -> None:
        """Say that there is something to send; while central is out of reach the back-off stands."""
        self._poked.set()

    async def run(self) -> None:
        """Sync until cancelled; return at once when there is nobody to sync with."""
        if not self._url:
            return
        if not self._keyring.enrolled:
            self._say(SyncState(push_problem=Denied("NODE_NOT_ENROLLED")))
            return
        async with open_session() as session:
            client = CentralClient(session, self._url, self._keyring, self._clock, self._randomness)
            while True:
                if not await self.round(client):
                    await self._wait()

    async def round(self, client: CentralClient) -> bool:
        """Push and pull once each; return whether there is more to do right now. Never raises."""
        self._poked.clear()
        sent, push_problem = await self._push(client)
        received, pull_problem = False, self.state.pull_problem
        if not isinstance(push_problem, Unavailable):
            received, pull_problem = await self._try("pull", lambda: self._pull_page(client))
        failing = isinstance(push_problem, Unavailable) or pull_problem is not None
        self._failures = self._failures + 1 if failing else 0
        await self._report(push_problem, pull_problem)
        return (sent or received) and not failing

    async def _push(self, client: CentralClient) -> tuple[bool, TapledgerError | None]:
        """Push unless it was refused lately: then the problem stays to be seen."""
        if self._clock.monotonic_s() < self._push_rests_until_s:
            return False, self.state.push_problem
        sent, problem = await self._try("push", lambda: self._push_batch(client))
        if problem is not None and not isinstance(problem, Unavailable):
            self._push_rests_until_s = self._clock.monotonic_s() + REFUSED_WAIT_S
        return sent, problem

    async def _push_batch(self, client: CentralClient) -> bool:
        return await push_once(self._store, client, self._keyring) > 0

    async def _pull_page(self, client: CentralClient) -> bool:
        changed, more = await pull_page(self._store, client)
        if changed:
            self.on_change()
        return more

    async def _try(
        self, name: str, step: Callable[[], Awaitable[bool]]
    ) -> tuple[bool, TapledgerError | None]:
        try:
            return await step(), None
        except TapledgerError as error:
            _log.warning("sync problem", step=name, code=error.code, data=error.data)
            return False, error
        except Exception as error:
            # Whatever it is, a loop that ends here is a shop that silently never syncs again.
            _log.exception("sync fault", step=name)
            return False, Unavailable("SYNC_FAULT", why=type(error).__name__)

    async def _report(self, push_problem: TapledgerError | None, pull_problem: TapledgerError | None) -> None:
        online = not _is_unreachable(push_problem) and not _is_unreachable(pull_problem)
        unsynced = self.state.unsynced
        try:
            unsynced = await self._store.unsynced()
        except TapledgerError as error:
            push_problem = push_problem or error
        last_contact = self._clock.now() if online else self.state.last_contact
        self._say(SyncState(online, last_contact, unsynced, push_problem, pull_problem))

    def _say(self, state: SyncState) -> None:
        news = state.summary() != self.state.summary()
        self.state = state
        if news:
            self.on_change()

    async def _wait(self) -> None:
        """Wait for the next round: a poke ends the wait, except while central is out of reach."""
        timeout_s = pause_s(self._failures, self._poll_s, int.from_bytes(self._randomness(2), "big") / 0xFFFF)
        if self.state.online:
            await self._poke_or(timeout_s)
        else:
            await asyncio.sleep(timeout_s)

    async def _poke_or(self, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._poked.wait()


def pause_s(failures: int, poll_s: float, jitter: float) -> float:
    """Return the pause before the next round: the poll interval, or full jitter below a doubling ceiling.

    ``jitter`` is a random number from 0 to 1, so that a chain of shops does not come back as one.
    """
    if not failures:
        return poll_s
    ceiling_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures, 16))
    return max(poll_s, jitter * ceiling_s)


def _is_unreachable(problem: TapledgerError | None) -> bool:
    return problem is not None and problem.code == "CENTRAL_UNREACHABLE"
