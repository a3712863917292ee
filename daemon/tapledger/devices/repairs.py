"""What a person has to do something about: it appears and goes by itself, and who has seen it can say so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tapledger.devices.reasons import Fix, Severity, cause_of
from tapledger.devices.state import DeviceState

HELP_PAGE = "docs/devices/problems.md"
UNDECIDED = ("discovered", "opening")
"""Links of a device that is just being tried: whether its trouble is over is not known yet."""


@dataclass(frozen=True, slots=True)
class Repair:
    """``id`` is the same for the same trouble of the same device, so that "seen" is said once."""

    id: str
    severity: Severity
    device: str
    reason: str
    """Its sentences are ``device.<reason>`` and ``device.<reason>.next``."""
    learn_more: str
    fix: Fix


class Repairs:
    """The open repairs of a shop, from the states of its devices."""

    def __init__(self) -> None:
        self._told: list[Repair] = []
        self._seen: dict[str, Repair] = {}

    def open(self, states: Iterable[DeviceState]) -> list[Repair]:
        """Return what is wrong now and not yet acknowledged; trouble that is over is forgotten."""
        states = list(states)
        found = [repair for state in states if (repair := repair_of(state)) is not None]
        there = {repair.id for repair in found}
        tried = {state.role for state in states if state.link in UNDECIDED}
        self._seen = {id_: one for id_, one in self._seen.items() if id_ in there or one.device in tried}
        self._told = [repair for repair in found if repair.id not in self._seen]
        return self._told

    def acknowledge(self, id_: str) -> None:
        """Stay quiet about a repair until it is over; when it comes back, it is told again."""
        self._seen.update({repair.id: repair for repair in self._told if repair.id == id_})


def repair_of(state: DeviceState) -> Repair | None:
    cause = cause_of(state.reason)
    if not state.reason or state.link == "disabled" or (not cause.repair and state.link != "blocked"):
        return None
    text = f"{state.role}\0{state.reason}\0{state.detail if state.link == 'blocked' else ''}"
    return Repair(
        id=hashlib.sha256(text.encode()).hexdigest()[:16],
        severity=cause.severity,
        device=state.role,
        reason=state.reason,
        learn_more=help_of(state.reason),
        fix=cause.fix,
    )


def help_of(reason: str) -> str:
    """Return where the story of a reason stands."""
    return f"{HELP_PAGE}#{reason}" if reason else ""
