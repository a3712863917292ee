"""The Merkle tree of RFC 6962: one root commits to a list of leaves, short proofs to what is in it.

A proof is a list of hashes of ranges of leaves; which ranges, is decided by the sizes alone. So the maker and
the verifier walk the same list, and no proof says anything about its own shape. Leaves are hashed apart from
inner nodes, so that neither can be taken for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

from tapledger.errors import Corrupt, Denied

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
SIZE_BYTES = 8

Place = tuple[int, int]
"""A complete subtree: (level, index) stands over the ``2**level`` leaves from ``index * 2**level`` on."""
Range = tuple[int, int]
"""Leaves ``first .. end - 1``."""
Find = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree at (level, index)."""


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Frontier:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    ``peaks`` are the roots of its complete subtrees from left to right, one for each bit that is set in
    ``size``.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> list[tuple[Place, bytes]]:
        """Add a leaf hash; return the subtrees that it completes, itself first."""
        index, completed = self.size, leaf
        found = [((0, index), completed)]
        while index & 1:
            completed = node_hash(self.peaks.pop(), completed)
            index >>= 1
            found.append(((len(found), index), completed))
        self.peaks.append(completed)
        self.size += 1
        return found

    def root(self) -> bytes:
        return _join(self.peaks) if self.peaks else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        return self.size.to_bytes(SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Read what ``to_bytes`` wrote; raise ``Corrupt`` when it is anything else."""
        size, rest = int.from_bytes(data[:SIZE_BYTES], "big"), data[SIZE_BYTES:]
        if len(data) < SIZE_BYTES or len(rest) != size.bit_count() * HASH_BYTES:
            raise Corrupt("LOG_FRONTIER_UNREADABLE")
        return cls(size, [rest[at : at + HASH_BYTES] for at in range(0, len(rest), HASH_BYTES)])


def subtrees(leaves: Range) -> Iterator[Place]:
    """Yield the complete subtrees of a range that starts where one of its size may start, largest first."""
    first, end = leaves
    while first < end:
        level = (end - first).bit_length() - 1
        yield level, first >> level
        first += 1 << level


def inclusion_proof(find: Find, index: int, size: int) -> list[bytes]:
    """Return what proves leaf ``index`` to be in the tree of ``size`` leaves: its siblings, lowest first."""
    return [_hash_of(find, sibling) for sibling in _siblings(index, (0, size))]


def consistency_proof(find: Find, old_size: int, new_size: int) -> list[bytes]:
    """Return what proves that the tree of ``new_size`` leaves begins with that of ``old_size``."""
    return [_hash_of(find, leaves) for leaves in _steps(old_size, new_size)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Raise ``Denied`` unless the tree with this root and size has this leaf hash at ``index``."""
    if not _is_included(leaf, index, size, proof, expected):
        raise Denied("LOG_PROOF_WRONG")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise ``Denied`` unless the tree of ``new_size`` leaves begins with all of the older one."""
    if not _is_consistent(old_size, old_root, new_size, new_root, proof):
        raise Denied("LOG_PROOF_WRONG")


def _is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    if not 0 <= index < size or not _are_hashes(leaf, expected, *proof):
        return False
    siblings = _siblings(index, (0, size))
    if len(siblings) != len(proof):
        return False
    turns = [(first > index, one) for (first, _), one in zip(siblings, proof, strict=True)]
    return _climb(leaf, turns) == expected


def _is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    steps = _steps(old_size, new_size)
    if len(steps) != len(proof):
        return False
    if old_size == new_size:
        return old_root == new_root and (old_size > 0 or old_root == EMPTY_ROOT)
    if old_size == 0:
        return old_root == EMPTY_ROOT
    pairs = list(zip(steps, proof, strict=True))
    # Unless the old tree is one complete subtree, the proof brings its last part.
    start = pairs.pop(0)[1] if steps[0][1] == old_size else old_root
    turns = [(first >= old_size, one) for (first, _), one in pairs]
    old = _climb(start, [turn for turn in turns if not turn[0]])
    return old == old_root and _climb(start, turns) == new_root


def _split(leaves: Range) -> int:
    """Return where a range is cut in two: after the largest power of two that leaves something over."""
    first, end = leaves
    return first + (1 << (end - first - 1).bit_length() - 1)


def _siblings(index: int, leaves: Range) -> list[Range]:
    found = []
    while leaves[1] - leaves[0] > 1:
        middle = _split(leaves)
        left, right = (leaves[0], middle), (middle, leaves[1])
        leaves, sibling = (left, right) if index < middle else (right, left)
        found.append(sibling)
    return found[::-1]


def _steps(old_size: int, new_size: int) -> list[Range]:
    """Return the ranges of a consistency proof (RFC 6962 section 2.1.2), lowest first.

    The first ends at ``old_size`` unless the old tree is a complete subtree, which the verifier knows.
    """
    if not 0 < old_size < new_size:
        return []
    found: list[Range] = []
    leaves = (0, new_size)
    while leaves[1] != old_size:
        middle = _split(leaves)
        left, right = (leaves[0], middle), (middle, leaves[1])
        leaves, sibling = (left, right) if old_size <= middle else (right, left)
        found.append(sibling)
    if leaves[0] > 0:
        found.append(leaves)
    return found[::-1]


def _hash_of(find: Find, leaves: Range) -> bytes:
    return _join([find(level, index) for level, index in subtrees(leaves)])


def _join(peaks: Sequence[bytes]) -> bytes:
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks))


def _climb(start: bytes, turns: Iterable[tuple[bool, bytes]]) -> bytes:
    """Return the root reached from a hash; each turn is (whether it stands to the right, its hash)."""
    for to_the_right, sibling in turns:
        start = node_hash(start, sibling) if to_the_right else node_hash(sibling, start)
    return start


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
