"""Replays a recording through the driver that it names, under virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tapledger_drivers.cassettes import tape
from tapledger_drivers.cassettes.reel import Reel, ReplayMismatch
from tapledger_drivers.cassettes.replay_io import ReplayIo
from tapledger_drivers.cassettes.tape import OUTCOMES, Cassette
from tapledger_drivers.cassettes.values import decode, encode
from tapledger_drivers.cassettes.virtual_time import VirtualTimeLoop
from tapledger_drivers.cassettes.watching import STREAMS, watch
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.errors import DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.ports import CardTrust, Driver, TrustLevel, TrustPolicy, UidKind
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Frame, Traffic

PATIENCE_S = 120.0
"""How long the replay waits for the driver to come to the next call, in virtual time."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to. It is the recording again when ``same``."""

    outcomes: list[str]
    expected: list[str]
    mismatch: str
    """Where the driver left the recording, or why this release has no driver for it; else empty."""

    @property
    def same(self) -> bool:
        return not self.mismatch and self.outcomes == self.expected

    def difference(self) -> str:
        """Return in one sentence where the driver left the recording, or else the first place where the
        outcomes differ; empty when nothing does."""
        if self.mismatch:
            return self.mismatch
        for place, (was, now) in enumerate(zip(self.expected, self.outcomes, strict=False), start=1):
            if was != now:
                return f"outcome {place}: recorded {was}, now {now}"
        if len(self.expected) != len(self.outcomes):
            return f"recorded {len(self.expected)} outcomes, now {len(self.outcomes)}"
        return ""


def replay(
    cassette: Cassette,
    *,
    strict: bool = True,
    create: Callable[[DeviceConfig, TrustPolicy, ReplayIo], Driver] = create_driver,
) -> Replayed:
    """Run the driver against the recording. Needs a thread without a running event loop.

    Strict: the first byte that the driver sends otherwise ends it. Lenient: the device's answers are looked
    up by what was sent to it.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_replay(cassette, strict=strict, create=create))


async def _replay(
    cassette: Cassette, *, strict: bool, create: Callable[[DeviceConfig, TrustPolicy, ReplayIo], Driver]
) -> Replayed:
    reel = Reel(cassette, strict=strict)
    traffic = Traffic(asyncio.get_running_loop().time)
    outcomes: list[str] = []

    def hear(frame: Frame) -> None:
        if frame.channel in OUTCOMES and reel.head is not None:
            outcomes.append(f"{frame.channel} {frame.note}")
            reel.told()

    traffic.listeners.append(hear)
    head, io = cassette.head, ReplayIo(reel, traffic)
    expected = [_as_now(outcome) for outcome in cassette.outcomes()]
    try:
        options = {name: decode(value) for name, value in head.options.items()}
        config = DeviceConfig(head.role, head.driver, options)
        driver = watch(create(config, _RecordedTrust(cassette), io), traffic)
    except (DeviceBlocked, ValueError) as error:
        return Replayed([], expected, f"not for this release: {error}")
    tasks: list[asyncio.Task[None]] = []
    try:
        while reel.head is not None:
            frame = await reel.until(lambda head: head.channel == "call", PATIENCE_S)
            reel.take()
            tasks.append(asyncio.create_task(_call(driver, frame.note)))
            await asyncio.sleep(0)
    except TimeoutError:
        reel.fail("did not come to this line")
    except (ReplayMismatch, DeviceLost):
        pass  # the reel remembers a mismatch; a recording that ends in the middle of a wait is just over
    finally:
        with contextlib.suppress(DeviceError):
            await driver.close()
        await io.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Replayed(tape.in_order(outcomes), expected, "" if reel.mismatch is None else str(reel.mismatch))


def _as_now(outcome: str) -> str:
    """Write a recorded outcome as this release would: a field that is newer has its default."""
    channel, _, note = outcome.partition(" ")
    try:
        said = decode(msgspec.json.decode(note))
    except ValueError:
        return outcome  # it says what this release does not know, so it is another outcome
    return f"{channel} {msgspec.json.encode(encode(said)).decode()}"


async def _call(driver: Driver, note: str) -> None:
    """Make one recorded call; what comes of it is noted by ``watch``."""
    call = msgspec.json.decode(note)
    name, arguments = str(call["call"]), decode(call["args"])
    with contextlib.suppress(DeviceError):
        if name in STREAMS:
            async for _ in getattr(driver, name)():
                pass
        else:
            await getattr(driver, name)(*arguments)


class _RecordedTrust:
    """Repeats what was judged then: a recording holds no keys."""

    def __init__(self, cassette: Cassette) -> None:
        judged = [frame.note for frame in cassette.frames if frame.channel == "judged"]
        self._judged = iter([decode(msgspec.json.decode(note)) for note in judged])

    def judge(self, uid: bytes, uid_kind: UidKind, ndef: bytes | None) -> CardTrust:
        del uid, uid_kind, ndef
        return next(self._judged, CardTrust(TrustLevel.L0, "not recorded"))
