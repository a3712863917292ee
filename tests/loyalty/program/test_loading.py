"""The programme: what cannot work is refused before it is used, and the error says where and why."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.languages import LANGUAGES
from tapledger.loyalty.program import load, name_in
from tapledger.loyalty.program.lint.walk import structs
from tapledger.loyalty.rewards.redeeming import decide_hold
from tapledger.loyalty.tiers.tiering import current
from tapledger.membership import programs
from tests.loyalty.givens import (
    NOON,
    PROGRAM,
    buy,
    hold_of,
    line,
    lots_added,
    member,
    redeem,
    rich,
)
from tests.source_tree import ROOT

TABLE: dict[str, Any] = {
    "version": "1",
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "expiry": {"mode": "months", "count": 12},
    "trust": {"l1_points_per_day": 100},
    "tiers": [
        {"id": "a", "name": {"en": "A"}, "from_spend_minor": 0, "earn_points": 1, "earn_per_minor": 100},
        {"id": "b", "name": {"en": "B"}, "from_spend_minor": 10, "earn_points": 1, "earn_per_minor": 100},
    ],
    "rewards": [{"id": "tea", "title": {"en": "Tea"}, "cost_points": 10, "tiers": ["b"]}],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the table with one place changed: ``tiers.0.earn_points``; DELETED takes it out."""
    table = copy.deepcopy(TABLE)
    place: Any = table
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        place = place[part]
    place[last] = value
    return table


def refused(table: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as error:
        load(table)
    assert error.value.code == "PROGRAM_INVALID"
    assert error.value.data["where"] == "program.toml"
    return str(error.value.data["why"])


SHIPPED = [ROOT / "config" / "program.toml", *sorted((ROOT / "config" / "examples").glob("*/program.toml"))]


@pytest.mark.parametrize("path", SHIPPED, ids=[path.parent.name for path in SHIPPED])
def test_whatever_we_ship_has_a_name_is_named_in_four_languages(path: Path) -> None:
    program = programs.load(path).program
    assert program is not None
    named = [
        names
        for _, struct in structs(program)
        for label in ("name", "title", "text")
        if isinstance(names := getattr(struct, label, None), dict)
    ]
    assert len(named) >= 7
    assert [names for names in named if set(names) != set(LANGUAGES)] == []


def test_defaults_are_the_careful_ones() -> None:
    program = load({key: TABLE[key] for key in ("version", "currency", "timezone", "tiers")})
    assert program.rewards == []
    assert program.expiry.mode == "never"
    assert program.trust.points_per_day(0) == 0, "a bare number redeems nothing unless the owner says so"
    assert (program.voucher_days, program.unsettled_points) == (30, 500)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("tiers.1.earn_points", "one", "tiers[1].earn_points: PROGRAM_TYPE"),
        ("tiers.0.earn_points", 1.5, "tiers[0].earn_points: PROGRAM_TYPE"),
        ("tiers.0.earn_point", 1, "tiers[0].earn_point: PROGRAM_KEY_NEAR"),
        ("rewards.0.cost_points", None, "rewards[0].cost_points: PROGRAM_TYPE"),
        ("rewards.0.stock", "many", "rewards[0].stock: PROGRAM_TYPE"),
        ("rewards.0.kind", "itm", "rewards[0].kind: PROGRAM_CHOICE_UNKNOWN"),
        ("expiry.count", "12", "expiry.count: PROGRAM_TYPE"),
        ("expiry.month", 13, "expiry.month: PROGRAM_VALUE"),
        ("currency", 156, "currency: PROGRAM_TYPE"),
        ("trust.l4_points_per_day", 1, "trust.l4_points_per_day: PROGRAM_KEY_NEAR"),
        ("tiers", {}, "tiers: PROGRAM_TYPE"),
    ],
)
def test_what_has_the_wrong_shape_is_named_with_its_place(path: str, value: object, place: str) -> None:
    assert place in refused(changed(path, value))


@pytest.mark.parametrize("key", ["version", "currency", "timezone", "tiers"])
def test_what_is_missing_is_named(key: str) -> None:
    why = refused({name: value for name, value in TABLE.items() if name != key})
    assert f"PROGRAM_KEY_MISSING (key='{key}')" in why


def test_every_mistake_is_named_not_only_the_first() -> None:
    table = changed("rewards.0.cost_points", 0) | {"currency": "¥", "colour": "red"}
    why = refused(table)
    for code in ("PROGRAM_KEY_UNKNOWN", "PROGRAM_CURRENCY_UNKNOWN", "PROGRAM_REWARD_FREE"):
        assert code in why


@pytest.mark.parametrize(
    ("mode", "count"),
    [
        ("never", 0),
        ("annual", 0),
        ("inactivity", 1),
        *((mode, 0) for mode in ("days", "months", "end_of_month", "end_of_year")),
        *((mode, 3650) for mode in ("days", "months", "end_of_month", "end_of_year", "inactivity")),
    ],
)
def test_every_programme_that_is_let_through_can_sell_and_redeem(mode: str, count: int) -> None:
    program = load(changed("expiry", {"mode": mode, "count": count}) | {"voucher_days": 3650})
    assert lots_added(buy(member(), [line(10_000)], program))
    who = rich(tier="b")
    assert hold_of(decide_hold(who, redeem("tea"), program, NOON)).points == 10


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3), lambda x: st.lists(x, max_size=2), max_leaves=4
    )
)
def test_no_value_anywhere_breaks_the_check(value: object) -> None:
    for path in ("currency", "timezone", "tiers", "tiers.0", "tiers.0.name", "rewards.0", "expiry", "trust"):
        try:
            load(changed(path, value))
        except Invalid as error:
            assert error.code == "PROGRAM_INVALID"


# ---- looking up ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("names", "language", "shown"),
    [
        ({"en": "Mug", "zh-Hans": "杯"}, "zh-Hans", "杯"),
        ({"en": "Mug"}, "zh-Hans", "Mug"),
        ({"fr": "Tasse"}, "zh-Hans", "Tasse"),
        ({"en": "Mug", "zh-Hans": ""}, "zh-Hans", "Mug"),
        ({}, "en", ""),
    ],
)
def test_names_fall_back(names: dict[str, str], language: str, shown: str) -> None:
    assert name_in(names, language) == shown


def test_a_tier_of_another_version_counts_as_the_lowest() -> None:
    assert PROGRAM.tier("platinum").id == "normal"
    assert PROGRAM.rank("platinum") == 0
    assert current(member(tier="platinum"), PROGRAM, NOON).id == "normal"
    assert current(member(tier="platinum", spend_minor=100_000), PROGRAM, NOON).id == "silver"
    assert current(member(tier="gold"), PROGRAM, NOON).id == "gold"
