"""Reads templates and says what is wrong with one before anything is printed by it.

A template is a list of ``[[item]]`` tables, printed from the first to the last; docs/receipts.md is its page.
What a shop's own folder has takes the place of what is shipped, file by file.
"""

from __future__ import annotations

import difflib
import re
import string
import tomllib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from tapledger import assets, texts
from tapledger.devices.receipts.fields import TEMPLATES
from tapledger.errors import Invalid
from tapledger.languages import LANGUAGES
from tapledger_drivers.ports import Align
from tapledger_drivers.printers import logo as logos

ITEMS_MAX = 200
BYTES_MAX = 64 * 1024
SHOP_LOGO = ""
"""The name that stands for the picture of ``receipts.logo``; without one nothing is printed there."""
NARROW = "narrow"
"""A flag of every template: set on paper of less than ``NARROW_COLUMNS``."""
NARROW_COLUMNS = 42
"""Paper of 58 mm has 32 columns, of 80 mm 42 or 48."""
WIDEST_DOTS = 576
"""Of paper of 80 mm; what is wider is made smaller."""
ITSELF = "it"
"""Names an element of a list of texts."""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing on the paper. Exactly one of ``text``, ``say``, ``rule``, ``qr``, ``logo``, ``include`` and
    ``items`` says what; with ``right`` a text is the left of two columns."""

    text: str | None = None
    say: str | None = None
    """A key of the catalogues, such as ``receipt.total``."""
    rule: bool = False
    qr: str | None = None
    logo: str | None = None
    """A PNG file beside the template; empty: the shop's logo, where there is one."""
    include: str | None = None
    """Another file of the folder, which is no slip by itself: ``_head``."""
    items: tuple[Item, ...] = ()
    """Printed together: under one condition, or for each of a list."""
    right: str | None = None
    align: Align = Align.LEFT
    bold: bool = False
    large: bool = False
    when: str = ""
    unless: str = ""
    each: str = ""
    """A list: the item is printed for each of its elements, whose fields come before the slip's own."""

    def what(self) -> list[str]:
        named = ("text", "say", "qr", "logo", "include")
        return [
            *(name for name in named if getattr(self, name) is not None),
            *(["rule"] if self.rule else []),
            *(["items"] if self.items else []),
        ]


@dataclass(frozen=True, slots=True)
class Template:
    """What stands on one kind of slip; what it includes is in it."""

    items: tuple[Item, ...]
    pictures: Mapping[str, bytes]
    """PNG files by the names that ``logo`` gives them."""


Templates: TypeAlias = Mapping[str, Template]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    item: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, as it stands there."""

    path: Path
    items: tuple[Item, ...]
    lines: tuple[int, ...]
    """Where each item begins, from 1."""

    def wrong(self, number: int, why: str) -> Invalid:
        line = self.lines[number] if number < len(self.lines) else 1
        return Invalid("RECEIPT_TEMPLATE_INVALID", path=str(self.path), line=line, why=why)


def shipped_folder() -> Path:
    return assets.config_folder() / "receipts"


@cache
def shipped() -> Templates:
    """Return the templates that come with the product."""
    return load(None)


def load(own: Path | None, logo: Path | None = None) -> Templates:
    """Return every template, a shop's ``own`` in place of the shipped ones, with its ``logo``.

    Raises ``Invalid`` RECEIPT_TEMPLATE_INVALID with the file, the line and what is wrong there, or
    CONFIG_INVALID for a logo that cannot be printed.
    """
    shops = {} if logo is None else {SHOP_LOGO: _shop_logo(logo)}
    paths = {path.stem: path for path in sorted(shipped_folder().glob("*.toml"))}
    if own is not None:
        if not own.is_dir():
            raise Invalid("CONFIG_MISSING", path=str(own))
        for path in sorted(own.glob("*.toml")):
            if path.stem not in paths:
                near = _nearest(path.stem, paths)
                raise Invalid("RECEIPT_TEMPLATE_INVALID", path=str(path), line=1, why=f"no such slip{near}")
            paths[path.stem] = path
    sources = {name: _read(path) for name, path in paths.items()}
    parts = {name: source for name, source in sources.items() if name.startswith("_")}
    found = {}
    for name, values in TEMPLATES.items():
        found[name] = _checked(sources[name], parts, values, shops)
    return found


def _read(path: Path) -> Source:
    try:
        raw = path.read_bytes()
        if len(raw) > BYTES_MAX:
            raise ValueError(f"longer than {BYTES_MAX} bytes")
        source = raw.decode("utf-8")
        table = tomllib.loads(source)
    except (OSError, ValueError) as error:  # TOML's and UTF-8's own errors are ValueErrors
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else 1
        raise Invalid("RECEIPT_TEMPLATE_INVALID", path=str(path), line=line, why=str(error)) from error
    heads = [number for number, line in enumerate(source.splitlines(), 1) if line.strip() == "[[item]]"]
    try:
        items = msgspec.convert(table, _Table).item
    except msgspec.ValidationError as error:
        place = re.search(r"item\[(\d+)\]", str(error))
        number = int(place[1]) if place else 0
        raise Source(path, (), tuple(heads)).wrong(number, str(error)) from error
    if len(items) > ITEMS_MAX:
        raise Source(path, (), tuple(heads)).wrong(ITEMS_MAX, f"more than {ITEMS_MAX} items")
    return Source(path, items, tuple(heads))


# ---- what is wrong with it -------------------------------------------------------------------------------
def _checked(
    source: Source, parts: Mapping[str, Source], values: type[msgspec.Struct], shops: Mapping[str, bytes]
) -> Template:
    """Return a template with its parts put in, and the ``shops`` pictures; raise ``Invalid`` for the first
    thing that is wrong."""
    known = _fields(values)
    whole: list[Item] = []
    for number, item in enumerate(source.items):
        for why in _faults(item, known, parts):
            raise source.wrong(number, why)
        if item.include is None:
            whole.append(item)
            continue
        part = parts[item.include]
        for inner_number, inner in enumerate(part.items):
            for why in _faults(inner, known, {}):
                raise part.wrong(inner_number, why)
        whole.append(msgspec.structs.replace(item, include=None, items=part.items))
    pictures = dict(shops)
    for inside in (source, *(parts[item.include] for item in source.items if item.include is not None)):
        for number, item in enumerate(inside.items):
            for name in _logos(item):
                pictures[name] = _picture(inside, number, name)
    return Template(tuple(whole), pictures)


def _logos(item: Item) -> list[str]:
    here = [item.logo] if item.logo else []
    return [*here, *(name for inner in item.items for name in _logos(inner))]


def _picture(source: Source, number: int, name: str) -> bytes:
    """Return a picture beside a template; a path could lead anywhere, so it is a name alone."""
    if Path(name).name != name:
        raise source.wrong(number, f"{name!r} is not the name of a file beside this one")
    try:
        return _png(source.path.parent / name)
    except OSError as error:
        raise source.wrong(number, f"{name!r} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise source.wrong(number, f"{name!r}: {error}") from error


def _shop_logo(path: Path) -> bytes:
    try:
        return _png(path)
    except FileNotFoundError as error:
        raise Invalid("CONFIG_MISSING", path=str(path)) from error
    except OSError as error:
        raise Invalid("CONFIG_INVALID", path=str(path), why=str(error.strerror)) from error
    except ValueError as error:
        raise Invalid("CONFIG_INVALID", path=str(path), why=str(error)) from error


def _png(path: Path) -> bytes:
    """Return a picture that can be printed; raise ``OSError``, or ``ValueError`` that says what is wrong."""
    with path.open("rb") as file:
        png = file.read(logos.PNG_BYTES_MAX + 1)
    logos.load_logo(png, WIDEST_DOTS)
    return png


def _fields(values: type[msgspec.Struct]) -> dict[str, Any]:
    return {**typing.get_type_hints(values), NARROW: bool}


def _faults(item: Item, known: Mapping[str, Any], parts: Mapping[str, Source]) -> Iterable[str]:
    """Yield what is wrong with an item; ``known`` are the fields it may use, with their types."""
    if len(item.what()) != 1:
        yield "an item has exactly one of text, say, rule, qr, logo, include, items"
        return
    if item.right is not None and item.text is None and item.say is None:
        yield "only text and say have a right column"
    if item.right is not None and (item.large or item.align is not Align.LEFT):
        yield "two columns are neither large nor centred"
    for flag in filter(None, (item.when, item.unless)):
        if flag not in known:
            yield f"no field {flag!r}{_nearest(flag, known)}"
    if item.each:
        element = _element(known.get(item.each))
        if element is None:
            lists = [name for name, kind in known.items() if _element(kind) is not None]
            yield f"no list {item.each!r}{_nearest(item.each, lists)}"
            return
        known = {**known, **(_fields(element) if element is not str else {ITSELF: str})}
    if item.include is not None and item.include not in parts:
        yield f"no part {item.include!r}{_nearest(item.include, parts)}"
    for blank in _blanks_of(item):
        if known.get(blank) is not str:
            yield f"no text {{{blank}}}{_nearest(blank, [name for name in known if known[name] is str])}"
    if item.say is not None and any(item.say not in texts.catalogue(language) for language in LANGUAGES):
        keys = [key for key in texts.catalogue(LANGUAGES[0]) if key.startswith("receipt.")]
        yield f"no sentence {item.say!r}{_nearest(item.say, keys)}"
    for inner in item.items:
        yield from _faults(inner, known, {})


def _element(kind: Any) -> Any:
    """Return what a list has in it: ``str`` or a struct; None for what is no list."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else None


def _blanks_of(item: Item) -> Iterable[str]:
    said = texts.catalogue(LANGUAGES[0]).get(item.say or "", "")
    for text in (item.text, item.right, item.qr, said):
        yield from blanks(text or "")


def blanks(text: str) -> Iterable[str]:
    """Yield the names between braces; one that is more than a name comes out as it stands, so that it is
    never found."""
    try:
        for _, name, form, conversion in string.Formatter().parse(text):
            if name is not None:
                yield name if not (form or conversion) else f"{name}{conversion or ''}:{form or ''}"
    except ValueError:
        yield text


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
