"""Finds in the sources what the texts are asked to say: each code and key, with the figures of its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import get_args

from tapledger import errors
from tapledger.devices.reasons import REASONS
from tapledger.devices.roles import ROLES
from tapledger.devices.state import Link
from tapledger.floor.views import EVENTS
from tapledger.loyalty.rights import STOPS
from tapledger.loyalty.sales.tenders import NAMES as TENDERS
from tapledger.membership.feedback import REASONS as REASONS_OF_OPINIONS
from tapledger.web.kiosk.pages.activities import GIFTS
from tapledger.web.kiosk.pages.proving import PURPOSES
from tapledger.wire.news import DIFFERENCES
from tapledger_drivers.printers.status import StatusBytes
from tapledger_drivers.quirks import QUIRKS
from tests.source_tree import ROOT, SOURCE_ROOTS, tree, with_suffix

ERRORS = {name for name, item in vars(errors).items() if isinstance(item, type)}
KEY_KINDS = ("problem", "reason", "info")
CODE = re.compile(r"[A-Z][A-Z0-9_]+")

KINDS = {"Reason": "reason", "_inform": "info", "inform": "info"}
"""What makes a key that is no problem; a reason why not is one, for it can be raised too (``why_not``)."""

DEVICE_ERRORS = {"DeviceAbsent", "DeviceLost", "DeviceBlocked", "DeviceError", "_Gone"}
DEVICE_ANSWERS = {"PrinterStatus", "PrintOutcome"}


@dataclass(frozen=True, slots=True)
class Site:
    """One place that gives a code or a key, and the names of the figures that it passes."""

    kind: str
    """One of ``KEY_KINDS``: the first part of the key."""
    code: str
    figures: frozenset[str]
    place: str


def sites() -> list[Site]:
    """Find every place where an error or a reason is made, or the till is told something."""
    found = []
    for path in with_suffix(".py", under=SOURCE_ROOTS):
        if path != Path("daemon/tapledger/errors.py"):
            for scope, call in _calls(tree(path)):
                found += list(_sites_of(call, scope, f"{path}:{call.lineno}"))
    return found


def _calls(module: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Yield every call with the innermost function around it."""

    def visit(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.AST, ast.Call]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = node
        if isinstance(node, ast.Call):
            yield scope, node
        for child in ast.iter_child_nodes(node):
            yield from visit(child, scope)

    yield from visit(module, module)


def _sites_of(call: ast.Call, scope: ast.AST, place: str) -> Iterator[Site]:
    name = ast.unparse(call.func).split(".")[-1]
    if not call.args or name not in {*KINDS, *ERRORS, "__init__"}:
        return
    figures = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
    if name == "Reason":
        figures = set(_keys(call.args[1], scope))
    refuses = isinstance(scope, ast.FunctionDef) and scope.name.startswith("why_not")
    for code in _codes(call.args[0], scope):
        if CODE.fullmatch(code):
            kind = "problem" if refuses else KINDS.get(name, "problem")
            yield Site(kind, code, frozenset(figures), place)


def _codes(expression: ast.expr, scope: ast.AST) -> list[str]:
    """Return every code that an expression can be; none for ``error.code``, which was given elsewhere."""
    match expression:
        case ast.JoinedStr(values=[ast.Constant(value="SCAN_"), *_]):
            return [f"SCAN_{reason.upper()}" for reason in scan_refusals()]
        case ast.Name(id=name):
            return [code for value in _assigned(name, scope) for code in _codes(value, scope)]
        case ast.Attribute() | ast.JoinedStr():
            return []
    return [str(node.value) for node in ast.walk(expression) if isinstance(node, ast.Constant)]


def _keys(expression: ast.expr, scope: ast.AST) -> list[str]:
    match expression:
        case ast.Dict(keys=keys):
            return [str(key.value) for key in keys if isinstance(key, ast.Constant)]
        case ast.Name(id=name):
            return [key for value in _assigned(name, scope) for key in _keys(value, scope)]
    raise AssertionError(f"line {expression.lineno}: pass a reason's figures as a dict that can be read here")


def _assigned(name: str, scope: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                yield value


def scan_refusals() -> set[str]:
    return _first_arguments({"ScanRefused"}, 0)


def device_reasons() -> set[str]:
    """Return every reason that our drivers give for a device or a slip in trouble."""
    bits = (0, *(1 << place for place in range(8)))
    every = product(bits, repeat=len(fields(StatusBytes)))
    answered = {StatusBytes(*answers).reason for answers in every}  # type: ignore[arg-type]
    found = _first_arguments(DEVICE_ERRORS, 0) | _first_arguments(DEVICE_ANSWERS, 1) | answered
    return found - {"ok"}


def health_findings() -> set[str]:
    """Return everything that a check of a device's health looks at and that is no reason by itself."""
    return _first_arguments({"Finding"}, 0) - set(REASONS)


def _first_arguments(names: set[str], position: int) -> set[str]:
    found = set()
    for path in with_suffix(".py", under=("drivers",)):
        if "emulators" not in path.parts:
            for _, call in _calls(tree(path)):
                if ast.unparse(call.func) in names and isinstance(call.args[position], ast.Constant):
                    found.add(str(ast.literal_eval(call.args[position])))
    return found


def keys_said() -> set[str]:
    """Return every key that the sources ask for by name: ``texts.say(language, "receipt.total")``."""
    found = set()
    for path in with_suffix(".py", under=("daemon",)):
        for _, call in _calls(tree(path)):
            place = {"texts.say": 1, "here.say": 0}.get(ast.unparse(call.func))
            if place is not None and isinstance(key := call.args[place], ast.Constant):
                found.add(str(key.value))
    return found


def template_keys() -> set[str]:
    """Return every key that a template of a slip says."""
    folder = ROOT / "config" / "receipts"
    return {key for path in folder.glob("*.toml") for key in re.findall(r'say = "([^"]+)"', path.read_text())}


def every_key() -> set[str]:
    """Return the keys that a catalogue needs: no more, no fewer."""
    codes = {kind: {site.code for site in sites() if site.kind == kind} for kind in KEY_KINDS}
    devices = {*get_args(Link), *device_reasons(), *REASONS, "other"}
    return {
        *keys_said(),
        *template_keys(),
        *(f"kiosk.gift.{one}" for one in GIFTS),
        *(f"kiosk.proof.{one}" for one in PURPOSES),
        *(f"kiosk.feedback.{one}" for one in REASONS_OF_OPINIONS),
        *(f"info.{code}" for code in codes["info"]),
        *(f"reason.{code}" for code in codes["reason"]),
        *(f"tender.{kind}" for kind in TENDERS),
        *(f"problem.{code}{end}" for code in {*codes["problem"], *STOPS, "OTHER"} for end in ("", ".next")),
        *(f"difference.{code}{end}" for code in {*DIFFERENCES, "OTHER"} for end in ("", ".next")),
        *(f"device.check.{code}" for code in health_findings()),
        *(f"device.advice.{code}" for quirk in QUIRKS for code in quirk.advice),
        *(f"device.event.{what}" for what in EVENTS),
        *(f"device.consequence.{role.replace('-', '_')}" for role in ROLES),
        *(f"device.{code}{end}" for code in devices for end in ("", ".next")),
    }
