"""One page for both kinds of printers: what a driver said of each slip, and what really lay on the paper.

``python -m tests.drivers.verdict_page > docs/devices/printer-verdicts.md`` writes the page anew.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tapledger_drivers.ports import PrintOutcome, PrintVerdict

PAGE = Path(__file__).parents[2] / "docs" / "devices" / "printer-verdicts.md"
LINES = ("tcp", "pty")
OLD = "the page is old: python -m tests.drivers.verdict_page > docs/devices/printer-verdicts.md"


@dataclass(frozen=True, slots=True)
class Played:
    """One slip with one fault: a cell of the page."""

    line: str
    fault: str
    moment: str
    outcome: PrintOutcome
    whole: bool
    """Whether all of its lines are on one piece of paper: what nobody but the emulator knows."""
    cut: bool
    next_printed: bool
    """Whether, after the fault was mended, the next slip came out."""

    @property
    def false_printed(self) -> bool:
        return self.outcome.verdict is PrintVerdict.PRINTED and not (self.whole and self.cut)

    @property
    def false_failed(self) -> bool:
        """Would be printed again although the member may hold the first in the hand."""
        return self.outcome.verdict is PrintVerdict.FAILED and self.whole


def head(slips: int) -> str:
    return f"""# What the printer drivers say, and what it rests on

Made by the test `tests/drivers/test_printer_verdicts.py`; after a change, make it anew with
`python -m tests.drivers.verdict_page > docs/devices/printer-verdicts.md`.

Each cell is a slip printed through the real driver on a real line to an emulated printer, with a fault that
begins at that moment. The test compares each verdict with the paper: a slip that is called **printed** and is
not whole and cut is a *false printed*, a slip that is called **failed** and is whole is a *false failed*.

**{slips} slips, false printed: 0, false failed: 0.** After each fault is mended, the next slip comes out
whole.

**unknown** means that a person must look. `drop_after` breaks the line after so many bytes; all other faults
begin after so many printed lines or rows. Noise at random (every fifth byte) is judged as well, but not
shown: what becomes of it is chance.
"""


def section(
    title: str,
    played: Iterable[Played],
    moments: Sequence[str],
    looked_at: str,
    *,
    hidden: Collection[str],
    said: Callable[[Played], str],
) -> str:
    """Return the page's part about one printer; of ``looked_at`` the evidence is shown."""
    cells = {(one.fault, one.line, one.moment): one for one in played}
    false = [sum(getattr(one, name) for one in cells.values()) for name in ("false_printed", "false_failed")]
    rows = [
        f"## {title}",
        "",
        f"{len(cells)} slips, false printed: {false[0]}, false failed: {false[1]}.",
        "",
        f"| fault | line | {' | '.join(moments)} | evidence ({looked_at}) |",
        "|---|---|" + "---|" * (len(moments) + 1),
    ]
    for fault in dict.fromkeys(fault for fault, _, _ in cells):
        if fault in hidden:
            continue
        row = {line: " | ".join(said(cells[fault, line, moment]) for moment in moments) for line in LINES}
        for lines in [LINES] if row["tcp"] == row["pty"] else [("tcp",), ("pty",)]:
            evidence = _plain(cells[fault, lines[0], looked_at].outcome.evidence)
            rows.append(f"| {fault} | {', '.join(lines)} | {row[lines[0]]} | {evidence} |")
    return "\n".join(rows) + "\n"


def verdict(outcome: PrintOutcome) -> str:
    if outcome.verdict is PrintVerdict.PRINTED:
        return "**printed**"
    return f"{'**failed**' if outcome.verdict is PrintVerdict.FAILED else 'unknown'} {outcome.reason}"


def _plain(evidence: str) -> str:
    """Leave out what differs between two runs."""
    evidence = re.sub(r"(tcp|tty):\S+?:? ", "", evidence)
    evidence = re.sub(r"\[Errno \d+\] |status=[0-9a-f]+ etb=\d+,? ?", "", evidence)
    return re.sub(r"\b\d+ (of \d+ )?bytes", "some bytes", evidence).strip(", ")


async def _main() -> None:
    from tests.drivers import star_verdicts, verdicts

    sections = [verdicts.section(model, await verdicts.run(model)) for model in verdicts.TITLES]
    sections.append(star_verdicts.section(await star_verdicts.run()))
    slips = len(verdicts.TITLES) * len(verdicts.cases()) + len(star_verdicts.cases())
    print("\n".join([head(slips), *sections]), end="")


if __name__ == "__main__":
    asyncio.run(_main())
