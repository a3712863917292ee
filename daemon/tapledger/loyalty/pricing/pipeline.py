"""The basket pipeline: list price, lane 1, lanes 2 and 3, points as cash, tax, points (loyalty.md 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tapledger.errors import Invalid
from tapledger.loyalty.facts import Discount, Reason, SaleLine
from tapledger.loyalty.pricing import amounts, lanes
from tapledger.loyalty.pricing.basket import (
    MAX_CODES,
    MAX_COUPONS_OFFERED,
    Basket,
    BasketLine,
    LeftOut,
    Moment,
    Priced,
    Shopper,
)
from tapledger.loyalty.pricing.compiled import Compiled
from tapledger.loyalty.pricing.earning import earn
from tapledger.loyalty.pricing.live import Step
from tapledger.loyalty.promotions.protocol import Slate

Candidates = list[tuple[Step, Sequence[int]]]


Applied = tuple[int, dict[int, int], int, int]
"""What a step took off: ``(amount, shares by line, basis, rounding_bp)``; see ``Rule.reason``."""


def basis_of(slate: Slate, lines: Sequence[int], before_discounts: bool) -> int:
    """Return what a threshold looks at: what is left of its lines, or their list price (R15)."""
    if lines is slate.goods:
        return slate.gross_total if before_discounts else slate.left_total
    price = slate.gross if before_discounts else slate.left
    return sum([price[i] for i in lines])


def apply(step: Step, lines: Sequence[int], slate: Slate, compiled: Compiled) -> Applied | None:
    """Take a step's discount off the slate, rounded once and shared exactly; None when it does not apply."""
    left = slate.left
    if lines is slate.goods:
        total = slate.left_total
    else:
        total = left[lines[0]] if len(lines) == 1 else sum([left[i] for i in lines])
    basis = basis_of(slate, lines, True) if compiled.before_discounts and step.at_minor else total
    if not total or basis < step.at_minor or (step.below_minor is not None and basis >= step.below_minor):
        return None
    taken = step.benefit.take(slate, lines, total, basis)
    if taken is None:
        return None
    numerator, denominator, weights, cap = taken
    if denominator == 1:
        amount, rounding_bp = numerator, 0
    else:
        amount = compiled.rounded(numerator, denominator)
        rounding_bp = (amount * denominator - numerator) * 10_000 // denominator
        basis = total
    if cap is not None and amount > cap:
        amount = cap
    if amount > total:
        amount = total
    if not amount:
        return None if step.gift is None else (amount, {}, basis, rounding_bp)
    slate.left_total -= amount
    if weights is not None:
        lines = sorted(weights)
    if len(lines) == 1:
        left[lines[0]] -= amount
        return amount, {lines[0]: amount}, basis, rounding_bp
    if weights is None:
        parts = amounts.share(left, lines, total, amount)
    else:
        parts = amounts.share_by([weights[i] for i in lines], [left[i] for i in lines], amount)
    shares = {}
    for i, part in zip(lines, parts, strict=True):
        if part:
            left[i] -= part
            shares[i] = part
    return amount, shares, basis, rounding_bp


def fits(step: Step, applied: Iterable[Step], chosen: Iterable[Step]) -> bool:
    """Tell whether an automatic promotion may still apply: it yields to coupons that somebody chose."""
    return all(step.goes_with(one) for one in applied) and all(step.goes_with(one) for one in chosen)


def choose(
    basket: Basket, slate: Slate, shopper: Shopper | None, compiled: Compiled, moment: Moment
) -> tuple[Candidates, list[LeftOut]]:
    """Return the chosen coupons that may be used together, and why not for the others."""
    steps = sorted((Step(coupon.promotion, coupon) for coupon in basket.coupons), key=lambda step: step.key)
    kept: Candidates = []
    left_out = []
    for step in steps:
        lines = step.articles.of(slate)
        why = unusable(step, lines, shopper, compiled, moment)
        if why is None and len(kept) >= compiled.money.max_coupons:
            why = Reason("COUPON_TOO_MANY", {"limit": compiled.money.max_coupons})
        other = next((one for one, _ in kept if not step.goes_with(one)), None)
        if why is None and other is not None:
            why = excluded(step, other)
        if why is None:
            kept.append((step, lines))
        else:
            left_out.append(LeftOut(step.coupon, why))
    return kept, left_out


def unusable(
    step: Step, lines: Sequence[int], shopper: Shopper | None, compiled: Compiled, moment: Moment
) -> Reason | None:
    """Return why a coupon cannot be used whatever else is; None when it may be."""
    if step.expires_at is not None and step.expires_at <= moment.now:
        return Reason("COUPON_EXPIRED", {"coupon": step.id})
    if not compiled.holds(step.promotion.when, shopper, moment):
        return Reason("COUPON_NOT_NOW", {"coupon": step.id})
    if not lines:
        return Reason("COUPON_OUT_OF_SCOPE", {"coupon": step.id})
    return None


def excluded(step: Step, other: Step) -> Reason:
    """Say which coupon or promotion a coupon does not go together with, and by which rule."""
    return Reason("COUPON_EXCLUDED", {"coupon": step.id, "other": other.id, "rule": step.clashes(other)[0]})


def no_effect(step: Step, basis: int, currency: str) -> Reason:
    """Say why a usable coupon took nothing off when its turn came."""
    if basis < step.at_minor:
        return Reason(
            "COUPON_MIN_NOT_REACHED",
            {
                "coupon": step.id,
                "at_minor": step.at_minor,
                "basis_minor": basis,
                "missing_minor": step.at_minor - basis,
                "currency": currency,
            },
        )
    return Reason("COUPON_NO_EFFECT", {"coupon": step.id, "basis_minor": basis, "currency": currency})


class Run:
    """Lanes 2 and 3 of one basket: what applied, and what was wanted and did not."""

    __slots__ = ("applied", "discounts", "failed", "gifts")

    def __init__(
        self,
        slate: Slate,
        automatic: Candidates,
        coupons: Candidates,
        basket: Basket,
        compiled: Compiled,
        until: Step | None = None,
    ) -> None:
        """Apply everything to the slate; with ``until`` only what comes before that step."""
        self.applied: list[Step] = []
        self.discounts: list[Discount] = []
        self.gifts: list[SaleLine] = []
        self.failed: list[tuple[Step, int]] = []
        chosen = [step for step, _ in coupons]
        steps = sorted([*automatic, *coupons], key=lambda one: one[0].key) if coupons else automatic
        guarded = any(step.exclusive for step, _ in steps)
        manual, currency = basket.manual, compiled.currency
        for step, lines in steps:
            if until is not None and step.key >= until.key:
                break
            if manual is not None and step.lane > 2:
                self._note(lanes.manual_discount(slate, manual, compiled))
                manual = None
            if guarded and not step.coupon and not fits(step, self.applied, chosen):
                continue
            one = apply(step, lines, slate, compiled)
            if one is not None:
                amount, shares, basis, rounding_bp = one
                reason = step.benefit.reason(step.id, basis, amount, rounding_bp, currency)
                self.applied.append(step)
                self.discounts.append(
                    Discount(step.id, step.kind, step.lane, amount, shares, reason, step.coupon)
                )
                if step.gift is not None:
                    self.gifts.append(step.gift)
            elif step.coupon or step.code:
                self.failed.append((step, basis_of(slate, lines, compiled.before_discounts)))
        if manual is not None and (until is None or until.lane > 2):
            self._note(lanes.manual_discount(slate, manual, compiled))

    def _note(self, discount: Discount | None) -> None:
        if discount is not None:
            self.discounts.append(discount)


def price(basket: Basket, shopper: Shopper | None, compiled: Compiled, moment: Moment) -> Priced:
    """Price a basket for a member, or for an unknown customer; raise ``Invalid`` for what cannot be meant.

    Coupons that do nothing here are left out with the reason, never refused: the quote always stands.
    """
    if len(basket.coupons) > MAX_COUPONS_OFFERED or len(basket.codes) > MAX_CODES:
        raise Invalid("TOO_MANY_COUPONS", limit=MAX_COUPONS_OFFERED)
    slate, first = opened(basket, shopper, compiled)
    automatic = candidates(basket, slate, shopper, compiled, moment)
    coupons, left_out = choose(basket, slate, shopper, compiled, moment) if basket.coupons else ([], [])
    run_on = slate.branch() if coupons else slate
    run = Run(run_on, automatic, coupons, basket, compiled)
    while any(step.coupon for step, _ in run.failed):
        left_out += [
            LeftOut(step.coupon, no_effect(step, basis, compiled.currency))
            for step, basis in run.failed
            if step.coupon
        ]
        unused = {step.coupon for step, _ in run.failed}
        coupons = [one for one in coupons if one[0].coupon not in unused]
        run_on = slate.branch()
        run = Run(run_on, automatic, coupons, basket, compiled)
    if basket.codes:
        left_out += _idle_codes(basket, run, compiled, shopper, moment)
    points, used = lanes.pay_with_points(run_on, basket.points, shopper, compiled)
    discounts = [*first, *run.discounts] if points is None else [*first, *run.discounts, points]
    answer = _Answer(basket.lines, run_on, points, compiled)
    earned = earn(basket.lines, answer.bases, shopper, compiled, moment)
    return Priced(
        lines=(*answer.lines, *run.gifts),
        discounts=tuple(discounts),
        total_minor=answer.total,
        tax_minor=answer.tax,
        earned=earned.points,
        earn=earned.facts,
        reasons=earned.reasons,
        points_used=used,
        coupons=tuple([step.coupon for step in run.applied if step.coupon]),
        left_out=tuple(left_out),
        bonus_points=earned.bonus,
        flats=earned.flats,
    )


def opened(basket: Basket, shopper: Shopper | None, compiled: Compiled) -> tuple[Slate, list[Discount]]:
    """Return the basket as it stands after lane 1."""
    slate = lanes.open_slate(basket.lines)
    if shopper is None:
        return slate, []
    return slate, lanes.lane_one(slate, basket.lines, compiled.standing(shopper.tier), compiled.currency)


def candidates(
    basket: Basket, slate: Slate, shopper: Shopper | None, compiled: Compiled, moment: Moment
) -> Candidates:
    """Return the automatic promotions that may apply, in their order, with their lines."""
    return compiled.live(shopper, moment).candidates(slate, basket.codes, shopper)


def _idle_codes(
    basket: Basket, run: Run, compiled: Compiled, shopper: Shopper | None, moment: Moment
) -> list[LeftOut]:
    """Say of each code that took nothing off why not."""
    did = {step.code for step in run.applied}
    failed = {step.code: no_effect(step, basis, compiled.currency) for step, basis in run.failed if step.code}
    known = compiled.live(shopper, moment).by_code
    found = []
    for code in sorted(basket.codes - did):
        if code not in known:
            found.append(LeftOut(code, Reason("PROMOTION_CODE_UNKNOWN", {"promotion_code": code})))
        else:
            found.append(LeftOut(code, failed.get(code) or Reason("COUPON_OUT_OF_SCOPE", {"coupon": code})))
    return found


class _Answer:
    """The lines as they are sold, with tax and earn basis."""

    __slots__ = ("bases", "lines", "tax", "total")

    def __init__(
        self,
        lines: Sequence[BasketLine],
        slate: Slate,
        points: Discount | None,
        compiled: Compiled,
    ) -> None:
        nets, gross = slate.left, slate.gross
        paid = {} if points is None else points.shares
        taxes = amounts.taxes(nets, [line.tax_bp for line in lines], compiled.tax_exclusive)
        earning = compiled.earning
        self.bases = []
        self.lines = []
        for i, line in enumerate(lines):
            net = nets[i]
            basis = 0
            if line.earns and gross[i] and not line.kind:
                basis = net
                if not (earning.on_tax or compiled.tax_exclusive):
                    basis -= taxes[i]
                if earning.on_points_part and i in paid:
                    basis += paid[i]
            self.bases.append(basis)
            manual = line.manual_unit_minor
            self.lines.append(
                SaleLine(
                    line.sku,
                    line.name,
                    line.quantity_milli,
                    line.unit_minor if manual is None else manual,
                    net,
                    line.tax_bp,
                    line.category,
                    line.earns,
                    gross[i],
                    taxes[i],
                    paid.get(i, 0),
                    basis,
                    line.kind,
                    0,
                    "",
                    0 if manual is None else line.unit_minor,
                    line.weighed,
                )
            )
        self.tax = sum(taxes)
        self.total = sum(nets) + (self.tax if compiled.tax_exclusive else 0)
