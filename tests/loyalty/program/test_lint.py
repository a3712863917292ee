"""Programmes that can never work, or can be farmed, are refused: each mistake with its place and sentence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tapledger import texts
from tapledger.languages import LANGUAGES
from tapledger.loyalty.days import Expiry
from tapledger.loyalty.program import check
from tapledger.loyalty.program.findings import Finding
from tapledger.loyalty.program.lint import Sold, numbers
from tapledger.loyalty.program.lint.frame import lint_expiry
from tests.loyalty.program.faults import FAULTS, Fault, promotion, sound
from tests.program_keys import keys
from tests.texts.said import sites

OF_FILES = {"PROGRAM_SYNTAX", "PROGRAM_HOLIDAY_FILE"}
"""Found where files are read (tests/membership/test_programs.py)."""
OF_ARTICLES = {"PROGRAM_SKU_UNKNOWN", "PROGRAM_CATEGORY_UNKNOWN", "PROGRAM_PRICE_ABOVE_LIST"}


def found(table: dict[str, Any]) -> list[Finding]:
    return check(table)[1]


def test_the_programme_without_a_fault_is_sound() -> None:
    program, findings = check(sound())
    assert findings == []
    assert program is not None


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{fault.code}-{fault.place()}" for fault in FAULTS])
def test_a_broken_programme_is_refused_by_its_own_sentence_at_its_place(fault: Fault) -> None:
    program, findings = check(fault.table())
    assert program is None
    hits = [one for one in findings if one.why.code == fault.code]
    assert hits, [one.plain() for one in findings]
    assert fault.place() in [one.key for one in hits]
    for language in LANGUAGES:
        assert texts.reason(language, hits[0].why)


def test_the_faults_are_many_and_no_two_say_the_same() -> None:
    said = {}
    for fault in FAULTS:
        hit = next(one for one in found(fault.table()) if one.why.code == fault.code)
        said[fault.code] = texts.reason("en", hit.why)
    assert len(FAULTS) >= 45
    assert len(set(said.values())) == len(said)


def test_every_mistake_that_can_be_told_has_a_broken_programme_here() -> None:
    told = {site.code for site in sites() if site.kind == "reason" and site.code.startswith("PROGRAM_")}
    assert told - OF_FILES - OF_ARTICLES == {fault.code for fault in FAULTS} - {"UNIT_EXCEEDS_MAX"}


def test_G46_a_unit_that_never_fits_is_refused() -> None:
    (fault,) = [one for one in FAULTS if one.code == "UNIT_EXCEEDS_MAX"]
    (finding,) = found(fault.table())
    assert finding.why.data == {"unit_points": 100, "max_points": 50}


def test_all_mistakes_of_a_file_are_listed_at_once() -> None:
    table = sound()
    table["currency"] = "RMB"
    table["timezone"] = "Mars/Base"
    table["rewards"][0]["cost_point"] = table["rewards"][0].pop("cost_points")
    table["rewards"][3]["tiers"] = ["platinum"]
    table["tiers"][1]["discount_bp"] = 20_000
    assert {(one.key, one.why.code) for one in found(table)} == {
        ("currency", "PROGRAM_CURRENCY_UNKNOWN"),
        ("timezone", "PROGRAM_TIMEZONE_UNKNOWN"),
        ("rewards[0]", "PROGRAM_KEY_MISSING"),
        ("rewards[0].cost_point", "PROGRAM_KEY_NEAR"),
        ("rewards[3].tiers[0]", "PROGRAM_TIER_UNKNOWN"),
        ("tiers[1].discount_bp", "PROGRAM_PERCENT_OVER"),
    }


def test_an_entry_that_cannot_be_read_is_not_missed_by_those_who_name_it() -> None:
    table = sound()
    table["coupons"][0]["valid_days"] = "a month"
    table["coupons"][1].pop("benefit")
    assert [one.key for one in found(table)] == ["coupons[0].valid_days", "coupons[1]"]


@pytest.mark.parametrize(
    ("window", "days", "open_"),
    [
        ({"weekdays": ["sat"]}, (dt.date(2027, 1, 4), dt.date(2027, 1, 9)), False),
        ({"weekdays": ["sat"]}, (dt.date(2027, 1, 4), dt.date(2027, 1, 10)), True),
        ({"weekdays": ["fri"], "start": "22:00", "end": "02:00"},
         (dt.date(2027, 1, 9), dt.date(2027, 1, 10)), True),
        ({"dates": [dt.date(2028, 1, 1)]}, (dt.date(2027, 1, 4), dt.date(2027, 12, 31)), False),
        ({"start": "10:05", "end": "10:10"}, (dt.date(2027, 1, 4), dt.date(2027, 1, 5)), True),
    ],
)  # fmt: skip
def test_a_window_is_looked_for_inside_the_time_of_its_promotion(
    window: dict[str, object], days: tuple[dt.date, dt.date], open_: bool
) -> None:
    table = sound()
    table["windows"].append({"id": "w", **window})
    first, last = (dt.datetime.combine(day, dt.time()) for day in days)
    table["promotions"].append(promotion(when={"window": "w", "from": first, "to": last}))
    codes = [one.why.code for one in found(table)]
    assert codes == ([] if open_ else ["PROGRAM_WINDOW_NEVER_MET"])


def test_times_with_and_without_an_offset_can_stand_beside_each_other() -> None:
    table = sound()
    begins = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    ends = dt.datetime(2027, 1, 1, 8)  # noqa: DTZ001 - local by intent: the same instant in Shanghai
    table["promotions"].append(promotion(when={"from": begins, "to": ends}))
    assert [one.why.code for one in found(table)] == ["PROGRAM_NEVER_OPEN"]
    table["promotions"][-1]["when"]["to"] = dt.datetime(2027, 1, 1, 8, 1)  # noqa: DTZ001 - local by intent
    assert found(table) == []


@pytest.mark.parametrize(("value_minor", "sound_"), [(132, True), (133, False)])
def test_a_reward_is_compared_with_the_cheapest_way_to_earn_it(value_minor: int, sound_: bool) -> None:
    """Home articles earn 2 points a yuan, gold 1.5 times, one doubling: 8 points are earned by 1.33."""
    table = sound()
    table["rewards"][0] |= {"cost_points": 8, "value_minor": value_minor}
    assert [one.why.code for one in found(table)] == ([] if sound_ else ["PROGRAM_REWARD_WORTH_MORE"])


def test_what_is_said_of_numbers_is_said_of_numbers_that_are_there() -> None:
    known = {f"{key.struct.__name__}.{key.field}" for key in keys()}
    known |= {name.replace("Promotion.", "Template.") for name in known}
    for said in (numbers.AT_LEAST_ONE, numbers.NO_CAPS, numbers.ANY_SIGN, numbers.OF_THEIR_OWN):
        assert said <= known, said - known


@pytest.mark.parametrize(
    "rule",
    [
        Expiry("days", -1),
        Expiry("months", 3651),
        Expiry("inactivity"),
        Expiry("annual", 1),
        Expiry("never", 3),
        Expiry("months", 3, month=6),
        Expiry("months", 3, day=30),
    ],
)
def test_an_expiry_that_cannot_be_meant_is_named(rule: Expiry) -> None:
    assert len(list(lint_expiry((), rule))) == 1


@pytest.mark.parametrize(
    "rule",
    [
        Expiry(),
        Expiry("days"),
        Expiry("days", 3650),
        Expiry("inactivity", 1),
        Expiry("annual", 0, 3, 31),
        Expiry("end_of_year", 1),
    ],
)
def test_an_expiry_that_can_be_meant_is_not(rule: Expiry) -> None:
    assert list(lint_expiry((), rule)) == []


# ---- beside the articles ---------------------------------------------------------------------------------
SHELF = {
    one.sku: one for one in (Sold("A1", 1000, "home"), Sold("A2", 2000, "home"), Sold("B1", 500, "medicine"))
}


def test_articles_and_categories_that_nobody_sells_are_named() -> None:
    table = sound()
    table["promotions"].append(promotion(scope={"skus": ["A1", "A9"], "categories": ["hmoe"]}))
    findings = check(table, SHELF)[1]
    assert {(one.key, one.why.code) for one in findings} == {
        ("promotions[2].scope.categories[0]", "PROGRAM_CATEGORY_UNKNOWN"),
        ("promotions[2].scope.skus[1]", "PROGRAM_SKU_UNKNOWN"),
    }


@pytest.mark.parametrize(("price_minor", "sound_"), [(1999, True), (2000, False)])
def test_a_special_price_must_be_below_the_dearest_list_price(price_minor: int, sound_: bool) -> None:
    table = sound()
    benefit = {"type": "fixed_price", "price_minor": price_minor}
    table["promotions"].append(promotion(benefit=benefit, scope={"categories": ["home"]}))
    codes = [one.why.code for one in check(table, SHELF)[1]]
    assert codes == ([] if sound_ else ["PROGRAM_PRICE_ABOVE_LIST"])
