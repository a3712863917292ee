"""``tapledger demo`` and ``smoke`` as a newcomer starts them: real processes, nothing left behind."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tapledger.lab import smoke
from tapledger.store import keyring
from tapledger_drivers.emulators.reader_station import ReaderStation, StationUnavailable

TAPLEDGER = [sys.executable, "-c", "from tapledger.cli import main; main()"]
LOOPBACK = "0100007F"
LISTENING = "0A"
PATIENCE_S = 20.0
REFUSED_S = 60.0


def command(folder: Path, central_port: int = 0) -> list[str]:
    ports = [str(central_port), "0", "0"]
    return [*TAPLEDGER, "demo", "--folder", str(folder), "--ports", *ports, "--json"]


@contextmanager
def demo(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    """Run the demo on free ports until the end of the context, and give what it announced."""
    with subprocess.Popen(command(folder), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            if process.poll() is None:
                process.kill()


def descendants(pid: int) -> set[int]:
    """Return the processes that a process started, and theirs."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found |= {int(entry.name), *descendants(int(entry.name))}
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_until_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while alive(pids):
        assert time.monotonic() < deadline, f"still running: {alive(pids)}"
        time.sleep(0.05)


def listening_addresses(pids: set[int]) -> set[str]:
    """Return the addresses on which processes listen in this machine's own network."""
    inodes = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile, and listens nowhere
            for link in list(Path(f"/proc/{pid}/fd").iterdir()):
                with contextlib.suppress(OSError):
                    target = str(link.readlink())
                    if target.startswith("socket:["):
                        inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                found.add(fields[1].rpartition(":")[0])
    return found


def test_ctrl_c_stops_everything_and_the_second_start_knows_the_first(tmp_path: Path) -> None:
    nodes = []
    for _ in range(2):
        with demo(tmp_path) as (process, faces):
            assert set(faces) == {"central", "shop-a", "shop-b"}
            children = descendants(process.pid)
            assert len(children) >= 3
            assert listening_addresses({process.pid, *children}) == {LOOPBACK}
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
            wait_until_gone(children)
        nodes.append(keyring.load(tmp_path / "shop-a").node)
    assert nodes[0] == nodes[1]
    for shop in ("shop-a", "shop-b"):
        program = tmp_path / shop / "program.toml"
        assert subprocess.run([*TAPLEDGER, "program", "lint", str(program)]).returncode == 0
        offers = tomllib.loads(program.read_text(encoding="utf-8"))
        assert {"points_as_cash", "stored_value", "coupons"} <= offers.keys()


def test_nothing_survives_a_demo_that_is_killed(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, _):
        children = descendants(process.pid)
        process.kill()
        process.wait()
        wait_until_gone(children)


def refused(folder: Path, central_port: int = 0) -> dict[str, str]:
    """Start a demo that cannot run, and return what it says."""
    done = subprocess.run(
        command(folder, central_port), capture_output=True, text=True, timeout=REFUSED_S, check=False
    )
    assert done.returncode == 2, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said


def test_a_second_demo_in_a_folder_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    written = ("benches.json", "central.toml", "shop-a/daemon.toml", "shop-b/daemon.toml")
    with demo(tmp_path) as (process, _):
        before = [(tmp_path / name).read_bytes() for name in written]
        assert refused(tmp_path)["code"] == "DEMO_RUNS"
        assert [(tmp_path / name).read_bytes() for name in written] == before
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def test_a_port_that_another_program_has_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = refused(tmp_path, other.getsockname()[1])
    assert said["code"] == "LAB_NOT_STARTED"
    assert said["sentence"].startswith("central ")
    assert str(tmp_path / "log" / "central.log") in said["next_step"]
    assert "PORT_TAKEN" in (tmp_path / "log" / "central.log").read_text(encoding="utf-8")
    assert not (tmp_path / "benches.json").exists()


def test_smoke_prints_one_json_object_in_which_every_step_holds() -> None:
    done = subprocess.run([*TAPLEDGER, "smoke"], capture_output=True, text=True, timeout=60, check=False)
    result = json.loads(done.stdout)
    assert done.returncode == 0, result
    assert result["ok"] is True
    assert list(result["steps"]) == ["tap", "redemption", "sale", "receipt", "sync"]
    assert all(step["ok"] and step["ms"] >= 0 for step in result["steps"].values())


async def test_without_pcscd_the_readers_are_simulated_and_the_path_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unavailable(directory: Path, readers: int = 2) -> ReaderStation:
        raise StationUnavailable("pcscd_missing", "Install pcscd.")

    monkeypatch.setattr(ReaderStation, "start", unavailable)
    result = await smoke.run()
    assert result["readers"] == "simulated"
    assert result["ok"], result
