"""docs/adding-a-driver.md, followed from scratch: its files in an empty folder pass the contract suite."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-driver.md"
FILE = re.compile(r"^`(?P<name>\w+\.py)`:\n\n```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CONFIGURATION = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
SUITE_TIMEOUT_S = 120


def test_the_page_makes_a_driver_that_passes(tmp_path: Path) -> None:
    files = {match["name"]: match["text"] for match in FILE.finditer(PAGE.read_text(encoding="utf-8"))}
    assert set(files) == {"toy_scanner.py", "test_toy_scanner.py"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(CONFIGURATION, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SUITE_TIMEOUT_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\b1\d passed", run.stdout), run.stdout
    assert "skipped" not in run.stdout


def test_the_driver_of_the_page_is_small() -> None:
    text = next(m["text"] for m in FILE.finditer(PAGE.read_text(encoding="utf-8")) if "Scanner:" in m["text"])
    assert len(text.splitlines()) < 80
