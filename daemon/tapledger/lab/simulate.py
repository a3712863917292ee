"""``tapledger simulate``: moves and breaks the virtual devices of a running demo from the command line."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tapledger.errors import Invalid, NotFound, Unavailable
from tapledger.lab.bench.door import BenchDoor
from tapledger.web.snapshots import Dock

FILE = "benches.json"
"""In the demo's folder while it runs: where the bench of each shop listens."""


def announce(folder: Path, sockets: dict[str, Path]) -> None:
    """Write down where the benches are, for this user alone."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"{FILE}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({shop: str(socket) for shop, socket in sockets.items()}, file)
    new.replace(folder / FILE)


def withdraw(folder: Path) -> None:
    """The benches are no more; does nothing when they never were."""
    with contextlib.suppress(FileNotFoundError):
        (folder / FILE).unlink()


async def fault(folder: Path, shop: str, device: str, verb: str, on: bool, amount: int | None) -> None:
    """Begin or end a fault of a device."""
    await _do(folder, shop, "fault", {"device": device, "verb": verb, "on": on, "amount": amount})


async def network(folder: Path, shop: str, state: str) -> None:
    """Make a shop's line to central good, or bad in one of its ways."""
    await _do(folder, shop, "network", {"state": state})


async def insert(folder: Path, shop: str, card: str, reader: str) -> None:
    await _do(folder, shop, "insert", {"reader": reader, "card": card})


async def remove(folder: Path, shop: str, reader: str) -> None:
    await _do(folder, shop, "remove", {"reader": reader})


async def scan(folder: Path, shop: str, text: str) -> None:
    await _do(folder, shop, "scan", {"text": text})


async def state(folder: Path, shop: str) -> Dock:
    """Return every device of a shop with its faults."""
    with _running(folder):
        return await _door(folder, shop).state()


def as_dict(dock: Dock) -> dict[str, Any]:
    """Return what ``simulate list`` says, for programs."""
    said: dict[str, Any] = msgspec.to_builtins(dock)
    return {name: said[name] for name in ("devices", "cards", "network")}


def as_table(dock: Dock) -> str:
    """Return one line a device and one a fault that it can have; a star stands before one in force."""
    lines = []
    for device in dock.devices:
        lying = f", card {device.card}" if device.card else ""
        lines.append(f"{device.role}  {device.driver}{lying}")
        for fault in device.faults:
            amount = "" if fault.amount is None else f" {fault.amount}"
            once = "  once" if fault.once else ""
            lines.append(f"  {'*' if fault.on else ' '} {fault.verb}{amount}{once}")
    if dock.network is not None:
        line = dock.network
        passed = f"{line.requests} requests, {line.replies} replies, {line.lost} lost"
        lines.append(f"network: {line.state} ({passed})")
    lines.append("cards: " + ", ".join(card.id for card in dock.cards))
    return "\n".join(lines)


async def _do(folder: Path, shop: str, action: str, body: dict[str, Any]) -> None:
    try:
        asked = msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise Invalid("TEXT_IMPOSSIBLE") from error
    with _running(folder):
        await _door(folder, shop).do(action, asked)


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[None]:
    """A bench that does not answer is that of a demo that was killed."""
    try:
        yield
    except Unavailable as error:
        if error.code != "DOCK_GONE":
            raise
        raise Unavailable("DEMO_NOT_RUNNING", folder=str(folder)) from error


def _door(folder: Path, shop: str) -> BenchDoor:
    try:
        known = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unavailable("DEMO_NOT_RUNNING", folder=str(folder)) from error
    if shop not in known:
        raise NotFound("DEMO_NO_SHOP", shop=shop, known=", ".join(known))
    return BenchDoor(Path(known[shop]))
