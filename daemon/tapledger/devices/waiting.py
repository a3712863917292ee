"""How long to wait before a device is tried again. Pure: time and randomness are handed in.

A device that is merely not there is looked for often, as long as looking is cheap, for nothing may tell when
it comes back; anything that fails although it is there is tried ever more seldom.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 0.2
GROWTH = 1.8
LONGEST_S = 30.0
JITTER = 0.1
LOOK_S = 1.0
"""The longest wait between two cheap looks for a device that is not there."""
LOOKING_SHARE = 4
"""A look that took long is dear: the wait after it is so many times as long."""
STEADY_S = 5.0
"""A device that stayed open so long has recovered: its next failure is the first again."""
CLOSED_S = 1.0
"""After a close of our own, before the next open: the device is there and needs a moment."""


def back_off_s(failures: int) -> float:
    """Return the wait after so many failures in a row, from 0."""
    return min(FIRST_S * GROWTH ** min(failures, LONGEST_EXPONENT), LONGEST_S)


LONGEST_EXPONENT = 16
"""From here on every wait is the longest; a power of a million is no number."""


@dataclass(slots=True)
class Waits:
    """Counts what went wrong with one device. ``dice`` returns a number in [0, 1)."""

    failures: int = 0
    looks: int = 0

    def after_absence(self, took_s: float, dice: float) -> float:
        """It is not there; looking for it took ``took_s``."""
        cheap_s = max(LOOK_S, took_s * LOOKING_SHARE)
        wait_s = min(back_off_s(self.looks), cheap_s, LONGEST_S)
        self.looks += 1
        self.failures = 0
        return jittered(wait_s, dice)

    def after_failure(self, open_s: float, dice: float) -> float:
        """It went or failed after being open for ``open_s``."""
        if open_s >= STEADY_S:
            self.failures = 0
        wait_s = back_off_s(self.failures)
        self.failures += 1
        self.looks = 0
        return jittered(wait_s, dice)

    def after_refusal(self, dice: float) -> float:
        """A person has to do something: there is no hurry."""
        return jittered(LONGEST_S, dice)

    def woken(self) -> None:
        """Something changed: what failed before says nothing any more."""
        self.failures = self.looks = 0


def jittered(wait_s: float, dice: float) -> float:
    """Spread a wait by a tenth, so that devices that fell together do not come back together."""
    return wait_s * (1 + JITTER * (2 * dice - 1))
