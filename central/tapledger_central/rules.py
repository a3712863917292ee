"""What head office decides for every shop, read from its files: nothing is told that shops could not use."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from pathlib import Path

import msgspec

from tapledger import settings, texts
from tapledger.errors import Conflict, Invalid, NotFound
from tapledger.loyalty.days import instant
from tapledger.loyalty.program import Program, reading
from tapledger.loyalty.sales import catalogue
from tapledger.wire.messages import EVERYWHERE
from tapledger.wire.news import CatalogueNews, DevicesNews, ProgramNews
from tapledger_central import telling
from tapledger_central.feed import MAX_PAGE_BYTES
from tapledger_central.store import Transaction, news, nodes


def read_program(path: Path) -> tuple[ProgramNews, Program]:
    """Read a program.toml and its calendars; raise ``Invalid`` that names every line that is wrong."""
    read = reading.read(_bytes_of(path), lambda name: (path.parent / name).read_bytes())
    if read.program is None:
        wrong = [
            f"{path}:{line}: {found.key}: {texts.reason('en', found.why)}" for line, found in read.mistakes
        ]
        raise Invalid("PROGRAM_INVALID", where=str(path), why="\n".join(wrong))
    told = ProgramNews(version=read.program.version, content=read.content, text=read.text)
    _check_fits(len(told.content) + len(told.text.encode()))
    return told, read.program


def tell_program(tx: Transaction, told: ProgramNews, program: Program, now: dt.datetime) -> None:
    """Tell every shop a programme; raise ``Conflict`` for a version that counts already with another content
    (X5): no shop would take it."""
    before = news.told(tx, EVERYWHERE, "program", telling.CURRENT)
    known = None if before is None else msgspec.msgpack.decode(before, type=ProgramNews)
    if known is not None and known.version == told.version and known.content != told.content:
        since = msgspec.json.decode(known.content, type=Program).active_from
        if since is None or instant(since, program.zone()) <= now:
            raise Conflict("PROGRAM_CHANGED", version=told.version)
    telling.program(tx, told, now)


def read_catalogue(path: Path) -> str:
    """Read a catalogue.csv; its lines are checked when it is told, for that takes a currency."""
    return _text_of(path)


def tell_catalogue(tx: Transaction, text: str, now: dt.datetime) -> int:
    """Tell every shop the articles of a CSV and return how many they are.

    Prices are in the currency of the programme that was told before, else ``Conflict`` PROGRAM_NOT_TOLD.
    Raises ``Invalid`` that names the line.
    """
    before = news.told(tx, EVERYWHERE, "program", telling.CURRENT)
    if before is None:
        raise Conflict("PROGRAM_NOT_TOLD")
    program = msgspec.json.decode(msgspec.msgpack.decode(before, type=ProgramNews).content, type=Program)
    articles = catalogue.read(io.StringIO(text, newline=""), program.currency).articles
    digest = hashlib.sha256(text.encode()).hexdigest()
    telling.catalogue(tx, CatalogueNews(digest=digest, text=text), now)
    return len(articles)


def read_devices(path: Path) -> DevicesNews:
    """Read the ``[[devices]]`` of one computer; raise ``Invalid`` that says what is wrong.

    Which driver a computer has, and what it makes of its options, is seen there.
    """
    text = _text_of(path)
    settings.read_devices(text, str(path))
    return DevicesNews(text=text)


def tell_devices(tx: Transaction, node: str, told: DevicesNews | None, now: dt.datetime) -> DevicesNews:
    """Tell a computer its devices, unless it was told the same, and return what it was told before."""
    news.lock(tx)
    known = nodes.find(tx, node)
    if known is None:
        raise NotFound("NODE_UNKNOWN")
    before = telling.told_devices(tx, known)
    if told is not None and told != before:
        telling.devices(tx, known, told, now)
    return before


def _text_of(path: Path) -> str:
    data = _bytes_of(path)
    _check_fits(len(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("SETTINGS_UNREADABLE", path=str(path), why=str(error)) from error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid("SETTINGS_UNREADABLE", path=str(path), why=error.strerror or str(error)) from error


def _check_fits(size: int) -> None:
    """Raise ``Invalid`` for what would not fit into one page of the feed: no shop could read on past it."""
    if size > MAX_PAGE_BYTES:
        raise Invalid("MESSAGE_TOO_LARGE", limit=MAX_PAGE_BYTES)
