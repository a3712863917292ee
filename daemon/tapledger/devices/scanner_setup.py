"""Setup sheets for barcode scanners: the vendor's codes, drawn for the screen, and a probe that checks them.

The codes are data (config/scanners/*.toml), each with its source. A step that is not ``verified`` was put
together from documentation and has not been seen in print: the page says so beside it.
"""

from __future__ import annotations

import io
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import quoteattr

import msgspec

from tapledger import assets
from tapledger.errors import NotFound
from tapledger_drivers.ports import ScanEvent
from tapledger_drivers.scanners import probe

SHEETS_MAX = 64
CONTENT_CHARS_MAX = 64
Symbology = Literal["code128", "qr"]
Setting = Literal[
    "defaults",
    "enter_setup",
    "usb_com",
    "suffix_on",
    "suffix_cr",
    "aim_id",
    "gs1_aim_id",
    "utf8",
    "gbk",
    "exit_setup",
]
_FNC3 = "\xf3"
"""How python-barcode writes the function character that tells a scanner: this is for you."""
_QUIET_MODULES, _BAR_HEIGHT, _MODULE_PX, _QR_QUIET_MODULES = 10, 50, 2, 4


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sets: Setting
    """What it does to the scanner; the page says it as ``scanner_setup.<sets>``."""
    content: str
    verified: bool
    source: str


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vendor: str
    families: list[str]
    symbology: Symbology
    fnc3: Literal["start", "end", "none"]
    """Where Code 128 has the function character that makes it a setup code."""
    steps: list[Step]


class DrawnStep(msgspec.Struct, frozen=True):
    """One code of a sheet, ready for the screen."""

    sets: Setting
    svg: str
    verified: bool
    source: str


class DrawnSheet(msgspec.Struct, frozen=True):
    id: str
    vendor: str
    families: list[str]
    steps: list[DrawnStep]


class Probe(msgspec.Struct, frozen=True):
    """A code whose content is known: ``judge`` says what a scanner makes of it."""

    id: Literal["linear", "matrix"]
    svg: str


class SheetName(msgspec.Struct, frozen=True):
    id: str
    vendor: str
    families: list[str]


class Overview(msgspec.Struct, frozen=True):
    sheets: list[SheetName]
    probes: list[Probe]


class ProbeFinding(msgspec.Struct, frozen=True):
    code: str
    """Said as ``device.check.<code>``."""
    ok: bool
    detail: str


_PROBES = {"linear": probe.LINEAR, "matrix": probe.MATRIX}


def load(folder: Path | None = None) -> dict[str, Sheet]:
    """Return every sheet by its id, the name of its file; raise ``ValueError`` for one that is not valid."""
    found = {}
    for file in sorted((folder or assets.config_folder() / "scanners").glob("*.toml"))[:SHEETS_MAX]:
        try:
            sheet = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Sheet)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{file.name}: {error}") from error
        if any(not 0 < len(step.content) <= CONTENT_CHARS_MAX for step in sheet.steps):
            raise ValueError(f"{file.name}: a step's content has 1 to {CONTENT_CHARS_MAX} characters")
        found[file.stem] = sheet
    return found


@cache
def sheets() -> dict[str, Sheet]:
    """Return the sheets that come with the product."""
    return load()


def draw(sheet_id: str) -> DrawnSheet:
    """Return a sheet with its codes drawn; raise ``NotFound`` for an unknown one."""
    sheet = sheets().get(sheet_id)
    if sheet is None:
        raise NotFound("SCANNER_SHEET_UNKNOWN", sheet=sheet_id)
    steps = [DrawnStep(step.sets, code(sheet, step), step.verified, step.source) for step in sheet.steps]
    return DrawnSheet(sheet_id, sheet.vendor, sheet.families, steps)


def overview() -> Overview:
    """Return which sheets there are, and the codes that check a scanner."""
    names = [SheetName(id_, sheet.vendor, sheet.families) for id_, sheet in sheets().items()]
    return Overview(names, probes())


def probes() -> list[Probe]:
    return [Probe("linear", code128_svg(probe.LINEAR)), Probe("matrix", qr_svg(probe.MATRIX))]


def judge(event: ScanEvent, probe_id: Literal["linear", "matrix"]) -> list[ProbeFinding]:
    """Say what is wrong with a scanner that read ``probe_id`` as ``event``; all ``ok`` when nothing is."""
    return [ProbeFinding(one.code, one.ok, one.detail) for one in probe.judge(event, _PROBES[probe_id])]


def code(sheet: Sheet, step: Step) -> str:
    """Return the SVG of one step's code."""
    if sheet.symbology == "qr":
        return qr_svg(step.content)
    start, end = (_FNC3 if sheet.fnc3 == place else "" for place in ("start", "end"))
    return code128_svg(f"{start}{step.content}{end}")


def code128_svg(content: str) -> str:
    """Draw ASCII as Code 128, without a caption: a setup code's content is nothing to type."""
    from barcode.codex import Code128

    [modules] = Code128(content).build()
    bars, at = [], 0
    for run in modules.replace("01", "0 1").replace("10", "1 0").split():
        if run[0] == "1":
            bars.append(f"M{at + _QUIET_MODULES} 0h{len(run)}v{_BAR_HEIGHT}h-{len(run)}z")
        at += len(run)
    return _svg(at + 2 * _QUIET_MODULES, _BAR_HEIGHT, "".join(bars))


def qr_svg(content: str) -> str:
    """Draw UTF-8 text as a QR code, with its encoding said in the code (ECI)."""
    import segno

    drawn = io.BytesIO()
    made = segno.make(content, error="m", micro=False, encoding="utf-8", eci=not content.isascii())
    made.save(
        drawn, kind="svg", border=_QR_QUIET_MODULES, scale=_MODULE_PX, xmldecl=False, light="#fff", nl=False
    )
    return drawn.getvalue().decode()


def _svg(width: int, height: int, path: str) -> str:
    box = quoteattr(f"0 0 {width} {height}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox={box} width="{width * _MODULE_PX}" '
        f'height="{height * _MODULE_PX}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{path}"/></svg>'
    )
