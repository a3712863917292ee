"""What must be true after a step: expected values against observed ones, leaf by leaf.

``bend`` changes an expectation by one, so that a test can show that every one of them is really looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Cash:
    """An observed amount of money: compared with 12.50 as well as with 12."""

    minor: int
    digits: int

    def __str__(self) -> str:
        return str(Decimal(self.minor).scaleb(-self.digits))


@dataclass(frozen=True, slots=True)
class Sentences:
    """Observed texts; an expected text must be part of one of them."""

    texts: tuple[str, ...]

    def __str__(self) -> str:
        return " | ".join(self.texts)


@dataclass(frozen=True, slots=True)
class Mismatch:
    where: str
    expected: str
    observed: str


def leaves(expected: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every single expectation with its dotted place. A list is one expectation."""
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            yield from leaves(value, f"{where}.{key}" if where else str(key))
    else:
        yield where, expected


def compare(expected: Any, observed: Any, where: str = "") -> Iterator[Mismatch]:
    """Yield what differs. Of a table only the keys that are expected are looked at."""
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            place = f"{where}.{key}" if where else str(key)
            if not isinstance(observed, Mapping) or key not in observed:
                yield from (Mismatch(one, _shown(want), "nothing") for one, want in leaves(value, place))
            else:
                yield from compare(value, observed[key], place)
    elif not _equal(expected, observed):
        yield Mismatch(where, _shown(expected), _shown(observed))


def _equal(expected: Any, observed: Any) -> bool:
    match observed:
        case Cash():
            if isinstance(expected, bool) or not isinstance(expected, int | Decimal):
                return False
            return Decimal(expected).scaleb(observed.digits) == observed.minor
        case Sentences():
            wanted = expected if isinstance(expected, list) else [expected]
            return all(any(str(one) in text for text in observed.texts) for one in wanted)
        case bool():
            return expected is observed
        case list() | tuple():
            return (
                isinstance(expected, list)
                and len(expected) == len(observed)
                and all(_equal(one, other) for one, other in zip(expected, observed, strict=True))
            )
        case dt.datetime():
            return bool(expected == observed)
        case None:
            return bool(expected == "none")
        case Mapping():
            return isinstance(expected, Mapping) and not list(compare(expected, observed))
    return type(expected) is type(observed) and bool(expected == observed)


def bend(expected: Any) -> Any:
    """Return an expectation that is wrong by one, leaf by leaf."""
    match expected:
        case Mapping():
            return {key: bend(value) for key, value in expected.items()}
        case bool():
            return not expected
        case int():
            return expected + 1
        case Decimal():
            return expected + Decimal((0, (1,), min(0, int(expected.as_tuple().exponent))))
        case dt.datetime() | dt.date():
            return expected + dt.timedelta(days=1)
        case dt.time():
            return expected.replace(minute=(expected.minute + 1) % 60)
        case list():
            return [bend(expected[0]), *expected[1:]] if expected else ["something"]
    return f"{expected}¬"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_shown(one)}' for key, one in value.items())}}}"
    return "none" if value is None else str(value)
