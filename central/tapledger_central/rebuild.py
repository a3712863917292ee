"""Proves the public log: rebuilds it from the inbox and names the first entry that is not as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from tapledger.errors import Corrupt, TapledgerError
from tapledger.wire import checkpoints, merkle
from tapledger.wire.codec import GENESIS, link
from tapledger.wire.merkle import HASH_BYTES, Frontier
from tapledger_central.audit import TILE_HASHES, TILE_LEVELS
from tapledger_central.classify import classify
from tapledger_central.keys import CentralKeys
from tapledger_central.store import Transaction, log
from tapledger_central.store.log import Chain, Row, Run

ROWS_READ = 1000


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is not as it was: from entry ``index`` of the log on nothing is proved."""

    index: int
    why: str
    """``missing``, ``hash``, ``member``, ``log``, ``order`` or ``inserted`` is said of an event;
    ``checkpoint``, ``forged`` or ``head`` of what was noted of them all."""
    node: str = ""
    epoch: int = 0
    seq: int = 0


def verify(tx: Transaction, keys: CentralKeys) -> Iterator[Broken | int]:
    """Rebuild the log from the inbox; yield counts as progress, and at the end at most one ``Broken``.

    What the events, the tiles and the signed checkpoints say must be the same. A log that was cut off and
    signed anew is whole here: the shops that have seen the old one find that (``sync.witness``). Nothing is
    entered meanwhile.
    """
    with suppress(Corrupt):  # a frontier that is not readable is found at the end
        log.lock(tx)
    rebuilt = _Rebuilt(tx, keys)
    for run in log.runs(tx):
        broken = rebuilt.take(run)
        if broken is not None:
            yield broken
            return
        yield rebuilt.frontier.size
    broken = rebuilt.fault_at_the_end()
    if broken is not None:
        yield broken


class _Rebuilt:
    """The log as it grows once more from the inbox."""

    def __init__(self, tx: Transaction, keys: CentralKeys) -> None:
        self._tx = tx
        self._origin = checkpoints.origin_of(keys.tenant)
        self._public_key = keys.public_key
        self.frontier = Frontier()
        self._chains: dict[tuple[str, int], tuple[int, bytes]] = {}
        self._tiles: dict[int, tuple[int, bytes]] = {}
        self._signed = log.checkpoints(tx)[::-1]
        self._proved = 0

    def take(self, run: Run) -> Broken | None:
        """Enter a run; return what is wrong with the first event that is not as it was."""
        done, digest = self._chains.get((run.node, run.epoch), (0, GENESIS))
        last = done + run.count
        if run.position != self.frontier.size:
            return Broken(self.frontier.size, "missing")
        if run.first_seq != done + 1:
            return self._broken("order", run.node, run.epoch, done + 1)
        rows = {row.seq: row for row in log.rows(self._tx, run.node, run.epoch, done + 1, last)}
        for seq in range(done + 1, last + 1):
            row = rows.get(seq)
            why = _fault(row, digest)
            if row is None or why:
                return self._broken(why, run.node, run.epoch, seq)
            if not self._enter(merkle.leaf_hash(row.raw)):
                return Broken(self.frontier.size - 1, "log", run.node, run.epoch, seq)
            digest = row.hash
            wrong = self._fault_of_checkpoint()
            if wrong is not None:
                return wrong
        self._chains[run.node, run.epoch] = (last, digest)
        return None

    def _broken(self, why: str, node: str, epoch: int, seq: int) -> Broken:
        return Broken(self.frontier.size, why, node, epoch, seq)

    def _enter(self, leaf: bytes) -> bool:
        """Append a leaf; tell whether the tiles have the same hashes."""
        return all(
            self._in_tile(level // TILE_LEVELS, index) == digest
            for (level, index), digest in self.frontier.append(leaf)
            if level % TILE_LEVELS == 0
        )

    def _in_tile(self, height: int, index: int) -> bytes:
        number, place = divmod(index, TILE_HASHES)
        if self._tiles.get(height, (-1, b""))[0] != number:
            self._tiles[height] = (number, log.tile(self._tx, height, number))
        return self._tiles[height][1][place * HASH_BYTES : (place + 1) * HASH_BYTES]

    def _fault_of_checkpoint(self) -> Broken | None:
        """Compare the root with the checkpoint of this size, if one was signed."""
        size = self.frontier.size
        if not self._signed or self._signed[-1].size != size:
            return None
        note = self._signed.pop().note
        try:
            checkpoint = checkpoints.read(note, self._origin, self._public_key)
        except TapledgerError:
            return Broken(self._proved, "forged")
        if (checkpoint.size, checkpoint.root) != (size, self.frontier.root()):
            return Broken(self._proved, "checkpoint")
        self._proved = size
        return None

    def fault_at_the_end(self) -> Broken | None:
        """Return what is wrong behind the last entry: what was cut off, and what is not entered yet."""
        size = self.frontier.size
        if self._signed:
            return Broken(size, "missing")
        if not self._ends_here():
            return Broken(size, "head")
        if any(self._has_more_in_tile(height) for height in range(size.bit_length() // TILE_LEVELS + 1)):
            return Broken(size, "log")
        found = [wrong for chain in log.chains(self._tx) if (wrong := self._fault_of_chain(chain))]
        if found:
            return found[0]
        for node, epoch in self._chains:
            return self._broken("head", node, epoch, 0)
        stray = log.stray(self._tx)
        return None if stray is None else self._broken("inserted", *stray)

    def _ends_here(self) -> bool:
        try:
            return log.frontier(self._tx).to_bytes() == self.frontier.to_bytes()
        except Corrupt:
            return False

    def _has_more_in_tile(self, height: int) -> bool:
        """A hash too many in the tile that grows would be found no sooner than by the next proof."""
        number, hashes = divmod(self.frontier.size >> height * TILE_LEVELS, TILE_HASHES)
        return len(log.tile(self._tx, height, number)) != hashes * HASH_BYTES

    def _fault_of_chain(self, chain: Chain) -> Broken | None:
        """Compare a chain's end with what is entered of it, and check the rest."""
        seq, digest = self._chains.pop((chain.node, chain.epoch), (0, GENESIS))
        if seq != chain.logged:
            return self._broken("order", chain.node, chain.epoch, seq + 1)
        while seq < chain.seq:
            rows = log.rows(self._tx, chain.node, chain.epoch, seq + 1, min(seq + ROWS_READ, chain.seq))
            if not rows:
                return self._broken("missing", chain.node, chain.epoch, seq + 1)
            for row in rows:
                why = _fault(row if row.seq == seq + 1 else None, digest)
                if why:
                    return self._broken(why, chain.node, chain.epoch, seq + 1)
                seq, digest = row.seq, row.hash
        return None if digest == chain.hash else self._broken("head", chain.node, chain.epoch, seq)


def _fault(row: Row | None, previous: bytes) -> str:
    """Say in one word how a row contradicts its chain; empty when it does not."""
    if row is None:
        return "missing"
    if link(previous, row.raw) != row.hash:
        return "hash"
    return "" if row.member == classify(row.raw, "", 0, row.seq).member else "member"
