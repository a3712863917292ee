"""What a person has to do something about: it appears and goes by itself, and who has seen it can say so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tapledger.devices.reasons import Fix, Severity, cause_of
from tapledger.devices.state import UNDECIDED, DeviceState

HELP_PAGE = "docs/devices/problems.md"


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
        self._standing: dict[str, Repair] = {}
        self._seen: set[str] = set()

    def open(self, states: Iterable[DeviceState]) -> list[Repair]:
        """Return what is wrong and not yet acknowledged; trouble that is over is forgotten."""
        last, self._standing = self._standing, {}
        for state in states:
            # While a device is tried, what was wrong stands.
            repair = last.get(state.role) if state.link in UNDECIDED else repair_of(state)
            if repair is not None:
                self._standing[state.role] = repair
        self._seen &= {repair.id for repair in self._standing.values()}
        return [repair for repair in self._standing.values() if repair.id not in self._seen]

    def acknowledge(self, id_: str) -> None:
        """Stay quiet about a repair until it is over; when it comes back, it is told again."""
        if any(repair.id == id_ for repair in self._standing.values()):
            self._seen.add(id_)


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
