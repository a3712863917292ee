"""Style as a test: each rule of docs/style.md that a tool can keep, with a message that says what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from tests.source_tree import ROOT, SOURCE_ROOTS, files, module_name, text, tree, with_suffix

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
FILE_BYTES_MAX = 1_000_000

CODE = (".py", ".ts", ".tsx", ".mjs")
GENERATED = {Path("kiosk_ui/src/shared/snapshots.d.ts")}
PROMISED_FOR_TESTS = {"tapledger_drivers.testing"}
"""Modules that ship for the tests of drivers, ours and others'."""

CLOCK = Path("daemon/tapledger/clock.py")
WALL_CLOCK_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
    "time.localtime", "time.gmtime",
}  # fmt: skip

# In pieces, so that this file does not name what it forbids.
REGISTRY_HOSTS = [
    "py" "pi.org",
    "python" "hosted.org",
    "registry." "npmjs.org",
    "npmjs" ".com",
    "deb." "debian.org",
    "security." "debian.org",
    "ftp." "debian.org",
]  # fmt: skip
MACHINE_PATHS = ["/" "work/", "/" "root/", "/" "opt/wheels"]  # fmt: skip


def _report(findings: list[str], rule: str) -> None:
    if findings:
        pytest.fail("\n  ".join([rule, *findings]), pytrace=False)


# ---- size ------------------------------------------------------------------------------------------------
def test_no_code_file_is_longer_than_its_limit() -> None:
    lengths = {path: len(text(path).splitlines()) for path in with_suffix(*CODE) if path not in GENERATED}
    findings = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > FILE_LINES_MAX]
    _report(findings, f"Split these files by what they are about; {FILE_LINES_MAX} lines at most:")


def test_no_python_function_is_longer_than_its_limit() -> None:
    findings = []
    for path in with_suffix(".py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    findings.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    _report(findings, f"Give the parts of these functions names; {FUNCTION_LINES_MAX} lines at most:")


def test_no_typescript_function_is_longer_than_its_limit() -> None:
    findings = []
    for path in with_suffix(".ts", ".tsx", ".mjs"):
        if path not in GENERATED:
            for first, lines in _typescript_functions(text(path)):
                if lines > FUNCTION_LINES_MAX:
                    findings.append(f"{path}:{first}: {lines} lines")
    _report(findings, f"Give the parts of these functions names; {FUNCTION_LINES_MAX} lines at most:")


FUNCTION_OPENING = re.compile(r"^(\s*).*(\bfunction\b.*|=>\s*)\{\s*$")


def _typescript_functions(source: str) -> Iterator[tuple[int, int]]:
    """Find functions by the layout: from the line that opens one to the next ``}`` at the same indent."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        opening = FUNCTION_OPENING.match(line)
        if opening is None:
            continue
        closing = re.compile(rf"^{opening[1]}\}}")
        end = next((i for i in range(number + 1, len(lines)) if closing.match(lines[i])), len(lines) - 1)
        yield number + 1, end - number + 1


def test_typescript_functions_are_measured() -> None:
    source = "export function a() {\n  return 1;\n}\nconst b = () => {\n  if (x) {\n  }\n};\n"
    assert list(_typescript_functions(source)) == [(1, 3), (4, 4)]


def test_no_committed_file_is_huge() -> None:
    findings = [
        f"{path}: {size} bytes" for path in files() if (size := (ROOT / path).stat().st_size) > FILE_BYTES_MAX
    ]
    _report(findings, f"Git keeps these for ever; {FILE_BYTES_MAX} bytes at most:")


# ---- time, money, sleep ----------------------------------------------------------------------------------
def _calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


STRANGER = Path("tests/sync/another_client.py")
"""A client of somebody else's, written from the protocol's page alone: it knows nothing of ours."""


def test_only_the_clock_reads_the_wall_clock() -> None:
    findings = [
        f"{path}:{call.lineno}: {name}()"
        for path in with_suffix(".py", under=(*SOURCE_ROOTS, "tests", "benchmarks"))
        if path not in (CLOCK, STRANGER)
        for call, name in _calls(path)
        if ".".join(name.split(".")[-2:]) in WALL_CLOCK_CALLS
    ]
    _report(findings, f"Take the time from a Clock that is passed in ({CLOCK}):")


def test_the_rules_know_no_floats() -> None:
    findings = []
    for path in files():
        if path.suffix == ".py" and path.is_relative_to("daemon/tapledger/loyalty"):
            for node in ast.walk(tree(path)):
                if _makes_a_float(node):
                    assert isinstance(node, ast.expr)
                    findings.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    _report(findings, "Money and points are integers of the smallest unit; use // with a named rounding:")


def _makes_a_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float()):
            return True
        case ast.Call(func=ast.Name(id="float")):
            return True
        case ast.BinOp(op=ast.Div()):
            return True
    return False


BY_CHANCE = {Path("tests/faults") / name for name in ("test_kill_loop.py", "forked.py", "small_chain.py")}
"""Where a moment to die at is drawn, or a process sells at its pace: nothing is waited for there."""
VIRTUAL = Path("tests/simulation")
"""No time passes there: the loop's clock goes to the next timer."""


def test_tests_wait_for_events_and_never_for_time() -> None:
    findings = []
    for path in with_suffix(".py", under=("tests",)):
        if path in BY_CHANCE or path.is_relative_to(VIRTUAL):
            continue
        polling = _polling_lines(tree(path))
        for call, name in _calls(path):
            argument = call.args[0] if call.args else None
            yields_only = isinstance(argument, ast.Constant) and argument.value == 0
            if name in {"time.sleep", "asyncio.sleep"} and not yields_only and call.lineno not in polling:
                findings.append(f"{path}:{call.lineno}: {ast.unparse(call)}")
    _report(findings, "Wait for the event itself (an outside process may be polled in a loop that ends):")


def _polling_lines(module: ast.Module) -> set[int]:
    """Number the lines inside loops that end on a condition: there a sleep polls an outside process."""
    lines: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.While | ast.For | ast.AsyncFor):
            ends = isinstance(node, ast.While) and not isinstance(node.test, ast.Constant)
            if ends or any(isinstance(inner, ast.Break | ast.Return | ast.Raise) for inner in ast.walk(node)):
                lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


# ---- names and order -------------------------------------------------------------------------------------
def test_no_drawer_for_odds_and_ends() -> None:
    drawers = {"util", "utils", "helper", "helpers", "misc", "common"}
    findings = [str(path) for path in with_suffix(*CODE) if drawers & {*path.parts[:-1], path.stem}]
    _report(findings, "Name these for what they are about:")


def test_no_python_file_lies_in_a_source_root() -> None:
    findings = [str(path) for path in with_suffix(".py", under=SOURCE_ROOTS) if len(path.parts) == 2]
    _report(findings, "A source root holds one package and nothing else:")


def test_every_module_is_used() -> None:
    modules = {module_name(path): path for path in with_suffix(".py", under=SOURCE_ROOTS)}
    used = _entry_points() | PROMISED_FOR_TESTS
    for path in with_suffix(".py", under=(*SOURCE_ROOTS, "benchmarks")):
        used |= _mentioned_modules(path)
    programs = "\n".join(text(path) for path in [Path("Makefile"), *with_suffix(".mjs")])
    used |= {name for name in modules if name in programs}
    findings = [
        str(path)
        for name, path in modules.items()
        if path.stem not in {"__init__", "__main__"} and name not in used and "migrations" not in path.parts
    ]
    _report(findings, "Nothing imports these modules (tests do not count); use them or remove them:")


def _entry_points() -> set[str]:
    project = tomlkit.parse(text(Path("pyproject.toml"))).unwrap()["project"]
    targets = [*project["scripts"].values()]
    for group in project["entry-points"].values():
        targets += group.values()
    return {target.split(":")[0] for target in targets}


def _mentioned_modules(path: Path) -> set[str]:
    """Name what a file imports; a string such as "tapledger.lab.demo:demo" is a lazy import."""
    names: set[str] = set()
    package = module_name(path).split(".") if path.stem == "__init__" else module_name(path).split(".")[:-1]
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=module, names=aliases, level=level):
                start = package[: len(package) - level + 1] if level else []
                base = ".".join([*start, *([module] if module else [])])
                names |= {base, *(f"{base}.{alias.name}" for alias in aliases)}
            case ast.Constant(value=str() as value) if value.startswith("tapledger"):
                names.add(value.split(":")[0])
    return names


# ---- what must not be committed --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("needles", "rule"),
    [
        (REGISTRY_HOSTS, "Name no package registry's host; clients are configured on the machine:"),
        (MACHINE_PATHS, "Name no path of the machine this was written on:"),
    ],
    ids=["registry hosts", "machine paths"],
)
def test_no_committed_file_names(needles: list[str], rule: str) -> None:
    findings = []
    for path in files():
        content = (ROOT / path).read_bytes()
        findings += [f"{path}: {needle}" for needle in needles if needle.encode() in content]
    _report(findings, rule)


def test_ci_calls_exactly_make_test() -> None:
    lines = [line for line in text(Path(".ci/run")).splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "export CI=true", "exec make test"]
