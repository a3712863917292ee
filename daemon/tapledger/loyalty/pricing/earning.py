"""How many points a sale earns and why: floor once, on sums over scopes, never per line (3.5, R16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tapledger.errors import Invalid
from tapledger.loyalty import money
from tapledger.loyalty.facts import EarnBoost, EarnFacts, EarnFlat, EarnGroup, Reason
from tapledger.loyalty.pricing.basket import Moment, Shopper
from tapledger.loyalty.pricing.compiled import Compiled
from tapledger.loyalty.pricing.live import Live, suits
from tapledger.loyalty.program.earning import EarnRule, Multiplier
from tapledger.loyalty.promotions.articles import Articles
from tapledger.loyalty.promotions.protocol import Article


class Earned(NamedTuple):
    """The points of one sale."""

    points: int
    facts: EarnFacts
    reasons: tuple[Reason, ...]
    bonus: int = 0
    """Of the points: what multipliers and flats gave."""
    flats: tuple[str, ...] = ()


class Sum(NamedTuple):
    """What facts make of some bases, before caps. The exact points are ``numerator / denominator``."""

    numerator: int
    denominator: int
    plain: int
    """Points without boosts and flats, rounded."""
    flats: int
    multiplied: int
    """Points with boosts, rounded, without flats."""


def reckon(facts: EarnFacts, bases: Sequence[int]) -> int:
    """Run a sale's earning again on other bases of its lines, with the caps of then (as_if, R16)."""
    return _capped(facts, add_up(facts, bases))[0]


def add_up(facts: EarnFacts, bases: Sequence[int]) -> Sum:
    """Add up what the groups earn as one exact fraction, and round it once."""
    numerator, denominator = 0, 1
    extra, extra_of = 0, 1
    for group in facts.groups:
        own, of = _base(group, sum([bases[i] for i in group.lines]))
        numerator, denominator = (
            (numerator + own, of)
            if of == denominator
            else (numerator * of + own * denominator, denominator * of)
        )
        for boost in group.boosts:
            more, of = _base(group, sum([bases[i] for i in boost.lines]))
            factor, whole = 1, 1
            for milli in boost.milli:
                factor, whole = factor * milli, whole * 1000
            more, of = more * (factor - whole), of * whole
            extra, extra_of = extra * of + more * extra_of, extra_of * of
    numerator, plain_of = numerator * facts.tier_milli, denominator * 1000
    plain = _rounded(numerator, plain_of, facts.rounding)
    flats = 0
    for flat in facts.flats:
        if sum([bases[i] for i in flat.lines]) >= max(flat.min_minor, 1):
            flats += flat.points
    if not extra:
        return Sum(numerator, plain_of, plain, flats, plain)
    total = numerator * extra_of + extra * facts.tier_milli * denominator
    whole_of = plain_of * extra_of
    return Sum(total, whole_of, plain, flats, _rounded(total, whole_of, facts.rounding))


def _base(group: EarnGroup, basis: int) -> tuple[int, int]:
    if group.continuous:
        return basis * group.points, group.per_minor
    return basis // group.per_minor * group.points, 1


def _rounded(numerator: int, denominator: int, mode: str) -> int:
    if mode == "down":
        return numerator // denominator
    if mode == "up":
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def _capped(facts: EarnFacts, total: Sum) -> tuple[int, int]:
    """Return the points after the caps, and how many of them are bonus."""
    points = total.multiplied + total.flats
    if facts.bonus_cap is not None and points > total.plain + facts.bonus_cap:
        points = total.plain + facts.bonus_cap
    if facts.cap is not None and points > facts.cap:
        points = facts.cap
    return points, max(0, points - total.plain)


def earn(
    articles: Sequence[Article],
    bases: Sequence[int],
    shopper: Shopper | None,
    compiled: Compiled,
    moment: Moment,
) -> Earned:
    """Return the points of some lines, sold now or then, with the reasons; ``bases`` in minor units.

    An unknown customer earns nothing, and is told what a member would have.
    """
    if shopper is None:
        would_be = earn(articles, bases, compiled.newcomer(), compiled, moment).points
        return Earned(0, EarnFacts(), (Reason("EARN_NO_MEMBER", {"points": would_be}),))
    live, rules = compiled.live(shopper, moment), compiled.earning
    day_left = None
    if rules.per_member_day is not None:
        day_left = max(0, rules.per_member_day - shopper.earned_today)
    caps = [cap for cap in (rules.per_order, day_left) if cap is not None]
    facts = EarnFacts(
        groups=_groups(articles, bases, shopper, compiled, live),
        flats=_flats(articles, bases, shopper, live),
        tier_milli=compiled.standing(shopper.tier).multiplier_milli,
        rounding=rules.rounding,
        cap=min(caps) if caps else None,
        bonus_cap=None if moment.budget_left is None else max(0, moment.budget_left),
    )
    total = add_up(facts, bases)
    points, bonus = _capped(facts, total)
    if points > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    reasons = _reasons(facts, bases, points, total, shopper, compiled)
    reasons += _clipped(facts, total, rules.per_order, day_left)
    return Earned(points, facts, tuple(reasons), bonus, tuple([flat.id for flat in facts.flats]))


# ---- which lines earn by which rule ----------------------------------------------------------------------
def _groups(
    articles: Sequence[Article], bases: Sequence[int], shopper: Shopper, compiled: Compiled, live: Live
) -> tuple[EarnGroup, ...]:
    """Give each line to its highest-priority rule."""
    rules = [one for one in live.rules if suits(one[0].when, shopper)]
    multipliers = [one for one in live.multipliers if suits(one[0].when, shopper)]
    waiting = [i for i, basis in enumerate(bases) if basis > 0]
    groups = []
    for rule, scope in rules:
        if not waiting:
            break
        if scope.everything:
            mine, waiting = waiting, []
        else:
            mine = [i for i in waiting if scope.has(articles[i])]
            waiting = [i for i in waiting if not scope.has(articles[i])]
        if mine:
            boosts = _boosts(rule, mine, articles, multipliers, compiled.earning.stack)
            continuous = rule.mode == "continuous"
            groups.append(EarnGroup(rule.id, tuple(mine), rule.points, rule.per_minor, boosts, continuous))
    return tuple(groups)


def _boosts(
    rule: EarnRule,
    lines: list[int],
    articles: Sequence[Article],
    multipliers: list[tuple[Multiplier, Articles]],
    stack: str,
) -> tuple[EarnBoost, ...]:
    """Combine the multipliers of each line; lines with the same factors share one boost."""
    matching = [(one, scope) for one, scope in multipliers if not one.rules or rule.id in one.rules]
    if not matching:
        return ()
    by_ids: dict[tuple[str, ...], tuple[tuple[int, ...], list[int]]] = {}
    if all(scope.everything for _, scope in matching):
        ids, factors = combined([one for one, _ in matching], stack)
        by_ids[ids] = (factors, lines)
    else:
        for i in lines:
            hit = [one for one, scope in matching if scope.has(articles[i])]
            if hit:
                ids, factors = combined(hit, stack)
                by_ids.setdefault(ids, (factors, []))[1].append(i)
    return tuple(
        [EarnBoost(tuple(of), factors, ids) for ids, (factors, of) in by_ids.items() if factors != (1000,)]
    )


def combined(multipliers: list[Multiplier], stack: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return which multipliers count and their factors: the highest, all of them, or 1 and what each adds."""
    if stack == "max":
        best = max(multipliers, key=lambda one: one.milli)
        return (best.id,), (best.milli,)
    ids = tuple([one.id for one in multipliers])
    if stack == "add":
        return ids, (max(0, 1000 + sum([one.milli - 1000 for one in multipliers])),)
    return ids, tuple([one.milli for one in multipliers])


def _flats(
    articles: Sequence[Article], bases: Sequence[int], shopper: Shopper, live: Live
) -> tuple[EarnFlat, ...]:
    if not live.flats:
        return ()
    given = []
    for flat, scope in live.flats:
        if flat.id in shopper.flats_taken or not suits(flat.when, shopper):
            continue
        lines = tuple([i for i, basis in enumerate(bases) if basis > 0 and scope.has(articles[i])])
        if lines and sum([bases[i] for i in lines]) >= flat.min_minor:
            given.append(EarnFlat(flat.id, flat.points, lines, flat.min_minor))
    return tuple(given)


# ---- why -------------------------------------------------------------------------------------------------
def _reasons(
    facts: EarnFacts, bases: Sequence[int], points: int, total: Sum, shopper: Shopper, compiled: Compiled
) -> list[Reason]:
    """Say the rate on what, then each thing that made it more."""
    if not facts.groups:
        return [Reason("EARN_NOTHING_ELIGIBLE", {})]
    tier, currency = compiled.standing(shopper.tier).id, compiled.currency
    remainder = total.numerator % total.denominator * 1000 // total.denominator
    bases_of = [sum([bases[i] for i in group.lines]) for group in facts.groups]
    if len(facts.groups) == 1:
        only = facts.groups[0]
        found = [
            Reason(
                "EARN_TIER",
                {
                    "points": points,
                    "basis_minor": bases_of[0],
                    "rate_points": only.points,
                    "rate_minor": only.per_minor,
                    "multiplier_milli": facts.tier_milli,
                    "tier": tier,
                    "rule": only.rule,
                    "remainder_milli": remainder,
                    "currency": currency,
                },
            )
        ]
    else:
        found = [
            Reason(
                "EARN_SUM",
                {
                    "points": points,
                    "multiplier_milli": facts.tier_milli,
                    "tier": tier,
                    "remainder_milli": remainder,
                },
            )
        ]
        found += [_by_rule(one, of, currency) for one, of in zip(facts.groups, bases_of, strict=True)]
    for group in facts.groups:
        found += [_boosted(boost, bases, currency) for boost in group.boosts]
    for flat in facts.flats:
        found.append(Reason("EARN_FLAT", {"flat": flat.id, "points": flat.points}))
    return found


def _by_rule(group: EarnGroup, basis: int, currency: str) -> Reason:
    base, of = _base(group, basis)
    return Reason(
        "EARN_RULE",
        {
            "rule": group.rule,
            "basis_minor": basis,
            "rate_points": group.points,
            "rate_minor": group.per_minor,
            "base": base // of,
            "currency": currency,
        },
    )


def _boosted(boost: EarnBoost, bases: Sequence[int], currency: str) -> Reason:
    factor, whole = 1000, 1
    for milli in boost.milli:
        factor, whole = factor * milli, whole * 1000
    return Reason(
        "EARN_BOOST",
        {
            "multiplier_milli": factor // whole,
            "by": ", ".join(boost.by),
            "basis_minor": sum([bases[i] for i in boost.lines]),
            "currency": currency,
        },
    )


def _clipped(facts: EarnFacts, total: Sum, per_order: int | None, day_left: int | None) -> list[Reason]:
    """Name each cap that took points away, in the order in which they are applied."""
    points = total.multiplied + total.flats
    found = []
    if facts.bonus_cap is not None and points > total.plain + facts.bonus_cap:
        clipped, points = points - total.plain - facts.bonus_cap, total.plain + facts.bonus_cap
        found.append(Reason("EARN_CAP_BUDGET", {"cap": facts.bonus_cap, "clipped": clipped}))
    if per_order is not None and points > per_order:
        clipped, points = points - per_order, per_order
        found.append(Reason("EARN_CAP_ORDER", {"cap": per_order, "clipped": clipped}))
    if day_left is not None and points > day_left:
        found.append(Reason("EARN_CAP_DAY", {"cap": day_left, "clipped": points - day_left}))
    return found
