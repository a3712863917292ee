"""A mistake is shown at its line, however the file is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapledger.loyalty.program.findings import Path as Place
from tapledger.loyalty.program.source import line_of_error, read_lines
from tests.loyalty.program.faults import uncommented
from tests.source_tree import ROOT

EXAMPLES = sorted((ROOT / Path("config/examples")).glob("*/program.toml"))
WRITTEN = """\
# a comment
version = "1"  # and another

names = [
    # the first
    { en = "A" },
    { en = "B",
      ja = "C" },
]
[table.inner]
"quoted key" = 1
dotted.key = 2
text = \"\"\"
[not.a.header]
\"\"\"
[[list]]
id = "a"
[list.sub]
x = 1
[[list.deep]]
y = 1
[[list.deep]]
y = 2
[[list]]
id = "b"
nested = [[{ m = 1 }], [{ m = 2 }, { m = 3 }]]
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("version",), 2),
        (("names",), 4),
        (("names", 0), 6),
        (("names", 0, "en"), 6),
        (("table", "inner"), 10),
        (("table", "inner", "quoted key"), 11),
        (("table", "inner", "dotted", "key"), 12),
        (("list", 0), 16),
        (("list", 0, "sub", "x"), 19),
        (("list", 0, "deep", 0, "y"), 21),
        (("list", 0, "deep", 1, "y"), 23),
        (("list", 1, "id"), 25),
        (("list", 1, "nested", 1, 0, "m"), 26),
        (("list", 1, "missing"), 24),
        (("list", 9), 16),
        ((), 1),
    ],
)
def test_a_place_has_its_line_or_that_of_the_nearest_around_it(place: Place, line: int) -> None:
    text = WRITTEN.replace('"B",\n      ja', '"B", ja')
    assert tomllib.loads(text)
    assert read_lines(text).of(place) == (line if line < 8 else line - 1)


def _leaves(value: Any, path: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*path, name)
        yield from _leaves(one, (*path, name))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.parent.name for path in EXAMPLES])
def test_every_key_of_the_examples_is_found_on_a_line_that_has_it(path: Path) -> None:
    _check(path.read_text(encoding="utf-8"))


def test_every_key_of_the_annotated_programme_is_found() -> None:
    _check(uncommented())


def _check(text: str) -> None:
    lines, found = text.splitlines(), read_lines(text)
    for place in _leaves(tomllib.loads(text)):
        if isinstance(place[-1], str):
            assert place[-1] in lines[found.of(place) - 1], place


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = \n", 2), ("a = 1\n\nb = [1,\n", 3), ("a =", 1)])
def test_a_syntax_error_has_its_line(text: str, line: int) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    assert line_of_error(error.value, text) == line
