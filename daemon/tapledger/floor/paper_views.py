"""How long the paper lasts, in the words of a language."""

from __future__ import annotations

from tapledger import texts
from tapledger.devices.paper_forecast import Forecast
from tapledger.web.print_snapshots import PaperView


def paper_view(forecast: Forecast | None, language: str) -> PaperView | None:
    if forecast is None:
        return None
    return PaperView(
        receipts_left=forecast.receipts_left,
        confidence=forecast.confidence,
        printed_mm=forecast.printed_mm,
        since=forecast.since.isoformat(),
        is_low=forecast.is_low,
        sentence=_low(forecast, language),
    )


def _low(forecast: Forecast, language: str) -> str:
    if forecast.receipts_left is None or not forecast.is_low:
        return ""
    return texts.say(language, "print.paper_low", count=forecast.receipts_left)


def paper_left(forecast: Forecast | None) -> int | None:
    """Return how many receipts are left when they are few; None while nobody has to think of it."""
    return None if forecast is None or not forecast.is_low else forecast.receipts_left
