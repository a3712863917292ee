"""A template and its values become what the printer is asked to print. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tapledger import texts
from tapledger.devices.receipts.templates import ITSELF, NARROW, NARROW_COLUMNS, Item, Template
from tapledger_drivers.ports import Logo, PaperItem, QrCode, Row, Rule, Text
from tapledger_drivers.printers.encoding import sanitise, text_columns

Values = Mapping[str, Any]


def render(template: Template, values: msgspec.Struct, language: str, columns: int) -> tuple[PaperItem, ...]:
    """Return the items of a slip; every text and key was checked when the template was loaded."""
    scope = {**_named(values), NARROW: columns < NARROW_COLUMNS}
    return tuple(_Drawing(template.pictures, language, columns).items(template.items, scope))


def _named(values: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(values, name) for name in values.__struct_fields__}


@dataclass(frozen=True, slots=True)
class _Drawing:
    pictures: Mapping[str, bytes]
    language: str
    columns: int

    def items(self, items: Iterable[Item], scope: Values) -> Iterator[PaperItem]:
        for item in items:
            for inner in _scopes(item, scope):
                if (not item.when or inner[item.when]) and not (item.unless and inner[item.unless]):
                    yield from self._one(item, inner)

    def _one(self, item: Item, scope: Values) -> Iterator[PaperItem]:
        if item.items:
            yield from self.items(item.items, scope)
        elif item.rule:
            yield Rule()
        elif item.logo is not None:
            if item.logo in self.pictures:
                yield Logo(self.pictures[item.logo])
        elif item.qr is not None:
            yield QrCode(item.qr.format_map(scope))
        else:
            said = texts.catalogue(self.language)[item.say] if item.say is not None else item.text or ""
            text = said.format_map(scope)
            if item.right is None:
                yield Text(text, item.align, item.bold, item.large)
            else:
                yield from self._row(text, item.right.format_map(scope), item.bold)

    def _row(self, left: str, right: str, bold: bool) -> Iterator[PaperItem]:
        """Give the left column a line of its own where the paper is too narrow for both: nothing is cut."""
        if left and text_columns(sanitise(left)) + 1 + text_columns(sanitise(right)) > self.columns:
            yield Text(left, bold=bold)
            left = ""
        yield Row(left, right, bold)


def _scopes(item: Item, scope: Values) -> Iterator[Values]:
    """Yield what an item may use: once, or for each of its list."""
    if not item.each:
        yield scope
        return
    for element in scope[item.each]:
        yield {**scope, **({ITSELF: element} if isinstance(element, str) else _named(element))}
