"""How the shop and central stand to each other, in the words of a language."""

from __future__ import annotations

import datetime as dt

from tapledger import texts
from tapledger.membership.exposure import Risk
from tapledger.web.snapshots import DifferenceView, WorstCase
from tapledger.wire.news import DifferenceNews


def worst_case(risk: Risk, language: str) -> WorstCase:
    """Return what can be lost at most now, as a number that the owner has set."""
    points, shops = f"{risk.in_all:,}", risk.shops_offline
    sentence = (
        texts.say(language, "sync.worst", points=points, shops=shops)
        if shops
        else texts.say(language, "sync.worst.none")
    )
    return WorstCase(
        sentence=sentence,
        points=risk.in_all,
        shops=risk.shops_offline,
        given_out=risk.given_out,
        still_possible=risk.still_possible,
        leased=risk.leased,
    )


def difference(told: DifferenceNews, language: str) -> DifferenceView:
    """Return one line of the reconciliation list."""
    at = dt.datetime.fromtimestamp(told.found_ms / 1000, dt.UTC)
    sentence, next_step = texts.difference(language, told)
    return DifferenceView(at.isoformat(), sentence, next_step)
