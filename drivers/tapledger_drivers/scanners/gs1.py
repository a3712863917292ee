"""GS1 element strings: ``010690123456789210AB<GS>17261231`` becomes its application identifiers.

Rules and lengths: GS1 General Specifications, section 3. A text that breaks one of them is no GS1 text: it
is left to whoever knows it by another name, and nothing is half understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

GROUP_SEPARATOR = "\x1d"
"""FNC1 between two fields, as scanners send it."""
FIELDS_MAX = 32

_KINDS = {
    "n": re.compile(r"[0-9]*"),
    "x": re.compile(r"""[A-Za-z0-9!"%&'()*+,\-./:;<=>?_]*"""),
    "y": re.compile(r"[A-Z0-9#\-/]*"),
}
_PREDEFINED = frozenset(
    ["00", "01", "02", "03", "04", *map(str, range(11, 21)), *map(str, range(31, 37)), "41"]
)
"""First two digits of the identifiers whose length the standard fixes, so that no separator follows."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """``parts`` are (kind, shortest, longest) in their order; only the last may vary in length."""

    parts: tuple[tuple[str, int, int], ...]
    check: str = ""
    """``gtin``: the first part ends in a check digit; ``date``: it is YYMMDD."""

    @property
    def longest(self) -> int:
        return sum(longest for _, _, longest in self.parts)


_TABLE = """
00 n18 gtin
01-02 n14 gtin
10 x..20
11-13,15-17 n6 date
20 n2
21-22 x..20
235 x..28
240-241 x..30
242 n..6
243 x..20
250-251 x..30
253 n13,x..17 gtin
254 x..20
255 n13,n..12 gtin
30 n..8
3100-3169,3200-3379,3400-3579,3600-3699 n6
37 n..8
3900-3909,3920-3929 n..15
3910-3919,3930-3939 n3,n..15
3940-3943 n4
3950-3955 n6
400 x..30
401 x..30
402 n17 gtin
403 x..30
410-417 n13 gtin
420 x..20
421 n3,x..9
422 n3
423 n3,n..12
424-426 n3
427 x..3
4300-4301 x..35
4302-4306 x..70
4307 n2
4308 x..30
4320 x..35
4321-4323 n1
4324-4325 n10
4326 n6 date
7001 n13
7002 x..30
7003 n10
7004 n..4
7005 x..12
7006 n6 date
7007 n6,n..6 date
7008 x..3
7009 x..10
7010 x..2
7020-7022 x..20
7023 x..30
7030-7039 n3,x..27
7040 x4
710-716 x..20
7230-7239 x2,x..28
7240 x..20
8001 n14
8002 x..20
8003 n14,x..16 gtin
8004 x..30
8005 n6
8006 n14,n4 gtin
8007 x..34
8008 n8,n..4
8009 x..50
8010 y..30
8011 n..12
8012 x..20
8013 x..25
8017-8018 n18 gtin
8019 n..10
8020 x..25
8026 n14,n4 gtin
8030 x..90
8110 x..70
8111 n4
8112 x..70
8200 x..70
90 x..30
91-99 x..90
"""


def _rules() -> Iterator[tuple[str, _Rule]]:
    for line in _TABLE.split("\n"):
        if not line:
            continue
        identifiers, shape, check = (*line.split(" "), "")[:3]
        parts = []
        for part in shape.split(","):
            low, dots, high = part[1:].partition("..")
            parts.append((part[0], 0 if dots else int(low), int(high if dots else low)))
        if len(parts) == 1 and parts[0][1] == 0:
            parts = [(parts[0][0], 1, parts[0][2])]  # a field is never empty; the end of one may be
        rule = _Rule(tuple(parts), check)
        for span in identifiers.split(","):
            first, _, last = span.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield f"{number:0{len(first)}d}", rule


_RULES = dict(_rules())
_DIGITS = {identifier[:2]: len(identifier) for identifier in _RULES}
"""How long an identifier is follows from its first two digits."""


def parse(text: str) -> tuple[tuple[str, str], ...]:
    """Return identifiers and values in their order; empty when the text is not GS1 from end to end."""
    fields: list[tuple[str, str]] = []
    at = 1 if text.startswith(GROUP_SEPARATOR) else 0
    while at < len(text):
        if len(fields) == FIELDS_MAX:
            return ()
        identifier = text[at : at + _DIGITS.get(text[at : at + 2], 0)]
        rule = _RULES.get(identifier)
        if rule is None:
            return ()
        start = at + len(identifier)
        end = text.find(GROUP_SEPARATOR, start, start + rule.longest + 1)
        if identifier[:2] in _PREDEFINED:
            end = start + rule.longest
        elif end < 0:
            end = len(text)
        value = text[start:end]
        if not _fits(value, rule):
            return ()
        fields.append((identifier, value))
        at = end + 1 if text[end : end + 1] == GROUP_SEPARATOR else end
    return tuple(fields)


def _fits(value: str, rule: _Rule) -> bool:
    at = 0
    for place, (kind, shortest, longest) in enumerate(rule.parts):
        part = value[at:] if place == len(rule.parts) - 1 else value[at : at + longest]
        if not shortest <= len(part) <= longest or not _KINDS[kind].fullmatch(part):
            return False
        if place == 0 and not _checked(part, rule.check):
            return False
        at += len(part)
    return True


def _checked(part: str, check: str) -> bool:
    if check == "gtin":
        return check_digit(part[:-1]) == part[-1]
    if check == "date":
        return 1 <= int(part[2:4]) <= 12 and int(part[4:6]) <= 31
    return True


def check_digit(digits: str) -> str:
    """Return the GS1 check digit that belongs behind ``digits``: 690123456789 -> 2."""
    weighted = (int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-sum(weighted) % 10)


def is_gtin(text: str) -> bool:
    """Tell whether a text is an EAN-8, UPC-A, EAN-13 or GTIN-14 with a right check digit."""
    is_number = text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)
    return is_number and check_digit(text[:-1]) == text[-1]
