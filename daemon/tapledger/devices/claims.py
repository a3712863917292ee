"""Whose a device's data are: one holder at a time, by a lease.

While nobody claims a reader or a scanner, it is its face's. A page that tests a device claims it: a face
that serves somebody does not let go, another page may keep it for some seconds more. Printers have no
claims, all share them through the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tapledger.clock import Clock
from tapledger.devices.roles import face_of
from tapledger.errors import Conflict, Invalid

LEASE_S = 30.0
"""Without a sign of life from its owner a claim ends; the page sends one every ten seconds."""
REFUSE_S = 10.0
"""How long the holder may refuse to give a device to somebody else who asks for it."""
MIN_SESSION, MAX_SESSION = 8, 64
"""Longer than a face's name is: no page can call itself ``till`` and be told what was for the till."""
LOOK_S = 1.0


@dataclass(slots=True)
class Claim:
    """A page's hold on a device. ``session`` names the page and is known to it alone."""

    role: str
    session: str
    holder: str
    """What others are told: ``console 3``."""
    until_s: float
    asked_by: str = ""
    """The session that wants it next, empty while nobody does."""
    given_at_s: float = 0.0
    """When that one gets it, unless the holder refuses."""


class Claims:
    """``serving`` answers whether a face is in the middle of something; ``told`` hears what happened."""

    def __init__(
        self, clock: Clock, serving: Callable[[str], bool], told: Callable[[str, str, str], None]
    ) -> None:
        self._clock = clock
        self._serving = serving
        self._told = told
        self._claims: dict[str, Claim] = {}
        self._names: dict[str, str] = {}

    async def run(self) -> None:
        """End leases in time, also while nobody asks."""
        while True:
            await asyncio.sleep(LOOK_S)
            for role in list(self._claims):
                self.claim_of(role)

    def claim_of(self, role: str) -> Claim | None:
        """Return the page's claim that holds now, None while the device is its face's."""
        claim, now_s = self._claims.get(role), self._clock.monotonic_s()
        if claim is None:
            return None
        if claim.asked_by and now_s >= claim.given_at_s:
            return self._give(role, claim.asked_by, "taken_over")
        if now_s >= claim.until_s:
            self._end(claim, "lease_ended")
            return self._claims.get(role)  # whoever asked for it has it now
        return claim

    def holder(self, role: str) -> str:
        """Return who gets a device's data, as events name them: the face, or the claim's session."""
        claim = self.claim_of(role)
        return face_of(role) if claim is None else claim.session

    def holder_shown(self, role: str) -> str:
        claim = self.claim_of(role)
        return face_of(role) if claim is None else claim.holder

    def asked_by_shown(self, claim: Claim) -> str:
        return self._name(claim.asked_by) if claim.asked_by else ""

    def claim(self, role: str, session: str) -> Claim:
        """Take a device, or keep it (the sign of life). Raises ``Conflict`` when somebody else has it."""
        _check(role, session)
        held = self.claim_of(role)
        if held is not None:
            if held.session != session:
                raise Conflict("DEVICE_CLAIMED", role=role, holder=held.holder)
            held.until_s = self._clock.monotonic_s() + LEASE_S
            return held
        if self._serving(face_of(role)):
            raise Conflict("DEVICE_SERVING", role=role, holder=face_of(role))
        return self._give(role, session, "claimed")

    def take_over(self, role: str, session: str) -> Claim:
        """Ask the holder for a device: who does not refuse in time gives it."""
        _check(role, session)
        held = self.claim_of(role)
        if held is None or held.session == session:
            return self.claim(role, session)
        if held.asked_by not in ("", session):
            raise Conflict("DEVICE_CLAIMED", role=role, holder=self._name(held.asked_by))
        if not held.asked_by:
            held.asked_by, held.given_at_s = session, self._clock.monotonic_s() + REFUSE_S
            self._told(role, "asked_for", self._name(session))
        return held

    def refuse(self, role: str, session: str) -> None:
        """Keep a device that somebody else asked for."""
        held = self._own(role, session)
        if held.asked_by:
            self._told(role, "kept", held.holder)
            held.asked_by = ""

    def override(self, role: str, session: str) -> Claim:
        """Take a device from whoever has it, at once; it is written down."""
        _check(role, session)
        held = self.claim_of(role)
        loser = face_of(role) if held is None else held.holder
        return self._give(role, session, "overridden", f"{self._name(session)} from {loser}")

    def release(self, role: str, session: str) -> None:
        """Give a device back, or no longer want it."""
        _check(role, session)
        held = self.claim_of(role)
        if held is not None and held.asked_by == session:
            held.asked_by = ""
            self._told(role, "withdrawn", self._name(session))
        else:
            self._end(self._own(role, session), "released")

    def left(self, session: str) -> None:
        """A page is gone: all it held is free."""
        for claim in [one for one in self._claims.values() if one.session == session]:
            self._end(claim, "released")
        for claim in self._claims.values():
            if claim.asked_by == session:
                claim.asked_by = ""
        self._names.pop(session, None)

    def _own(self, role: str, session: str) -> Claim:
        _check(role, session)
        held = self.claim_of(role)
        if held is None or held.session != session:
            raise Conflict("DEVICE_NOT_YOURS", role=role)
        return held

    def _give(self, role: str, session: str, what: str, who: str = "") -> Claim:
        until_s = self._clock.monotonic_s() + LEASE_S
        claim = self._claims[role] = Claim(role, session, self._name(session), until_s)
        self._told(role, what, who or claim.holder)
        return claim

    def _end(self, claim: Claim, what: str) -> None:
        """Give it to who asked for it, else back to its face."""
        if claim.asked_by:
            self._give(claim.role, claim.asked_by, "taken_over")
            return
        del self._claims[claim.role]
        self._told(claim.role, what, claim.holder)

    def _name(self, session: str) -> str:
        """Return what others call a page: its session is a secret of its own."""
        if session not in self._names:
            here = {claim.session for claim in self._claims.values()}
            here |= {claim.asked_by for claim in self._claims.values()}
            self._names = {known: name for known, name in self._names.items() if known in here}
            taken = set(self._names.values())
            number = next(n for n in range(1, len(taken) + 2) if f"console {n}" not in taken)
            self._names[session] = f"console {number}"
        return self._names[session]


def _check(role: str, session: str) -> None:
    """Raise unless the device can be claimed by such a page."""
    if not face_of(role):
        raise Invalid("DEVICE_NOT_CLAIMABLE", role=role)
    check_session(session)


def check_session(session: str) -> None:
    """Raise ``Invalid`` unless a page can be named so."""
    if not MIN_SESSION <= len(session) <= MAX_SESSION or not session.isascii() or not session.isprintable():
        raise Invalid("SESSION_IMPOSSIBLE", limit=MAX_SESSION)
