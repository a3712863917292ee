"""Setting up: it says what it does, does nothing twice, and never leaves out what CI needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import progress
import system_packages

ROOT = Path(__file__).resolve().parents[2]
CLONE_TIMEOUT_S = 1200


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the tools a folder of their own for stamps and logs."""
    folder = tmp_path / ".prepared"
    monkeypatch.setattr(progress, "STATE", folder)
    monkeypatch.setattr(progress, "ROOT", tmp_path)
    return folder


# ---- without apt and root --------------------------------------------------------------------------------
def _machine_without_apt(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the tools, and a PATH on which there is Python and nothing else."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(sys.executable)
    return tmp_path / "tools" / "prepare.py", {"PATH": str(programs)}


def test_ci_stops_when_a_system_package_cannot_be_had(tmp_path: Path) -> None:
    script, env = _machine_without_apt(tmp_path)
    command = [sys.executable, str(script), "test", "--json"]
    answer = subprocess.run(command, env={**env, "CI": "true"}, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    failure = json.loads(answer.stdout)["failure"]
    assert "no card reader works" in failure
    assert "sudo apt-get install --no-install-recommends pcscd" in failure
    assert failure in answer.stderr


def test_a_person_is_told_what_it_costs_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    shown = progress.Progress()
    system_packages.install_missing(shown, (), required=True)
    shown.current("system packages", "Not installed: chromium. Until then: no browser tests.")
    assert capsys.readouterr().err == "  ! Not installed: chromium. Until then: no browser tests.\n"
    assert [report.state for report in shown.reports] == ["current", "skipped"]


def test_every_package_has_its_cost() -> None:
    assert set(system_packages.FOR_TEST) == set(system_packages.COSTS)
    assert set(system_packages.FOR_RUN) < set(system_packages.FOR_TEST)


def test_missing_packages_are_found() -> None:
    assert system_packages.missing_packages(("dpkg", "no-such-package-here")) == ["no-such-package-here"]


# ---- steps -----------------------------------------------------------------------------------------------
def test_a_stamp_holds_until_a_source_changes(state: Path) -> None:
    source = state.parent / "package.json"
    source.write_text("{}")
    stamp = progress.Stamp("modules")
    assert not stamp.matches(progress.fingerprint([source]))
    stamp.write(progress.fingerprint([source]), "something is left out")
    assert progress.Stamp("modules").matches(progress.fingerprint([source]))
    assert progress.Stamp("modules").sentence == "something is left out"
    source.write_text("{ }")
    assert not stamp.matches(progress.fingerprint([source]))


def test_a_torn_stamp_means_do_it_again(state: Path) -> None:
    state.mkdir()
    (state / "modules.stamp").write_text('{"key": "abc')
    assert not progress.Stamp("modules").matches("abc")


def test_a_new_file_changes_the_fingerprint_but_built_files_do_not(state: Path) -> None:
    folder = state.parent / "ui"
    (folder / "dist").mkdir(parents=True)
    before = progress.fingerprint([folder])
    (folder / "dist" / "kiosk.html").write_text("built")
    assert progress.fingerprint([folder]) == before
    (folder / "main.tsx").write_text("")
    assert progress.fingerprint([folder]) != before


def test_a_failed_command_shows_the_end_of_its_log(state: Path) -> None:
    with pytest.raises(progress.StepFailed, match="It did not work") as caught:
        progress.run(
            [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"],
            log="step", timeout_s=60, failure="It did not work", cwd=state.parent,
        )  # fmt: skip
    assert "the reason" in caught.value.log_tail()


def test_a_command_that_does_not_end_is_ended_with_all_it_started(state: Path) -> None:
    with pytest.raises(progress.StepFailed, match="no end after"):
        progress.run(
            ["sh", "-c", "echo $$; sleep 600 & echo $!; wait"],
            log="step", timeout_s=2, failure="It hung", cwd=state.parent,
        )  # fmt: skip
    pids = (state / "step.log").read_text().splitlines()[1:]
    assert len(pids) == 2
    deadline = time.monotonic() + 30
    while not all(_is_gone(int(pid)) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.01)


def _is_gone(pid: int) -> bool:
    """Tell whether a process has ended; a zombie has, whoever is to collect it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


# ---- the whole of it -------------------------------------------------------------------------------------
@pytest.mark.long
def test_a_fresh_clone_is_set_up_once(tmp_path: Path) -> None:
    """Set up a fresh clone with the system's Python; the second time nothing is done."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True, timeout=CLONE_TIMEOUT_S)
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
    command = [python, "tools/prepare.py", "run", "--json"]
    first, second = (_prepare(command, clone) for _ in range(2))
    assert {step["state"] for step in first["steps"]} == {"current", "done"}
    assert {step["state"] for step in second["steps"]} == {"current"}
    assert (clone / "kiosk_ui" / "dist" / "kiosk.html").is_file()
    subprocess.run([clone / ".venv/bin/tapledger", "--help"], check=True, capture_output=True, timeout=60)


def _prepare(command: list[str], clone: Path) -> dict[str, list[dict[str, str]]]:
    answer = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=CLONE_TIMEOUT_S)
    assert answer.returncode == 0, answer.stderr
    report: dict[str, list[dict[str, str]]] = json.loads(answer.stdout)
    return report
