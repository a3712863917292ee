"""The neutral promotion workload: 50 promotions and random baskets, as files, and as our own values.

``promos.json`` and ``baskets.json`` are what any engine can read: money in minor units, promotions in file
order, thresholds on the list price before any discount. ``python -m benchmarks.engine_workload FOLDER``
writes them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing import Basket, BasketLine, Compiled, Moment, Shopper
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, Multiplier
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.promotions import Benefit, Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty import oracle

SEED, BASKETS, SKUS = 20260101, 10_000, 2000
CATEGORIES = [f"c{i:02d}" for i in range(20)]
NOON = dt.datetime(2026, 1, 1, 4, 0, tzinfo=dt.UTC)
TAX_BP = 1300
"""The files know no tax; ours is reckoned all the same, because a shop's is."""

Json = dict[str, Any]


# ---- the files -------------------------------------------------------------------------------------------
def promotions() -> list[Json]:
    """Return 50 promotions in the order in which they are applied: pieces free first, then dearest first."""
    free = [
        {
            "id": f"BG{i}",
            "kind": "buyget",
            "cat": CATEGORIES[i],
            "buy": 2,
            "get": 1,
            "max": 3,
            "value": 100 - i,
        }
        for i in range(8)
    ]
    steps = [100 * (i + 1) ** 2 // 2 * 100 for i in range(10)]
    ends = [*steps[1:], 10**9]
    rest: list[Json] = [
        {"id": f"TH{i}", "kind": "threshold", "lo": steps[i], "hi": ends[i], "value": 110 + 20 * i}
        for i in range(10)
    ]
    for i in range(5):
        fixed = {"kind": "coupon_fixed", "code": f"CPF{i}", "min": 20_000 + 10_000 * i, "value": 41 + 10 * i}
        share = {"kind": "coupon_pct", "code": f"CPP{i}", "min": 10_000 + 5000 * i, "value": 2.25 + i / 2}
        rest += [{"id": fixed["code"], **fixed}, {"id": share["code"], **share}]
    for i in range(12):
        rest.append({"id": f"CT{i}", "kind": "cat_pct", "cat": CATEGORIES[8 + i], "value": 5 + i})
    for i in range(6):
        tier = ("gold", "silver")[i % 2]
        rest.append(
            {"id": f"TP{i}", "kind": "tier_pct", "tier": tier, "cat": CATEGORIES[i * 3], "value": 17.5 + i}
        )
    rest.sort(key=lambda promotion: -promotion["value"])
    week = list(range(7))
    points = [
        {"days": [5, 6], "h0": 0, "h1": 24, "mult": 2},
        {"days": week, "h0": 14, "h1": 17, "mult": 2},
        {"days": [2], "h0": 0, "h1": 24, "tier": "gold", "mult": 3},
        {"days": week, "h0": 0, "h1": 24, "birthday": True, "mult": 5},
    ]
    return [*free, *rest, *({"id": f"PM{i}", "kind": "points", **one} for i, one in enumerate(points))]


def baskets(count: int, seed: int) -> list[Json]:
    """Return random baskets of 1 to 20 different articles out of 2,000 in 20 categories."""
    rolls = random.Random(seed)
    articles = [
        {"sku": f"S{i:04d}", "cat": rolls.choice(CATEGORIES), "price": rolls.randint(300, 29_900)}
        for i in range(SKUS)
    ]
    codes = [f"CP{kind}{i}" for kind in "FP" for i in range(5)]
    made = []
    for number in range(count):
        lines = [
            {"id": f"l{i}", **article, "qty": rolls.choice((1, 1, 1, 2, 2, 3, 4, 5))}
            for i, article in enumerate(rolls.sample(articles, rolls.randint(1, 20)))
        ]
        made.append(
            {
                "id": number,
                "tier": rolls.choice(("none", "none", "silver", "gold")),
                "birthday": rolls.random() < 1 / 30,
                "dow": rolls.randrange(7),
                "hour": rolls.randrange(8, 23),
                "codes": rolls.sample(codes, rolls.choice((0, 0, 0, 0, 0, 0, 0, 1, 1, 2))),
                "lines": lines,
            }
        )
    return made


def write(folder: Path, count: int = BASKETS, seed: int = SEED) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "promos.json").write_text(json.dumps(promotions(), indent=0))
    (folder / "baskets.json").write_text(json.dumps(baskets(count, seed)))


def read(folder: Path) -> tuple[list[Json], list[Json]]:
    """Return the promotions and baskets of a folder."""
    return (
        json.loads((folder / "promos.json").read_text()),
        json.loads((folder / "baskets.json").read_text()),
    )


# ---- as our own values -----------------------------------------------------------------------------------
def rules(listed: Sequence[Json]) -> oracle.Rules:
    """Return the promotions as our own: one lane, priority = file order, thresholds before discounts."""
    return oracle.Rules(
        promotions=[_promotion(one, place) for place, one in enumerate(listed) if one["kind"] != "points"],
        tiers=[Tier(tier, {"en": tier}) for tier in ("none", "silver", "gold")],
        earning=Earning(
            multipliers=[
                Multiplier(one["id"], one["mult"] * 1000, when=_when(one))
                for one in listed
                if one["kind"] == "points"
            ]
        ),
        money=Money(threshold="before_discounts"),
    )


def programme(listed: Sequence[Json]) -> Compiled:
    """Return the promotions ready for pricing."""
    ours = rules(listed)
    return Compiled(
        currency="CNY",
        zone=ours.zone,
        tiers=ours.tiers,
        promotions=ours.promotions,
        earning=ours.earning,
        money=ours.money,
    )


def _promotion(one: Json, place: int) -> Promotion:
    return Promotion(
        one["id"],
        _benefit(one),
        scope=Scope(categories=[one["cat"]] if "cat" in one else []),
        when=Condition(tiers=[one["tier"]] if "tier" in one else []),
        lane=3,
        priority=place,
        min_minor=one.get("min", 0),
        code=one.get("code", ""),
    )


def _benefit(one: Json) -> Benefit:
    match one["kind"]:
        case "buyget":
            return NForM(one["buy"], one["get"], one["value"] * 100, one["max"], "in_turn")
        case "threshold":
            return Threshold(one["lo"], one["value"] * 100, one["hi"])
        case "coupon_fixed":
            return Amount(one["value"] * 100)
        case "coupon_pct" | "cat_pct" | "tier_pct":
            return Percent(round(one["value"] * 100))
    raise ValueError(f"there is no promotion of kind {one['kind']!r}")


def _when(one: Json) -> Condition:
    return Condition(
        tiers=[one["tier"]] if "tier" in one else [], window=one["id"], birthday=one.get("birthday", False)
    )


def asked(listed: Sequence[Json], one: Json) -> tuple[Basket, Shopper, Moment]:
    """Return a basket of the files with its member and its moment."""
    lines = tuple(
        BasketLine(line["sku"], line["sku"], line["qty"] * 1000, line["price"], TAX_BP, line["cat"])
        for line in one["lines"]
    )
    windows = frozenset(
        rule["id"]
        for rule in listed
        if rule["kind"] == "points" and one["dow"] in rule["days"] and rule["h0"] <= one["hour"] < rule["h1"]
    )
    member = Shopper("m", one["tier"], birthday=one["birthday"])
    return Basket(lines, codes=frozenset(one["codes"])), member, Moment(NOON, windows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine_workload", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--baskets", type=int, default=BASKETS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    write(options.folder, options.baskets, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
