"""Stock divided among computers that hear of each other late, in another order, twice or never."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import pytest

from tapledger.loyalty.rewards import allotting
from tapledger.loyalty.rewards.allotting import Slice

Divide = Callable[[int, Mapping[str, Slice], Collection[str]], dict[str, Slice]]


@dataclass
class Computer:
    """One that counts for itself. ``heard`` is the last news of central's that came: both figures in all."""

    used: int = 0
    returned: int = 0
    heard: tuple[int, int] = (0, 0)
    said: tuple[int, int] = (0, 0)
    """(used, returned) as central knows them."""

    def act(self, chance: random.Random) -> None:
        limit, back = self.heard
        if chance.random() < 0.6 and self.used < limit - self.returned:
            self.used += 1
        if self.used and chance.random() < 0.1:
            self.used -= 1  # a voucher that is taken back
        self.returned += allotting.back(Slice(limit, self.used, back), self.returned)


def live(seed: int, divide: Divide, steps: int = 300) -> tuple[int, int]:
    """Return the stock, and how many were given out in the end, when everybody was heard."""
    chance = random.Random(seed)
    stock, computers = chance.randint(0, 30), {"a": Computer()}
    granted: dict[str, int] = {}
    asked: dict[str, int] = {}

    def share() -> None:
        slices = {
            name: Slice(granted.get(name, 0) - one.said[1], one.said[0], asked.get(name, 0) - one.said[1])
            for name, one in computers.items()
        }
        for name, one in divide(stock, slices, computers).items():
            granted[name] = one.allotted + computers[name].said[1]
            asked[name] = one.asked + computers[name].said[1]

    for _ in range(steps):
        if len(computers) < 5 and chance.random() < 0.05:
            computers["abcde"[len(computers)]] = Computer()
        one = computers[chance.choice(sorted(computers))]
        one.act(chance)
        if chance.random() < 0.3:
            one.said = (one.used, one.returned)
            share()
        if chance.random() < 0.3:
            name = chance.choice(sorted(computers))
            computers[name].heard = (granted.get(name, 0), asked.get(name, 0))
    for _ in range(60):
        for name, one in computers.items():
            one.heard = (granted.get(name, 0), asked.get(name, 0))
            one.used += max(0, one.heard[0] - one.returned - one.used)
            one.act(random.Random(1))
            one.said = (one.used, one.returned)
            share()
    return stock, sum(one.used for one in computers.values())


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_no_more_is_given_out_than_there_is_and_nearly_all_of_it(first: int) -> None:
    for seed in range(first, first + 50):
        stock, given = live(seed, allotting.divide)
        assert stock - 5 <= given <= stock, seed


def test_a_division_that_forgets_who_is_away_gives_out_too_much() -> None:
    """The broken twin: an even part for each that is new, of all that there is."""

    def forgetful(stock: int, slices: Mapping[str, Slice], active: Collection[str]) -> dict[str, Slice]:
        return {
            name: Slice(max(one.allotted, stock // len(active)), one.used) for name, one in slices.items()
        }

    assert any(given > stock for stock, given in (live(seed, forgetful) for seed in range(20)))


def test_parts_are_even_and_the_last_pieces_stay_where_they_are() -> None:
    parts = allotting.divide(10, {}, ["a", "b", "c"])
    assert {name: one.allotted for name, one in parts.items()} == {"a": 4, "b": 4, "c": 2}
    one_left = {"a": Slice(4, 4), "b": Slice(4, 4), "c": Slice(2, 1)}
    assert allotting.divide(10, one_left, ["a", "b", "c"]) == one_left


def test_who_has_none_gets_some_although_nobody_has_much() -> None:
    held = {"a": Slice(2, 2), "b": Slice(2, 0), "c": Slice(2, 0)}
    asked = allotting.divide(6, held, ["a", "b", "c"])
    assert [asked[name].asked for name in "abc"] == [0, 1, 1]
    returned = {"a": Slice(2, 2), "b": Slice(1, 0), "c": Slice(1, 0)}
    assert allotting.divide(6, returned, ["a", "b", "c"])["a"] == Slice(4, 2)


def test_who_is_gone_is_counted_and_given_nothing() -> None:
    held = {"gone": Slice(4, 1), "here": Slice(6, 6)}
    assert allotting.divide(10, held, ["here"]) == held
    assert allotting.divide(12, held, ["here"])["here"] == Slice(8, 6)
    assert allotting.divide(10, held, []) == held


def test_what_was_used_is_never_taken_back() -> None:
    """Stores from before there were parts, and computers that were not stopped in time."""
    parts = allotting.divide(10, {"a": Slice(0, 8), "b": Slice(1, 7)}, ["a", "b"])
    assert parts == {"a": Slice(8, 8), "b": Slice(7, 7)}


def test_only_what_is_asked_for_and_left_is_given_back() -> None:
    assert allotting.back(Slice(10, 3, 4), 0) == 4
    assert allotting.back(Slice(10, 8, 4), 0) == 2
    assert allotting.back(Slice(10, 3, 4), 4) == 0
    assert allotting.back(Slice(2, 3, 4), 0) == 0
