"""What this shop has seen of central's log: the newest checkpoint, and two that cannot both be true."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.store import alarms, facts

SEEN = "checkpoint.seen"
FORK = "checkpoint.fork"


def seen(tx: Transaction) -> str:
    """Return the newest checkpoint that was proved to follow all before it; empty before the first."""
    return (facts.get(tx, SEEN) or b"").decode()


def see(tx: Transaction, note: str) -> None:
    facts.put(tx, SEEN, note.encode())


def fork(tx: Transaction) -> str:
    """Return the two signed checkpoints that contradict each other; empty while there are none."""
    return (facts.get(tx, FORK) or b"").decode()


def ring_fork(tx: Transaction, at_ms: int, told: str, evidence: str) -> None:
    """Keep the checkpoint seen and the one told as evidence, and ring."""
    facts.put(tx, FORK, f"{seen(tx)}\n{told}".encode())
    alarms.ring(tx, at_ms, "CENTRAL_FORKED", "", evidence)


def forget(tx: Transaction) -> None:
    """Begin anew: the next checkpoint told is the first that is seen."""
    for name in (SEEN, FORK):
        facts.put(tx, name, b"")
