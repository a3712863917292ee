"""The unit file: systemd reads it without a word, and the daemon runs with few rights."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "systemd" / "tapledger.service"
SYSUSERS = ROOT / "systemd" / "tapledger.sysusers"

INSTALLED_COMMAND = "/opt/tapledger/bin/tapledger"
EXPOSURE_MAX_TENTHS = 20


def _verify(unit: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60
    )


def _on_this_machine(folder: Path, content: str) -> Path:
    """Copy the unit with a program that exists here: verify complains about a missing ExecStart."""
    assert INSTALLED_COMMAND in content
    copy = folder / UNIT.name
    copy.write_text(content.replace(INSTALLED_COMMAND, "/bin/true"))
    return copy


def test_systemd_accepts_the_unit_without_a_word(tmp_path: Path) -> None:
    answer = _verify(_on_this_machine(tmp_path, UNIT.read_text()))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_an_unknown_key_would_be_noticed(tmp_path: Path) -> None:
    """verify exits 0 for an unknown key and only says so on stderr: the test above must look there."""
    broken = UNIT.read_text().replace("NoNewPrivileges=", "NoNewPrivilege=")
    answer = _verify(_on_this_machine(tmp_path, broken))
    assert "NoNewPrivilege" in answer.stderr


def test_the_unit_is_hardened() -> None:
    threshold = f"--threshold={EXPOSURE_MAX_TENTHS}"
    answer = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", threshold, str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stdout


def test_the_account_of_the_unit_is_created(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", str(SYSUSERS)], check=True, timeout=60)
    accounts = [line.split(":")[0] for line in (tmp_path / "etc" / "passwd").read_text().splitlines()]
    assert "User=tapledger\n" in UNIT.read_text()
    assert "tapledger" in accounts
