"""Kinds of members: RFM, A to D, sleeping, stages and free predicates (loyalty.md 3.23)."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.insight.segments import (
    CELLS,
    Buying,
    Classes,
    Criterion,
    Lifecycle,
    MemberFacts,
    Rfm,
    Segment,
    Stage,
    Threshold,
    abcd,
    is_in,
    is_late,
    is_sleeping,
    lint_segment,
    median,
    rfm_cells,
    rfm_label,
    stage,
)

TODAY = dt.date(2025, 5, 31)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def buyer(name: str, days_ago: int | None, visits: int = 1, spend: int = 100) -> Buying:
    return Buying(name, None if days_ago is None else ago(days_ago), visits, spend)


def fixed(value: int) -> Threshold:
    return Threshold("fixed", value)


# ---- RFM -------------------------------------------------------------------------------------------------
BY_FIGURES = Rfm(fixed(30), fixed(5), fixed(1000))


@pytest.mark.parametrize(
    ("days_ago", "visits", "spend", "cell"),
    [
        (30, 5, 1000, "111"),
        (31, 5, 1000, "011"),
        (30, 4, 1000, "101"),
        (30, 5, 999, "110"),
        (31, 4, 1000, "001"),
        (31, 5, 999, "010"),
        (30, 4, 999, "100"),
        (31, 4, 999, "000"),
        (None, 0, 0, "000"),
    ],
)
def test_each_of_the_eight_cells_has_its_bounds(
    days_ago: int | None, visits: int, spend: int, cell: str
) -> None:
    assert rfm_cells([buyer("a", days_ago, visits, spend)], BY_FIGURES, TODAY) == {"a": cell}


FOUR = [buyer("a", 1, 10, 100), buyer("b", 2, 2, 200), buyer("c", 3, 1, 300), buyer("d", 98, 1, 1000)]


def test_means_are_exact() -> None:
    """Means: 26 days, 3.5 purchases, 400."""
    rule = Rfm(Threshold("mean"), Threshold("mean"), Threshold("mean"))
    assert rfm_cells(FOUR, rule, TODAY) == {"a": "110", "b": "100", "c": "100", "d": "001"}


def test_medians_are_exact() -> None:
    """Medians: 2.5 days, 1.5 purchases, 250."""
    rule = Rfm(Threshold("median"), Threshold("median"), Threshold("median"))
    assert rfm_cells(FOUR, rule, TODAY) == {"a": "110", "b": "110", "c": "001", "d": "001"}


def test_who_never_bought_moves_no_threshold() -> None:
    rule = Rfm(Threshold("mean"), Threshold("median"), Threshold("mean"))
    idle = [buyer(f"idle {number}", None, 0, 0) for number in range(10)]
    cells = rfm_cells([*FOUR, *idle], rule, TODAY)
    assert {name: cells[name] for name in "abcd"} == rfm_cells(FOUR, rule, TODAY)
    assert cells["idle 3"] == "000"
    assert rfm_cells(idle, rule, TODAY) == {one.member: "000" for one in idle}
    assert rfm_cells([], rule, TODAY) == {}


@pytest.mark.parametrize(
    ("cell", "textbook", "winback_first"),
    [
        ("111", "IMPORTANT_VALUE", "IMPORTANT_VALUE"),
        ("101", "IMPORTANT_DEVELOP", "IMPORTANT_DEVELOP"),
        ("011", "IMPORTANT_KEEP", "IMPORTANT_WIN_BACK"),
        ("001", "IMPORTANT_WIN_BACK", "IMPORTANT_KEEP"),
        ("110", "GENERAL_VALUE", "GENERAL_VALUE"),
        ("100", "GENERAL_DEVELOP", "GENERAL_DEVELOP"),
        ("010", "GENERAL_KEEP", "GENERAL_KEEP"),
        ("000", "GENERAL_WIN_BACK", "GENERAL_WIN_BACK"),
    ],
)
def test_labels_of_both_presets(cell: str, textbook: str, winback_first: str) -> None:
    assert rfm_label(cell, "textbook").code == f"RFM_{textbook}"
    assert rfm_label(cell, "winback_first").code == f"RFM_{winback_first}"


@pytest.mark.parametrize("labels", ["textbook", "winback_first"])
def test_no_label_is_lost_in_a_preset(labels: Literal["textbook", "winback_first"]) -> None:
    assert len({rfm_label(cell, labels).code for cell in CELLS}) == len(CELLS) == 8


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=20))
def test_the_median_has_as_many_above_as_below(values: list[int]) -> None:
    middle = median(values)
    assert isinstance(middle, Fraction)
    assert sum(value < middle for value in values) <= len(values) // 2
    assert sum(value > middle for value in values) <= len(values) // 2


# ---- A, B, C, D ------------------------------------------------------------------------------------------
def classes_of(*figures: tuple[int, int]) -> str:
    """Return the classes of (visits, spend) pairs, in their order."""
    buyers = [Buying(str(place), None, visits, spend) for place, (visits, spend) in enumerate(figures)]
    return "".join(abcd(buyers, Classes()).values())


def test_ranks_of_four_add_up() -> None:
    """Spend 4 3 2 1, visits 4 3 2 1, tickets 100 90 80 70: scores 12, 9, 6, 3."""
    assert classes_of((40, 4000), (30, 2700), (20, 1600), (10, 700)) == "ABCD"


def test_the_bounds_of_the_classes() -> None:
    """Spend ranks 4 3 2 1, visits 1 3 4 2, tickets 4 3 1 2: scores 9, 9, 7, 5."""
    assert classes_of((1, 4000), (3, 3000), (4, 1000), (2, 800)) == "BBCD"
    ten = [Buying(str(n), None, n, 100 * n) for n in range(1, 5)]
    assert abcd(ten, Classes(9, 7, 5)) == {"1": "D", "2": "C", "3": "B", "4": "A"}, "scores 3, 5, 7, 9"
    assert abcd(ten, Classes(10, 8, 6)) == {"1": "D", "2": "D", "3": "C", "4": "B"}


def test_equal_figures_have_equal_classes_in_any_order() -> None:
    twins = [(5, 500)] * 3 + [(1, 50)] * 5
    assert classes_of(*twins) == classes_of(*reversed(twins))[::-1] == "BBBDDDDD"
    assert classes_of((1, 100), (1, 100)) == "DD", "nobody stands out"
    assert classes_of((0, 0), (3, 300)) == "DB"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_neither_order_nor_id_decides_a_class(figures: list[tuple[int, int]]) -> None:
    buyers = [Buying(str(place), None, visits, spend) for place, (visits, spend) in enumerate(figures)]
    classes = abcd(buyers, Classes())
    assert abcd(buyers[::-1], Classes()) == classes
    by_figures: dict[tuple[int, int], set[str]] = {}
    for one in buyers:
        by_figures.setdefault((one.visits, one.spend_minor), set()).add(classes[one.member])
    assert all(len(same) == 1 for same in by_figures.values())


# ---- sleeping and stages ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("today", "last", "sleeping"),
    [
        ("2025-05-31", "2025-02-28", False),
        ("2025-05-31", "2025-02-27", True),
        ("2025-06-01", "2025-03-01", False),
        ("2025-06-01", "2025-02-28", True),
    ],
)
def test_G96_sleeping_is_more_than_three_calendar_months(today: str, last: str, sleeping: bool) -> None:
    now, then = dt.date.fromisoformat(today), dt.date.fromisoformat(last)
    assert is_sleeping(then, dt.date(2020, 1, 1), now) is sleeping
    assert is_sleeping(None, then, now) is sleeping, "who never bought sleeps since joining"


@pytest.mark.parametrize(
    ("bought", "late"),
    [
        ((70, 40, 10), False),  # gaps of 30: late after 60 days
        ((120, 90, 60), False),
        ((121, 91, 61), True),
        ((130, 100, 100, 61), False),  # the same day twice is once: gaps of 30 and 39, late after 69
        ((139, 109, 70), True),
        ((138, 108, 69), False),
        ((300, 200), False),  # two days show no rhythm
        ((), False),
        ((10, 9, 8, 3), True),  # a daily guest, away for three days
    ],
)
def test_late_is_more_than_twice_ones_own_median_gap(bought: Sequence[int], late: bool) -> None:
    assert is_late([ago(days) for days in bought], TODAY) is late


@pytest.mark.parametrize(
    ("bought", "joined", "where"),
    [
        ((), 10, "new"),
        ((5, 3, 1), 29, "new"),
        ((5, 3, 1), 30, "active"),
        ((), 40, "active"),
        ((5, 4, 3, 2, 1), 400, "active"),
        ((6, 5, 4, 3, 2, 1), 400, "loyal"),
        ((364, 300, 200, 150, 100, 50), 400, "loyal"),
        ((365, 300, 200, 150, 100, 50), 400, "active"),  # 31 May 2024 is a year ago
        ((80, 70, 60, 50, 40, 30), 400, "at_risk"),
        ((93,), 400, "sleeping"),  # 27 February
        ((92,), 400, "active"),  # 28 February
        ((366,), 400, "lost"),
        ((365,), 400, "sleeping"),
        ((), 400, "lost"),
    ],
)
def test_where_a_member_is(bought: Sequence[int], joined: int, where: Stage) -> None:
    assert stage([ago(days) for days in bought], ago(joined), TODAY, Lifecycle()) == where


# ---- free predicates -------------------------------------------------------------------------------------
PERFUME = """
id = "young-perfume"
name = { zh-Hans = "年轻女性 × 香水", en = "Young women who buy perfume" }
all = [
    { fact = "age", at_least = 18, at_most = 35 },
    { fact = "gender", any_of = ["female"] },
    { fact = "categories", any_of = ["perfume", "make-up"] },
]
none = [{ fact = "days_since_visit", at_least = 90 }]
"""
ANNA = MemberFacts(
    {"age": 18, "days_since_visit": 89},
    {"gender": frozenset({"female"}), "categories": frozenset({"perfume", "soap"})},
)


def test_a_segment_is_read_from_toml() -> None:
    segment = msgspec.convert(tomllib.loads(PERFUME), Segment)
    assert list(lint_segment(segment)) == []
    assert is_in(segment, ANNA)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"age": 17}, {}),
        ({"age": 36}, {}),
        ({}, {"gender": frozenset({"male"})}),
        ({}, {"categories": frozenset({"soap"})}),
        ({"days_since_visit": 90}, {}),
    ],
)
def test_every_test_counts(numbers: dict[str, int], words: dict[str, frozenset[str]]) -> None:
    segment = msgspec.convert(tomllib.loads(PERFUME), Segment)
    assert not is_in(segment, MemberFacts({**ANNA.numbers, **numbers}, {**ANNA.words, **words}))


def test_what_is_not_known_of_a_member_is_never_held_for_true() -> None:
    segment = msgspec.convert(tomllib.loads(PERFUME), Segment)
    assert not is_in(segment, MemberFacts({"days_since_visit": 1}, ANNA.words))
    assert not is_in(segment, MemberFacts(ANNA.numbers, {"gender": frozenset({"female"})}))
    assert is_in(segment, MemberFacts({"age": 20}, ANNA.words)), "an unknown fact excludes nobody"
    assert is_in(Segment("all", {"en": "All"}), MemberFacts({}, {}))


@pytest.mark.parametrize(
    "test",
    [
        Criterion("age"),
        Criterion("age", any_of=["18"]),
        Criterion("age", at_least=1, any_of=["18"]),
        Criterion("age", at_least=36, at_most=35),
        Criterion("tier"),
        Criterion("tier", at_least=1),
        Criterion("tier", at_most=1, any_of=["gold"]),
    ],
)
def test_a_test_that_can_never_hold_is_named(test: Criterion) -> None:
    assert len(list(lint_segment(Segment("s", {"en": "S"}, [test])))) == 1
    assert len(list(lint_segment(Segment("s", {"en": "S"}, [], [test])))) == 1


def test_a_segment_needs_a_name_and_known_facts() -> None:
    assert len(list(lint_segment(Segment("", {"en": "S"})))) == 1
    assert len(list(lint_segment(Segment("s", {})))) == 1
    with pytest.raises(msgspec.ValidationError, match="fact"):
        msgspec.convert({"id": "s", "name": {"en": "S"}, "all": [{"fact": "face"}]}, Segment)
