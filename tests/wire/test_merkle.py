"""The Merkle tree: the published trees of Certificate Transparency, every proof, and no proof but those."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Corrupt, Denied
from tapledger.wire import merkle
from tapledger.wire.merkle import Frontier, Place, leaf_hash, node_hash

LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""By size. They and the proofs below: transparency-dev/merkle, proof/verify_test.go (Apache-2.0, as data)."""
A, B, C, D, E, F, G, H = (
    bytes.fromhex(one)
    for one in (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        ROOTS[4],
    )
)
INCLUSIONS = [
    (0, 8, [A, B, C]),
    (5, 8, [D, E, H]),
    (2, 3, [bytes.fromhex(ROOTS[2])]),
    (1, 5, [bytes.fromhex(ROOTS[1]), B, D]),
]
CONSISTENCIES = [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, H]), (2, 5, [B, D]), (6, 7, [F, G, H])]


class Tree:
    """All hashes of a tree that grew leaf by leaf, and the roots it had on the way."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = [leaf_hash(one) for one in leaves]
        self.nodes: dict[Place, bytes] = {}
        frontier = Frontier()
        self.roots = [frontier.root()]
        for leaf in self.leaves:
            self.nodes |= dict(frontier.append(leaf))
            self.roots.append(frontier.root())
        self.read = 0

    def find(self, level: int, index: int) -> bytes:
        self.read += 1
        return self.nodes[level, index]


def by_definition(leaves: list[bytes]) -> bytes:
    """The hash of a list as RFC 6962 section 2.1 defines it."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else hashlib.sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


CT = Tree(LEAVES)


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    assert CT.roots[size].hex() == ROOTS[size] == merkle.root(CT.leaves[:size]).hex()


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSIONS)
def test_the_published_inclusion_proofs(index: int, size: int, proof: list[bytes]) -> None:
    assert merkle.inclusion_proof(CT.find, index, size) == proof
    merkle.verify_inclusion(CT.leaves[index], index, size, proof, CT.roots[size])


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCIES)
def test_the_published_consistency_proofs(old: int, new: int, proof: list[bytes]) -> None:
    assert merkle.consistency_proof(CT.find, old, new) == proof
    merkle.verify_consistency(old, CT.roots[old], new, CT.roots[new], proof)


MANY = [bytes([at]) * at for at in range(70)]
MANY_TREE = Tree(MANY)


def test_every_root_is_that_of_the_definition() -> None:
    for size, found in enumerate(MANY_TREE.roots):
        assert found == by_definition(MANY[:size])


def test_a_frontier_is_stored_and_goes_on() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(MANY_TREE.leaves):
        frontier = Frontier.from_bytes(frontier.to_bytes())
        assert (frontier.size, frontier.root()) == (size, MANY_TREE.roots[size])
        assert len(frontier.to_bytes()) <= 8 + 32 * 7
        frontier.append(leaf)


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 9, Frontier(1, [bytes(32)]).to_bytes()[:-1]])
def test_a_damaged_frontier_is_told(data: bytes) -> None:
    with pytest.raises(Corrupt, match="LOG_FRONTIER_UNREADABLE"):
        Frontier.from_bytes(data)


def test_every_proof_between_all_sizes_holds_and_costs_the_logarithm() -> None:
    for new in range(1, len(MANY) + 1):
        for place in range(new):
            MANY_TREE.read = 0
            proof = merkle.inclusion_proof(MANY_TREE.find, place, new)
            assert MANY_TREE.read <= 2 * new.bit_length()
            merkle.verify_inclusion(MANY_TREE.leaves[place], place, new, proof, MANY_TREE.roots[new])
            proof = merkle.consistency_proof(MANY_TREE.find, place, new)
            merkle.verify_consistency(place, MANY_TREE.roots[place], new, MANY_TREE.roots[new], proof)
            assert len(proof) <= new.bit_length() + 1


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(st.integers(2, len(MANY)))
    return draw(st.integers(1, new - 1)), new


def flipped(values: list[bytes], bit: int) -> list[bytes]:
    """Flip one bit of a list of hashes."""
    place, bit = divmod(bit, 256)
    changed = bytearray(values[place])
    changed[bit // 8] ^= 1 << bit % 8
    return [*values[:place], bytes(changed), *values[place + 1 :]]


@given(sizes(), st.randoms(use_true_random=False))
def test_every_flipped_bit_fails(pair: tuple[int, int], chance: random.Random) -> None:
    old, new = pair
    proof = merkle.inclusion_proof(MANY_TREE.find, old, new)
    said = [MANY_TREE.leaves[old], MANY_TREE.roots[new], *proof]
    for bit in _some_bits(chance, len(said)):
        leaf, top, *rest = flipped(said, bit)
        with pytest.raises(Denied, match="LOG_PROOF_WRONG"):
            merkle.verify_inclusion(leaf, old, new, rest, top)
    proof = merkle.consistency_proof(MANY_TREE.find, old, new)
    said = [MANY_TREE.roots[old], MANY_TREE.roots[new], *proof]
    for bit in _some_bits(chance, len(said)):
        before, after, *rest = flipped(said, bit)
        with pytest.raises(Denied, match="LOG_PROOF_WRONG"):
            merkle.verify_consistency(old, before, new, after, rest)


def _some_bits(chance: random.Random, hashes: int) -> list[int]:
    """One bit of every hash."""
    return [place * 256 + chance.randrange(256) for place in range(hashes)]


@given(sizes(), sizes())
def test_a_proof_serves_its_own_figures_only(mine: tuple[int, int], other: tuple[int, int]) -> None:
    index, size = mine
    path = merkle.inclusion_proof(MANY_TREE.find, index, size)
    proof = merkle.consistency_proof(MANY_TREE.find, index, size)
    roots, leaves = MANY_TREE.roots, MANY_TREE.leaves
    if other[0] != index:
        with pytest.raises(Denied):
            merkle.verify_inclusion(leaves[index], other[0], size, path, roots[size])
    if other != mine:
        with pytest.raises(Denied):
            merkle.verify_inclusion(leaves[other[0]], *other, path, roots[other[1]])
        with pytest.raises(Denied):
            merkle.verify_consistency(other[0], roots[other[0]], other[1], roots[other[1]], proof)
    for wrong in (path[:-1], [*path, bytes(32)], [bytes(32), *path], [*path, b""]):
        with pytest.raises(Denied):
            merkle.verify_inclusion(leaves[index], index, size, wrong, roots[size])
    for wrong in (proof[:-1], [*proof, bytes(32)], [bytes(32), *proof], [*proof, b""]):
        with pytest.raises(Denied):
            merkle.verify_consistency(index, roots[index], size, roots[size], wrong)


EMPTY = merkle.EMPTY_ROOT


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root"),
    [
        (1, EMPTY, 0, EMPTY),
        (-1, EMPTY, 1, EMPTY),
        (0, bytes(32), 5, CT.roots[5]),
        (0, EMPTY, 0, bytes(32)),
        (0, bytes(32), 0, bytes(32)),
        (5, CT.roots[5], 5, CT.roots[4]),
        (3, CT.roots[3], 2, CT.roots[2]),
        (1, b"", 1, b""),
    ],
)
def test_figures_that_cannot_be(old: int, old_root: bytes, new: int, new_root: bytes) -> None:
    with pytest.raises(Denied, match="LOG_PROOF_WRONG"):
        merkle.verify_consistency(old, old_root, new, new_root, [])


def test_everything_is_consistent_with_nothing() -> None:
    merkle.verify_consistency(0, EMPTY, 0, EMPTY, [])
    merkle.verify_consistency(0, EMPTY, 5, CT.roots[5], [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (8, 8)])
def test_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(Denied, match="LOG_PROOF_WRONG"):
        merkle.verify_inclusion(CT.leaves[0], index, size, [], CT.leaves[0])


def test_an_inner_node_is_no_leaf() -> None:
    """Broken twin: without the prefixes, two leaves could be said to be one of 64 bytes."""
    one, two = CT.leaves[0], CT.leaves[1]
    assert leaf_hash(one + two) != node_hash(one, two) == CT.roots[2]
