"""The committed tree as the style tests see it: what git tracks, and what it would track if added now."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE_ROOTS = ("daemon", "drivers", "central")


@cache
def files() -> tuple[Path, ...]:
    """List every file that is committed or new, and not ignored, as paths relative to the root."""
    answer = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    names = sorted(set(answer.stdout.split("\0")) - {""})
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def with_suffix(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """List the files with one of these suffixes, below one of the top folders ``under`` if any are given."""
    return [path for path in files() if path.suffix in suffixes and (not under or path.parts[0] in under)]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), filename=str(path))


def module_name(path: Path) -> str:
    """Name the module that a file below a source root defines: daemon/tapledger/cli.py is tapledger.cli."""
    parts = path.with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
