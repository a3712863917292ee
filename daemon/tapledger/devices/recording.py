"""Records a device while the shop goes on: from its next opening until somebody takes what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from tapledger.clock import Clock
from tapledger.errors import NotFound, Refused
from tapledger.identifiers import Randomness
from tapledger_drivers.cassettes.recorder import Recorder
from tapledger_drivers.cassettes.tape import Cassette
from tapledger_drivers.cassettes.watching import watch
from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.ports import Driver
from tapledger_drivers.traffic import Direction, Traffic

D = TypeVar("D", bound=Driver)

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Recordable:
    """What a recording needs of a device."""

    config: DeviceConfig
    traffic: Traffic
    info: Callable[[], DeviceInfo | None]
    reopen: Callable[[], None]


class Recordings:
    """At most one recording a device; each ends by itself at ``recorder.RECORDED_BYTES_MAX``."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._running: dict[str, Recorder] = {}
        self.devices: Mapping[str, Recordable] = {}

    def wrap(self, role: str, driver: D, traffic: Traffic) -> D:
        """Return the driver as it is to be used: watched while its device is recorded."""
        return watch(driver, traffic) if role in self._running else driver

    def start(self, role: str) -> None:
        """Record from the device's next opening on, which is at once; raise ``Refused`` while one runs."""
        device = self._device(role)
        if role in self._running:
            raise Refused("RECORDING_RUNS", role=role)
        self._running[role] = Recorder(device.traffic)
        device.reopen()

    def stop(self, role: str) -> bytes:
        """End a recording and return it, as a file to be replayed; raise ``NotFound`` when there is none."""
        device = self._device(role)
        recorder = self._running.pop(role, None)
        if recorder is None:
            raise NotFound("RECORDING_UNKNOWN", role=role)
        recorder.stop()
        device.reopen()
        at = self._clock.now().isoformat(timespec="seconds")
        whole = recorder.cassette(device.config, device.info(), at, self._randomness(SALT_BYTES))
        return _judged(_from_its_opening(whole)).to_bytes()

    def _device(self, role: str) -> Recordable:
        device = self.devices.get(role)
        if device is None:
            raise NotFound("DEVICE_UNKNOWN", role=role)
        return device


def _from_its_opening(cassette: Cassette) -> Cassette:
    """Leave out how the device was closed that had been open before."""
    calls = (place for place, frame in enumerate(cassette.frames) if frame.channel == "call")
    return replace(cassette, frames=cassette.frames[next(calls, len(cassette.frames)) :])


def _judged(cassette: Cassette) -> Cassette:
    """Leave out what arrived last and led to nothing yet: it may be half of somebody's code."""
    end = len(cassette.frames)
    while end and cassette.frames[end - 1].direction is Direction.FROM_DEVICE:
        end -= 1
    return replace(cassette, frames=cassette.frames[:end])
