"""Lays a print job out in columns: what stands in which line, before anybody thinks of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tapledger_drivers.ports import Align, Logo, PaperItem, QrCode, Row, Rule, Text
from tapledger_drivers.printers.encoding import char_columns, sanitise, text_columns

QR_BYTES_MAX = 1024
LINES_MAX = 500


@dataclass(frozen=True, slots=True)
class TextLine:
    """One printed line, sanitised and no wider than the paper."""

    text: str
    bold: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True)
class QrLine:
    data: str


@dataclass(frozen=True, slots=True)
class LogoLine:
    png: bytes


PaperLine: TypeAlias = TextLine | QrLine | LogoLine


def lay_out(items: Sequence[PaperItem], columns: int) -> list[PaperLine]:
    """Return the lines of a slip; raise ValueError when it is too long or a QR code holds too much."""
    lines: list[PaperLine] = []
    for item in items:
        lines.extend(_lines(item, columns))
        if len(lines) > LINES_MAX:
            raise ValueError(f"the slip has more than {LINES_MAX} lines")
    return lines


def expected_lines(items: Sequence[PaperItem], columns: int) -> list[str]:
    """Return what a person reads on the paper, line by line; a QR code is ``[QR:data]``."""
    lines = []
    for line in lay_out(items, columns):
        match line:
            case TextLine(text):
                lines.append(text.rstrip())
            case QrLine(data):
                lines.append(f"[QR:{data}]")
            case LogoLine():
                lines.append("[logo]")
    return lines


def _lines(item: PaperItem, columns: int) -> Iterator[PaperLine]:
    match item:
        case Text(text, align, bold, large):
            width = columns // 2 if large else columns
            for part in _wrap(sanitise(text), width):
                indent = (width - text_columns(part)) // 2 if align is Align.CENTER else 0
                yield TextLine(" " * indent + part, bold, large)
        case Row(left, right, bold):
            yield from _row(sanitise(left), sanitise(right), columns, bold)
        case Rule():
            yield TextLine("-" * columns)
        case QrCode(data):
            clean = sanitise(data, QR_BYTES_MAX + 1)
            if not clean or len(clean.encode()) > QR_BYTES_MAX:
                raise ValueError(f"a QR code holds 1 to {QR_BYTES_MAX} bytes")
            yield QrLine(clean)
        case Logo(png):
            yield LogoLine(png)


def _row(left: str, right: str, columns: int, bold: bool) -> Iterator[TextLine]:
    """The amount stands right in the last line of its name, or below it when it needs the line alone."""
    *names, last = _wrap(left, columns)
    gap = columns - text_columns(last) - text_columns(right)
    if gap < 1 and last:
        room = columns - text_columns(right) - 1
        head, *rest = _wrap(last, room) if room >= columns // 2 else [last, ""]
        names, last = [*names, head, *rest[:-1]], rest[-1]
        gap = columns - text_columns(last) - text_columns(right)
    yield from (TextLine(name, bold) for name in names)
    if gap >= 0:
        yield TextLine(last + " " * gap + right, bold)
    else:
        yield from (TextLine(part, bold) for part in _wrap(right, columns))


def _cut(text: str, columns: int) -> str:
    if text.isascii():
        return text[:columns]
    used = 0
    for index, char in enumerate(text):
        used += char_columns(char)
        if used > columns:
            return text[:index]
    return text


def _wrap(text: str, columns: int) -> list[str]:
    """Break between any two characters, but inside a Latin word only when it fills a line alone."""
    lines = []
    while text_columns(text) > columns:
        head = _cut(text, columns)
        space = head.rfind(" ")
        in_word = text[len(head)].isascii() and head[-1:].isascii() and text[len(head)] != " "
        if in_word and space > 0 and head[:space].strip():
            head = head[:space]
        head = head or text[:1]
        lines.append(head.rstrip())
        text = text[len(head) :].lstrip(" ")
    return [*lines, text]
