"""What happened, step by step: hashed as a whole, and its end kept to be shown when a rule is broken."""

from __future__ import annotations

import hashlib
from collections import Counter, deque

TAIL = 60
"""Steps that are shown before a broken rule."""


LEDGER = "available + leased + spent = earned"
BALANCED = "the lines of an event sum to zero"
NO_OVERDRAFT = "no lease is overdrawn"
BOUND = "a loss is within the printed bound"
WHOLE = "every chain is whole"
CLOCKS = "hybrid clocks never fall"
ONCE = "an event is at central once, a command is done once"
ACKNOWLEDGED = "what is acknowledged is on central's disk for ever"
KEPT = "what a customer was shown as done is at central"
EVIDENCE = "what is not at central is there as evidence"
SUSPECTS = "only who gave cause is suspended, and everybody who did"
EQUAL = "all replicas are equal when all is quiet"
QUIET = "all is quiet once all is well"
APPLIED = "whatever a shop records can be applied"
KNOWN = "the product meets nothing that it does not know"
RULES = (LEDGER, BALANCED, NO_OVERDRAFT, BOUND, WHOLE, CLOCKS, ONCE, ACKNOWLEDGED, KEPT, EVIDENCE, SUSPECTS,
         EQUAL, QUIET, APPLIED, KNOWN)  # fmt: skip
"""What must hold, whatever breaks."""


class Broken(Exception):
    """Something that must never be is: a rule of the product does not hold."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule
        self.what = what


class Trace:
    """Records every step. ``digest`` is the same for two lives only when each step of them is."""

    def __init__(self) -> None:
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._hash = hashlib.sha256()

    def note(self, at_s: float, who: str, what: str, detail: object = "") -> None:
        """Record a step: at which second, of whom, and what; ``what`` is counted by itself."""
        self.steps += 1
        self.counts[what] += 1
        line = f"{self.steps} {at_s:.6f} {who} {what} {detail}".rstrip()
        self.tail.append(line)
        self._hash.update(line.encode() + b"\n")

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
