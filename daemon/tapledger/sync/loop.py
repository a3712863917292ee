"""Keep a shop and central in step for ever: find one's place, push, wait for news; and say how it goes.

Pushing and pulling are lines of their own: what one of them meets does not keep the other from its work, and
nothing that central answers ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import structlog

from tapledger.clock import Clock
from tapledger.errors import Denied, TapledgerError, Unavailable
from tapledger.identifiers import Randomness
from tapledger.settings import CentralSettings
from tapledger.store.keyring import Keyring
from tapledger.sync import transport
from tapledger.sync.client import CentralClient, central_address
from tapledger.sync.placing import take_place
from tapledger.sync.ports import SyncStore
from tapledger.sync.puller import Puller
from tapledger.sync.pusher import Load, Pusher
from tapledger.sync.transport import Transport
from tapledger.wire.messages import MAX_WAIT_S

BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 300.0
REFUSED_WAIT_S = 300.0
"""After a refusal that repeating cannot cure, pushing rests so long: an operator may have lifted it."""
EVIDENCE = frozenset({"TAIL_BROKEN", "NODE_SUSPENDED", "NODE_CLONED"})
"""There is no place for this disk, and what was recorded on it is sent all the same: central keeps it for a
person who has to look at it."""
BOOT_BYTES = 16

_log = structlog.get_logger("sync")

Connect = Callable[[], AbstractAsyncContextManager[Transport]]


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
        connect: Connect | None = None,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._url = str(central_address(settings.url)) if settings.url else ""
        self._poll_s, self._retry_max_s = settings.poll_s, settings.retry_max_s
        self._clock = clock
        self._randomness = randomness
        self._connect = connect or functools.partial(transport.http, settings.hub)
        self._through_hub = bool(settings.hub and transport.hub_address(settings.hub))
        self._poked = asyncio.Event()
        self._place, self._pushing = asyncio.Lock(), asyncio.Lock()
        self._in_place = False
        self._puller = Puller(store)
        self._push_failures = self._pull_failures = 0
        self._load = Load(clock)
        self._pusher = Pusher(store, keyring)
        self._push_rests_until_s = 0.0
        self.client: CentralClient | None = None
        """Whom to ask while this runs."""
        self.boot = randomness(BOOT_BYTES).hex()
        self.state = SyncState()
        self.on_change: Callable[[], None] = lambda: None
        self.after_round: Callable[[CentralClient], Awaitable[None]] = _nothing
        """What else is asked of central after each pull that reached it; errors end in the log."""

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
        async with self._connect() as way:
            self.client = self.client_of(way)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._push_for_ever(self.client))
                group.create_task(self._pull_for_ever(self.client))

    def client_of(self, way: Transport) -> CentralClient:
        """Return who asks central for this node over a transport."""
        return CentralClient(
            *(way, self._url, self._keyring, self._clock, self._randomness, self.boot),
            through_hub=self._through_hub,
        )

    async def round(self, client: CentralClient) -> bool:
        """Push and pull once each; return whether there is more to do right now. Never raises."""
        sent = await self._push(client)
        if isinstance(self.state.push_problem, Unavailable):
            return False
        return await self._pull(client) or sent

    # The two lines.
    async def _push_for_ever(self, client: CentralClient) -> None:
        while True:
            self._poked.clear()
            if not await self._push(client):
                await self._wait_to_push()

    async def _pull_for_ever(self, client: CentralClient) -> None:
        while True:
            if not await self._pull(client, MAX_WAIT_S) and self._pull_failures:
                await asyncio.sleep(self._pause_s(self._pull_failures))

    async def _push(self, client: CentralClient) -> bool:
        """Push one batch unless it was refused lately: then the problem stays to be seen."""
        if self._clock.monotonic_s() < self._push_rests_until_s:
            return False
        sent, problem = await self._try("push", lambda: self._push_batch(client))
        if problem is not None and not isinstance(problem, Unavailable):
            self._push_rests_until_s = self._clock.monotonic_s() + REFUSED_WAIT_S
        self._push_failures = self._push_failures + 1 if isinstance(problem, Unavailable) else 0
        await self._report(problem, self.state.pull_problem)
        return sent and problem is None

    async def _pull(self, client: CentralClient, wait_s: int = 0) -> bool:
        """Take one page; return whether there is more right now."""
        more, problem = await self._try("pull", lambda: self._pull_page(client, wait_s))
        self._pull_failures = 0 if problem is None else self._pull_failures + 1
        if problem is not None:
            self._in_place = False
        elif self.state.pull_problem is not None:
            self._push_rests_until_s = 0.0  # whatever was refused, an operator may have lifted it
            self.poke()
        await self._report(self.state.push_problem, problem)
        if problem is None and not more:
            await self._try("erased", lambda: self._tell_erased(client))
            await self._try("after", lambda: self._afterwards(client))
        return more and problem is None

    async def push_all(self, client: CentralClient) -> None:
        """Send all that was recorded, now; raise what central says or that it cannot be reached."""
        while await self._push_batch(client):
            pass

    async def _push_batch(self, client: CentralClient) -> bool:
        try:
            await self._take_place(client)
        except TapledgerError as error:
            if error.code in EVIDENCE:
                await self._push_once(client)
            raise
        return await self._push_once(client) > 0

    async def _push_once(self, client: CentralClient) -> int:
        async with self._pushing:
            line, target_bytes = self._load.on(client), self._load.target_bytes
            return await self._pusher.once(line, target_bytes)

    async def _pull_page(self, client: CentralClient, wait_s: int) -> bool:
        await self._take_place(client)
        # Nothing is waited for until the line is known to be good: that it is has to be said soon.
        wait_s = wait_s if self.state.pull_problem is None and self.state.online else 0
        changed, more = await self._puller.take(client, wait_s)
        if changed:
            self.on_change()
        return more

    async def _take_place(self, client: CentralClient) -> None:
        async with self._place:
            if not self._in_place:
                if await take_place(self._store, client):
                    _log.warning("this disk was rolled back; its events are back from central")
                    self.on_change()
                self._in_place = True

    async def _tell_erased(self, client: CentralClient) -> bool:
        if members := await self._store.erased():
            await client.erased(members)
            await self._store.erasure_told(members)
        return False

    async def _afterwards(self, client: CentralClient) -> bool:
        await self.after_round(client)
        return False

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

    async def _wait_to_push(self) -> None:
        """Wait for something to send: a poke ends the wait, except while central is out of reach."""
        if self._push_failures:
            await asyncio.sleep(self._pause_s(self._push_failures))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll_s):
                await self._poked.wait()

    def _pause_s(self, failures: int) -> float:
        jitter = int.from_bytes(self._randomness(2), "big") / 0xFFFF
        return pause_s(failures, self._poll_s, jitter, self._retry_max_s)


async def _nothing(client: CentralClient) -> None:
    return None


def pause_s(failures: int, poll_s: float, jitter: float, max_s: float = BACKOFF_MAX_S) -> float:
    """Return the pause before the next try: the poll interval, or full jitter below a doubling ceiling.

    ``jitter`` is a random number from 0 to 1, so that a chain of shops does not come back as one.
    """
    if not failures:
        return poll_s
    ceiling_s = min(max_s, BACKOFF_FIRST_S * 2.0 ** min(failures, 16))
    return max(poll_s, jitter * ceiling_s)


def _is_unreachable(problem: TapledgerError | None) -> bool:
    return problem is not None and problem.code == "CENTRAL_UNREACHABLE"
