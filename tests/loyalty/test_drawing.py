"""Taking part in a lottery: points, draw and prize are one event (loyalty.md 3.18, G86, R40)."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.effects import Credited, Granted, Tallied
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Limit, Program, Reward
from tapledger.loyalty.program.people import Gain, Lottery, Prize
from tapledger.loyalty.rewards import drawing, lottery
from tapledger.loyalty.rewards.drawing import TakePart, decide_draw
from tests.loyalty.givens import (
    MEMBER,
    NOON,
    TODAY,
    after,
    available,
    code_of,
    lot,
    member,
    of_kind,
    posted,
    program,
    redeem,
    rich,
)

SEED = bytes(range(32))
COMMIT = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
PRIZES = [
    Prize("car", {"en": "Car"}, 10, Gain(entitlement="car"), stock=1),
    Prize("phone", {"en": "Phone"}, 490, Gain(entitlement="phone"), stock=3),
    Prize("tea", {"en": "Tea"}, 1500, Gain(points=20)),
    Prize("thanks", {"en": "Thanks"}, 8000, Gain(points=1)),
]
WHEEL = Lottery("C1", {"en": "Wheel"}, 50, PRIZES, "thanks")


def rules(**terms: Any) -> Program:
    return program(lotteries=[msgspec.structs.replace(WHEEL, **terms)], unsettled_points=10**9)


def part(stock: dict[str, int | None] | None = None, word: str = "kiosk-7", **figures: Any) -> TakePart:
    asked = dataclasses.replace(redeem(figures.pop("reward", ""), "d-1"), **figures)
    return TakePart("C1", word, SEED, stock or {}, asked, "n-1")


def drawn_before(times: int, who: Member | None = None) -> Member:
    key = drawing.under_seed("C1", COMMIT)
    return msgspec.structs.replace(who or rich(), tallies={key: {TODAY: times}})


@pytest.mark.parametrize(("nonce", "prize"), [(1, 3), (7, 2), (22, 1), (1041, 0)])
def test_G86_the_member_gets_the_golden_prizes(nonce: int, prize: int) -> None:
    who = msgspec.structs.replace(drawn_before(nonce - 1) if nonce > 1 else rich(), id="M001")
    done = decide_draw(who, part(), rules(), NOON)
    assert done.body.facts == {
        "lottery": "C1", "nonce": nonce, "client_seed": "kiosk-7", "commit": COMMIT, "prize": prize,
        "given": prize,
    }  # fmt: skip
    assert Tallied(f"prize/C1/{PRIZES[prize].id}", TODAY, 1) in done.body.effects


def test_points_draw_and_prize_are_one_event() -> None:
    done = decide_draw(rich(), part(), rules(), NOON)
    gained = sum(effect.lot.amount for effect in of_kind(done, Credited))
    assert posted(done, f"member/{MEMBER}/points") == gained - 50
    assert available(after(done)) == 10_000 - 50 + gained
    assert tallies.total(after(done).tallies, "draw/C1") == 1
    assert tallies.total(after(done).tallies, tallies.TRUST, TODAY, TODAY) == 50


def test_draws_of_a_member_count_on_without_gaps_and_can_be_checked() -> None:
    who, draws = rich(), []
    for number in range(30):
        done = decide_draw(who, part(word=f"word-{number}"), rules(), NOON)
        facts, who = done.body.facts, after(done)
        draws.append(
            lottery.Draw("C1", MEMBER, int(facts["nonce"]), str(facts["client_seed"]), int(facts["prize"]))
        )
    assert [one.nonce for one in draws] == list(range(1, 31))
    weights = [prize.weight for prize in PRIZES]
    assert lottery.verify(SEED, COMMIT, weights, draws) == []
    assert lottery.verify(SEED, COMMIT, weights, draws[1:]) != []


def test_another_seed_counts_its_own_draws() -> None:
    who = after(decide_draw(rich(), part(), rules(), NOON))
    other = dataclasses.replace(part(), seed=bytes(32))
    assert decide_draw(who, other, rules(), NOON).body.facts["nonce"] == 1
    assert decide_draw(who, part(), rules(), NOON).body.facts["nonce"] == 2


@pytest.mark.parametrize(
    ("stock", "given", "code"),
    [
        ({"phone": 1}, 1, "LOTTERY_DRAWN"),
        ({"phone": 0}, 3, "LOTTERY_FALLBACK"),
        ({"phone": 0, "thanks": 0}, -1, "LOTTERY_NOTHING_LEFT"),
    ],
)
def test_what_is_out_of_stock_falls_back_and_says_so(
    stock: dict[str, int | None], given: int, code: str
) -> None:
    who = msgspec.structs.replace(drawn_before(21), id="M001")
    done = decide_draw(who, part(stock), rules(), NOON)
    assert (done.body.facts["prize"], done.body.facts["given"]) == (1, given)
    assert done.body.reasons[0].code == code
    assert len(of_kind(done, Granted)) == (given == 1)
    counted = [effect.key for effect in of_kind(done, Tallied) if effect.key.startswith("prize/")]
    assert counted == ([f"prize/C1/{PRIZES[given].id}"] if given >= 0 else [])


@pytest.mark.parametrize(
    ("who", "terms", "figures", "code"),
    [
        (member(lot("a", 49)), {}, {}, ("POINTS_MISSING", {"points": 1})),
        (rich(), {"when": Condition(tiers=["gold"])}, {}, ("OTHER_TIER", {"tier": "gold"})),
        (rich(), {}, {"trust": 0}, ("CARD_ONLY_IDENTIFIES", {})),
        (msgspec.structs.replace(rich(), status="frozen"), {}, {}, ("MEMBER_FROZEN", {})),
        (
            msgspec.structs.replace(rich(), tallies={"draw/C1": {TODAY: 3}}),
            {"limit": Limit(3, "day")},
            {},
            ("LIMIT_REACHED", {"times": 3}),
        ),
    ],
)
def test_who_cannot_draw_is_told_why(
    who: Member, terms: dict[str, Any], figures: dict[str, Any], code: tuple[str, dict[str, Any]]
) -> None:
    with pytest.raises(Refused) as refused:
        decide_draw(who, part(**figures), rules(**terms), NOON)
    assert code_of(refused.value) == code


def test_a_limit_a_day_begins_again_the_next_day() -> None:
    yesterday = msgspec.structs.replace(rich(), tallies={"draw/C1": {TODAY - 1: 3}})
    assert decide_draw(yesterday, part(), rules(limit=Limit(3, "day")), NOON).body.kind == "draw"


def test_a_reward_can_pay_for_a_draw_at_its_own_price() -> None:
    spin = Reward("spin", {"en": "Spin"}, 7, kind="draw", grants="C1", per_member=Limit(1))
    rule = msgspec.structs.replace(rules(), rewards=[spin])
    done = decide_draw(member(lot("a", 7)), part(reward="spin"), rule, NOON)
    assert sum(effect.lot.amount for effect in of_kind(done, Credited)) == available(after(done))
    assert Tallied("reward/spin", TODAY, 1) in done.body.effects
    with pytest.raises(Refused, match="LIMIT_REACHED"):
        decide_draw(after(done), part(reward="spin"), rule, NOON)
    with pytest.raises(Refused, match="OUT_OF_STOCK"):
        decide_draw(rich(), part(reward="spin", stock_left=0), rule, NOON)
    with pytest.raises(Refused, match="REWARD_UNKNOWN"):
        decide_draw(rich(), part(reward="coffee"), program(lotteries=[WHEEL]), NOON)


def test_a_free_draw_debits_nothing() -> None:
    done = decide_draw(member(), part(), rules(cost_points=0), NOON)
    assert done.body.facts["nonce"] == 1


def test_words_that_would_forge_a_draw_are_refused() -> None:
    with pytest.raises(Invalid, match="LOTTERY_FIELD_INVALID"):
        decide_draw(rich(), part(word="a|b"), rules(), NOON)
    with pytest.raises(Refused, match="LOTTERY_UNKNOWN"):
        decide_draw(rich(), dataclasses.replace(part(), lottery="none"), rules(), NOON)
