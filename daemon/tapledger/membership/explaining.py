"""Explains events in a language: the same sentences on slip, till, kiosk and command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from tapledger import texts
from tapledger.database import Transaction
from tapledger.errors import NotFound
from tapledger.loyalty import explain
from tapledger.loyalty.conditions import Names
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program import Program, name_in
from tapledger.membership import programs
from tapledger.store import epochs, history

MAX_SEQ_DIGITS = 18
"""More is no number of an event."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An event with every number of it."""

    kind: str
    at: str
    """Local time of the shop."""
    program: str
    reasons: tuple[Reason, ...]
    sentences: tuple[str, ...]

    def heading(self) -> str:
        return f"{self.kind}, {self.at}, programme {self.program}"

    def as_dict(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "at": self.at,
            "program": self.program,
            "reasons": [
                {"code": why.code, "figures": why.data, "sentence": said}
                for why, said in zip(self.reasons, self.sentences, strict=True)
            ],
        }


# ---- sentences -------------------------------------------------------------------------------------------
def sentence(why: Reason, program: Program, language: str) -> str:
    """Return a reason as a sentence; what the programme has a name for is called by it."""
    return texts.reason(language, msgspec.structs.replace(why, data=_named(why.data, program, language)))


def sentences(reasons: Iterable[Reason], program: Program, language: str) -> tuple[str, ...]:
    return tuple(sentence(why, program, language) for why in reasons)


def _named(data: Mapping[str, int | str], program: Program, language: str) -> dict[str, int | str]:
    named = dict(data)
    for figure, names_of in NAMED.items():
        ids = named.get(figure)
        if isinstance(ids, str) and ids:
            names = names_of(program)
            parts = (
                one if one not in names else name_in(names[one], language) or one for one in ids.split(", ")
            )
            named[figure] = ", ".join(parts)
    return named


def _tiers(program: Program) -> dict[str, Names]:
    return {one.id: one.name for one in program.tiers}


def _promotions(program: Program) -> dict[str, Names]:
    return {one.id: one.name for one in (*program.promotions, *program.coupons)}


def _boosts(program: Program) -> dict[str, Names]:
    multipliers = {one.id: one.name for one in program.earning.multipliers}
    return multipliers | {one.id: one.name for one in program.earning.flats}


def _rewards(program: Program) -> dict[str, Names]:
    return {one.id: one.title for one in program.rewards}


NAMED: dict[str, Callable[[Program], dict[str, Names]]] = {
    "tier": _tiers,
    "before": _tiers,
    "promotion": _promotions,
    "coupon": _promotions,
    "other": _promotions,
    "by": _boosts,
    "flat": _boosts,
    "reward": _rewards,
    "mission": lambda program: {one.id: one.name for one in program.missions},
    "campaign": lambda program: {one.id: one.name for one in program.campaigns},
    "entitlement": lambda program: {one.id: one.name for one in program.entitlements},
    "prize": lambda program: {prize.id: prize.name for one in program.lotteries for prize in one.prizes},
}
"""Figures that hold ids, and where their names are."""


# ---- events ----------------------------------------------------------------------------------------------
def find(tx: Transaction, event: str, node: str) -> EventBody:
    """Return the event of a receipt number, its tail ``epoch-seq`` or ``seq``, or the id of a sale.

    A ``seq`` alone is one of today's epoch. Raises ``NotFound`` for what this shop did not record.
    """
    tail = event.strip().removeprefix(f"{node}-")
    numbers = tail.split("-")
    if len(numbers) <= 2 and all(
        len(one) <= MAX_SEQ_DIGITS and one.isascii() and one.isdigit() for one in numbers
    ):
        body = history.at(tx, int(numbers[0]) if len(numbers) == 2 else epochs.current(tx), int(numbers[-1]))
    else:
        body = history.of_operation(tx, tail)
    if body is None:
        raise NotFound("EVENT_UNKNOWN", event=event)
    return body


def explained(tx: Transaction, body: EventBody, program: Program, language: str) -> Explained:
    """Explain an event by the programme that decided it, where this shop still has that version."""
    decided_by = programs.of_version(tx, body.program, program)
    reasons = explain.explain(body, decided_by)
    local = body.at.astimezone(decided_by.zone())
    said = sentences(reasons, decided_by, language)
    return Explained(body.kind, f"{local:%Y-%m-%d %H:%M}", body.program, reasons, said)
