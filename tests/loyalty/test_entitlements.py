"""Entitlements: of the tier or granted, used by a tap, counted by their period: lounge, parking, coffee."""

from __future__ import annotations

import datetime as dt

import pytest

from tapledger.errors import Invalid, NotFound, Refused, TapledgerError
from tapledger.loyalty import tallies
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Grant, Granted, StatusSet, Tagged
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import early_access, entitlements
from tapledger.loyalty.people.entitlements import Use
from tapledger.loyalty.program import Limit, Program, Tier
from tapledger.loyalty.program.people import Entitlement
from tests.loyalty.givens import after, program
from tests.loyalty.lives import MACHINES, ZONES, apply, at, machine_in, nobody

LOUNGE = Entitlement("lounge", {"en": "Lounge"}, limit=Limit(2, "day"))
PARKING = Entitlement("parking", {"en": "Parking"}, "amount", units=120)
COFFEE = Entitlement("coffee", {"en": "Coffee"}, limit=Limit(1, "day"))
ADVISER = Entitlement("adviser", {"en": "Adviser"}, "flag")
PHONES = Entitlement(
    "phones",
    {"en": "New phones"},
    "flag",
    skus=["x1"],
    public_from=dt.datetime(2026, 5, 10),  # noqa: DTZ001
)
RULES = program(
    tiers=[
        Tier("normal", {}),
        Tier("gold", {}, given=True, benefits=["lounge", "parking", "adviser", "phones"]),
    ],
    entitlements=[LOUNGE, PARKING, COFFEE, ADVISER, PHONES],
)
GOLD = nobody("gold")


def use(
    member: Member, entitlement: str, units: int = 1, day: str = "2026-05-04", clock: str = "12:00",
    rules: Program = RULES,
) -> Decision:  # fmt: skip
    return entitlements.decide_use(member, Use(entitlement, units), rules, at(day, clock, rules.timezone))


def code(member: Member, entitlement: str, units: int = 1, day: str = "2026-05-04") -> str:
    with pytest.raises(TapledgerError) as caught:
        use(member, entitlement, units, day)
    return caught.value.code


def granted(entitlement: str, uses: int | None = None, until: dt.datetime | None = None) -> Member:
    return apply(nobody(), Granted(Grant("g-1", entitlement, uses, until)))


def test_a_tier_gives_its_rights_and_no_other() -> None:
    held = [right.entitlement.id for right in entitlements.rights(GOLD, RULES, at("2026-05-04"))]
    assert held == ["lounge", "parking", "adviser", "phones"]
    assert entitlements.rights(nobody(), RULES, at("2026-05-04")) == []
    assert code(nobody(), "lounge") == "ENTITLEMENT_NOT_YOURS"
    assert code(GOLD, "coffee") == "ENTITLEMENT_NOT_YOURS"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("machine", MACHINES)
def test_uses_are_counted_by_the_day_of_the_programme(zone: str, machine: str) -> None:
    rules = program(tiers=RULES.tiers, entitlements=RULES.entitlements, timezone=zone)
    with machine_in(machine):
        member = after(use(GOLD, "lounge", clock="00:00", rules=rules))
        member = after(use(member, "lounge", clock="23:59:59", rules=rules))
        with pytest.raises(Refused, match="ENTITLEMENT_USED_UP"):
            use(member, "lounge", clock="23:59:59", rules=rules)
        assert use(member, "lounge", day="2026-05-05", clock="00:00", rules=rules).after is not None


def test_minutes_are_counted_to_the_last_one() -> None:
    member = after(use(GOLD, "parking", 119))
    with pytest.raises(Refused) as caught:
        use(member, "parking", 2)
    assert (caught.value.code, caught.value.data) == ("ENTITLEMENT_UNITS", {"units": 1})
    member = after(use(member, "parking", 1))
    (parking,) = [r for r in entitlements.rights(member, RULES, at("2026-05-04")) if r.entitlement == PARKING]
    assert (parking.units_left, parking.why_not is not None) == (0, True)
    assert use(member, "parking", 120, "2026-05-05").after is not None


@pytest.mark.parametrize("units", [0, -1, 2**63])
def test_units_that_cannot_be_meant(units: int) -> None:
    for entitlement in ("parking", "lounge"):
        with pytest.raises((Invalid, Refused)) as caught:
            use(GOLD, entitlement, units)
        assert caught.value.code in ("UNITS_IMPOSSIBLE", "ENTITLEMENT_UNITS")
    with pytest.raises(Invalid):
        use(GOLD, "lounge", 2)


def test_a_flag_is_only_shown() -> None:
    assert code(GOLD, "adviser") == "ENTITLEMENT_ONLY_SHOWN"
    named = apply(GOLD, Tagged(entitlements.ADVISER, ("Ms Lin",)))
    assert entitlements.adviser(named) == "Ms Lin"
    assert entitlements.adviser(GOLD) == ""


def test_a_grant_has_its_uses_and_its_end() -> None:
    member = granted("coffee", uses=2, until=at("2026-05-06", "00:00"))
    member = after(use(after(use(member, "coffee")), "coffee"))
    assert code(member, "coffee") == "ENTITLEMENT_NOT_YOURS"
    lasting = granted("coffee", until=at("2026-05-06", "00:00"))
    assert code(after(use(lasting, "coffee")), "coffee") == "ENTITLEMENT_USED_UP", "one a day"
    assert use(lasting, "coffee", day="2026-05-05", clock="23:59:59").after is not None
    assert code(lasting, "coffee", day="2026-05-06") == "ENTITLEMENT_NOT_YOURS"


def test_a_grant_with_uses_adds_to_what_the_tier_gives() -> None:
    member = apply(GOLD, Granted(Grant("g-1", "lounge", 1, None)))
    (lounge,) = [r for r in entitlements.rights(member, RULES, at("2026-05-04")) if r.entitlement == LOUNGE]
    assert lounge.uses_left == 3
    for _ in range(3):
        member = after(use(member, "lounge"))
    assert code(member, "lounge") == "ENTITLEMENT_USED_UP"
    member = after(use(after(use(member, "lounge", day="2026-05-05")), "lounge", day="2026-05-05"))
    assert code(member, "lounge", day="2026-05-05") == "ENTITLEMENT_USED_UP"


def test_a_condition_holds_for_a_right_too() -> None:
    closed = Entitlement("vip", {}, when=Condition(to=dt.datetime(2026, 5, 4, 12)))  # noqa: DTZ001
    rules = program(tiers=[Tier("normal", {}, benefits=["vip"])], entitlements=[closed])
    assert use(nobody(), "vip", clock="11:59:59", rules=rules).after is not None
    with pytest.raises(Refused):
        use(nobody(), "vip", rules=rules)


@pytest.mark.parametrize(
    ("status", "expected"), [("frozen", "MEMBER_FROZEN"), ("cancelled", "MEMBER_CANCELLED")]
)
def test_who_may_not_spend_uses_none(status: str, expected: str) -> None:
    assert code(apply(GOLD, StatusSet(status, at("2026-01-06"))), "lounge") == expected


def test_an_unknown_right_is_not_found() -> None:
    with pytest.raises(NotFound, match="ENTITLEMENT_UNKNOWN"):
        use(GOLD, "helicopter")


# ---- early access -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("member", "clock", "may"),
    [
        (None, "2026-05-09T23:59:59", False), (nobody(), "2026-05-09T23:59:59", False),
        (GOLD, "2026-05-09T23:59:59", True), (granted("phones"), "2026-05-09T23:59:59", True),
        (None, "2026-05-10T00:00:00", True), (nobody(), "2026-05-10T00:00:00", True),
    ],
)  # fmt: skip
def test_before_the_public_date_only_holders_may_buy(member: Member | None, clock: str, may: bool) -> None:
    day, time = clock.split("T")
    why = early_access.why_not(member, "x1", RULES, at(day, time))
    assert (why is None) is may
    if why is not None:
        assert why.data == {"sku": "x1", "day": "2026-05-10 00:00"}
    assert early_access.why_not(member, "x2", RULES, at(day, time)) is None


def test_what_is_shown_of_a_right() -> None:
    soon, later = at("2026-05-06", "00:00"), at("2026-05-08", "00:00")
    member = apply(nobody(), Granted(Grant("b", "coffee", 2, later)), Granted(Grant("a", "coffee", 3, soon)))
    (right,) = entitlements.rights(member, RULES, at("2026-05-04"))
    assert (right.uses_left, right.until, right.why_not) == (5, later, None)
    member = after(use(member, "coffee"))
    assert tallies.total(member.tallies, entitlements.grant_key("a")) == 1, "what ends first is used first"
    (right,) = entitlements.rights(member, RULES, at("2026-05-04"))
    assert right.uses_left == 4
    (lasting,) = entitlements.rights(granted("coffee"), RULES, at("2026-05-04"))
    assert (lasting.uses_left, lasting.until) == (1, None)
    assert {right.until for right in entitlements.rights(GOLD, RULES, at("2026-05-04"))} == {None}
