"""The shop's line to central as it hangs on the bench: what it can be made, and what it is."""

from __future__ import annotations

from tapledger.lab.network import WELL, Fault, FaultProxy
from tapledger.web.snapshots import DockNetwork, NetworkChoice, NetworkState

SLOW = Fault(delay_ms=1500, bytes_per_s=16_000)
CHOICES: dict[NetworkChoice, Fault] = {
    "well": WELL,
    "cut": Fault(cut=True),
    "replies_lost": Fault(cut_reply_after=0),
    "slow": SLOW,
}


def view(line: FaultProxy) -> DockNetwork:
    """Return what the line does now; ``other`` is a fault that a test has made."""
    states: dict[Fault, NetworkState] = {fault: choice for choice, fault in CHOICES.items()}
    state = "other" if line.choose is not None else states.get(line.fault, "other")
    return DockNetwork(state, line.counts.requests, line.counts.replies, line.counts.lost)
