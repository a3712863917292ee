"""Notes in the traffic what a driver is asked and what it says, so that a recording has its outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import msgspec

from tapledger_drivers.cassettes.values import Json, encode
from tapledger_drivers.errors import DeviceError
from tapledger_drivers.ports import CardPresented, CardTrust, Driver, Scan, TrustPolicy, UidKind
from tapledger_drivers.scanners.personal import secrets_of
from tapledger_drivers.traffic import Traffic

D = TypeVar("D", bound=Driver)

STREAMS = ("taps", "scans", "changes")
CALLS = (
    "open",
    "close",
    "health",
    "status",
    "print",
    "feedback",
    "transceive",
    "kick_drawer",
    "kick",
    "is_open",
    "show",
    "show_lines",
    "clear",
)


def watch(driver: D, traffic: Traffic) -> D:
    """Return the driver with every call, answer and event noted; it keeps the ports that it had."""
    wrapped = {name: _stream(name) for name in STREAMS if hasattr(driver, name)}
    wrapped |= {name: _call(name) for name in CALLS if hasattr(driver, name)}
    kind = type(f"Watched{type(driver).__name__}", (_Watched,), wrapped)
    watched: D = kind(driver, traffic)
    return watched


class WatchedTrust:
    """Notes each judgement: a replay has no keys, so it repeats what was judged then."""

    def __init__(self, trust: TrustPolicy, traffic: Traffic) -> None:
        self._trust = trust
        self._traffic = traffic

    def judge(self, uid: bytes, uid_kind: UidKind, ndef: bytes | None) -> CardTrust:
        judged = self._trust.judge(uid, uid_kind, ndef)
        if judged.credential is not None:
            self._traffic.hide(judged.credential.encode())
        self._traffic.note("judged", _json(encode(judged)))
        return judged


class _Watched:
    def __init__(self, driver: Driver, traffic: Traffic) -> None:
        self.driver = driver
        self.traffic = traffic

    def note(self, channel: str, name: str, **told: object) -> None:
        self.traffic.note(channel, _json({"call": name, **{key: encode(one) for key, one in told.items()}}))


def _call(name: str) -> Callable[..., Any]:
    async def call(self: _Watched, *args: object) -> object:
        self.note("call", name, args=args)
        try:
            answer = await getattr(self.driver, name)(*args)
        except DeviceError as error:
            self.note("answer", name, error=[type(error).__name__, error.reason])
            raise
        self.note("answer", name, answer=answer)
        return answer

    return call


def _stream(name: str) -> Callable[..., AsyncIterator[object]]:
    async def stream(self: _Watched) -> AsyncIterator[object]:
        self.note("call", name, args=())
        try:
            async for event in getattr(self.driver, name)():
                _hide_people(event, self.traffic)
                self.note("event", name, event=event)
                yield event
        except DeviceError as error:
            self.note("answer", name, error=[type(error).__name__, error.reason])
            raise
        self.note("answer", name, answer=None)

    return stream


def _hide_people(event: object, traffic: Traffic) -> None:
    """Make secrets of a card's number and of every code but a product's."""
    if isinstance(event, CardPresented):
        traffic.hide(event.uid)
        traffic.hide(event.ndef or b"")
    elif isinstance(event, Scan):
        for secret in secrets_of(event):
            traffic.hide(secret)


def _json(value: Json) -> str:
    return msgspec.json.encode(value).decode()
