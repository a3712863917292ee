"""The floor: the workload as a plain loop over dicts, in floats, with no rounding and no reasons."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def evaluate(promotions: list[Json], basket: Json) -> tuple[dict[str, float], int]:
    """Return the discount of each line in minor units, unrounded, and the points."""
    lines, tier, codes = basket["lines"], basket["tier"], basket["codes"]
    subtotal, off, multiplier = 0, {}, 1
    for line in lines:
        subtotal += line["price"] * line["qty"]
        off[line["id"]] = 0.0
    for one in promotions:
        kind = one["kind"]
        if kind == "cat_pct" or (kind == "tier_pct" and one["tier"] == tier):
            _percent([line for line in lines if line["cat"] == one["cat"]], one["value"], off)
        elif kind == "coupon_pct":
            if one["code"] in codes and subtotal >= one["min"]:
                _percent(lines, one["value"], off)
        elif kind == "threshold":
            if one["lo"] <= subtotal < one["hi"]:
                _fixed(lines, one["value"] * 100, off)
        elif kind == "coupon_fixed":
            if one["code"] in codes and subtotal >= one["min"]:
                _fixed(lines, one["value"] * 100, off)
        elif kind == "buyget":
            _buy_get(one, lines, off)
        elif kind == "points":
            hour = one["h0"] <= basket["hour"] < one["h1"]
            birthday = not one.get("birthday") or basket["birthday"]
            if (
                basket["dow"] in one["days"]
                and hour
                and ("tier" not in one or one["tier"] == tier)
                and birthday
            ):
                multiplier = max(multiplier, one["mult"])
    net = subtotal - sum(off.values())
    return off, int(net // 100) * multiplier


def _percent(lines: list[Json], percent: float, off: dict[str, float]) -> None:
    for line in lines:
        left = line["price"] * line["qty"] - off[line["id"]]
        if left > 0:
            off[line["id"]] += left * percent / 100


def _fixed(lines: list[Json], amount: float, off: dict[str, float]) -> None:
    left = [(line["id"], line["price"] * line["qty"] - off[line["id"]]) for line in lines]
    total = sum(part for _, part in left)
    if total > 0:
        amount = min(amount, total)
        for line, part in left:
            if part > 0:
                off[line] += amount * part / total


def _buy_get(one: Json, lines: list[Json], off: dict[str, float]) -> None:
    """Go through the lines from the dearest one on: so many bought, then so many for less."""
    eligible = sorted(
        (line for line in lines if line["cat"] == one["cat"]), key=lambda line: -(line["price"] * line["qty"])
    )
    left = {line["id"]: line["qty"] for line in eligible}
    given = 0
    while True:
        need, bought = one["buy"], {}
        for line in eligible:
            count = min(left[line["id"]], need)
            if count > 0:
                bought[line["id"]] = count
                need -= count
        if need:
            return
        need, cheaper = one["get"], []
        for line in eligible:
            count = min(need, left[line["id"]] - bought.get(line["id"], 0), one["max"] - given)
            if count > 0:
                cheaper.append((line, count))
                need -= count
        if need:
            return
        for line, count in cheaper:
            off[line["id"]] += line["price"] * count * one["value"] / 100
            left[line["id"]] -= count
            given += count
        for id_, count in bought.items():
            left[id_] -= count
