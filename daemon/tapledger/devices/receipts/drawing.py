"""Draws a slip: its values through its template, between the marks that no template can leave out."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger import texts
from tapledger.devices.receipts import values
from tapledger.devices.receipts.rendering import render
from tapledger.devices.receipts.templates import Templates, shipped
from tapledger.membership.identity import SIMULATED
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip
from tapledger.wire.codec import decode_event
from tapledger_drivers.ports import Align, PaperItem, Rule, Text

WIDE_COLUMNS = 48

_TEMPLATE_OF = {"void": "return", "giveback": "return"}


@dataclass(frozen=True, slots=True)
class Paper:
    """What the slip comes out on."""

    columns: int = WIDE_COLUMNS
    copy_of: str = ""
    """The number of the slip that may be on paper already; empty for the first one."""
    simulated: bool = False
    """The printer is an emulator."""


def lay_out(
    slip: Slip, shop: Shop, templates: Templates | None = None, paper: Paper | None = None
) -> tuple[PaperItem, ...]:
    """Return what stands on a slip, in its language."""
    paper = paper or Paper()
    body = decode_event(slip.event).body if slip.event else None
    filled = values.of(slip, body, shop)
    template = (templates or shipped())[_TEMPLATE_OF.get(slip.kind, slip.kind)]
    inner = render(template, filled, slip.language, paper.columns)
    simulated = paper.simulated or (body is not None and body.evidence.endswith(SIMULATED))
    mark = [_mark(texts.say(slip.language, "receipt.simulated"))] if simulated else []
    copy: list[PaperItem] = []
    if paper.copy_of:
        copy = [_mark(texts.say(slip.language, "receipt.copy", receipt=paper.copy_of)), Rule()]
    return (*mark, *copy, *inner, *mark)


def _mark(said: str) -> PaperItem:
    return Text(said, align=Align.CENTER, bold=True)
