"""Central's database on three hosts, as ``config/ha`` has it: the primary dies, stalls, is replaced."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import PostgresMissing, bin_folder, own_folder

pytestmark = pytest.mark.alone
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("etcd", "patroni", "haproxy", "unshare", "setpriv")
DRILL_TIMEOUT_S = 240.0
WRITES_BACK_MAX_S = 15.0

NAMESPACE = [
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "-n", "-p", "-f", "--kill-child", "--mount-proc"),
]
"""All that runs inside dies with the command, and the command with this process."""
FOR_NOBODY_SPECIAL = ["-U", "--map-current-user", "--keep-caps"]
IN_NAMESPACE = ["sh", "-c", 'ip link set lo up; "$@"; exit $?', "sh"]
"""The shell stays as PID 1: Patroni hangs where nobody reaps the processes it left."""


def _missing(why: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def _namespace() -> list[str]:
    """Return the words that run a command in a network and a process namespace of its own."""
    words = NAMESPACE if os.geteuid() == 0 else [*NAMESPACE, *FOR_NOBODY_SPECIAL]
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if absent := [name for name in PROGRAMS if shutil.which(name, path=path) is None]:
        _missing(f"not installed: {', '.join(absent)}")
    try:
        bin_folder()
    except PostgresMissing as missing:
        _missing(str(missing))
    tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        _missing(f"this machine gives no namespaces: {tried.stderr.strip()}")
    return [*words, *IN_NAMESPACE]


def test_a_lost_primary_costs_seconds_and_no_acknowledged_event(capsys: pytest.CaptureFixture[str]) -> None:
    command = [*_namespace(), sys.executable, "-m", "tests.faults.failover"]
    folder = own_folder("tapledger-ha-")
    try:
        drill = subprocess.run(
            [*command, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=DRILL_TIMEOUT_S,
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert drill.returncode == 0, drill.stderr
    report = json.loads(drill.stdout)
    with capsys.disabled():
        print(f"\nhigh availability: {drill.stdout.strip()}")
    for way in ("killed", "paused"):
        assert report[way]["other_primary"]
        assert report[way]["writes_back_s"] < WRITES_BACK_MAX_S
    kept = report["kept"]
    assert kept["acked"] > 0
    assert kept["lost"] == 0
    assert kept["chains_whole"]
    assert kept["different_contents"] == 1, "the hosts have forked"
    assert (kept["members"] > 0, kept["members_not_as_earned"]) == (True, 0), "an event is missing or doubled"
    assert report["paused"]["rewound"]
    assert report["paused"]["tried_on_old"] > 1
    assert report["paused"]["acked_by_old"] == 0
    assert report["control"]["lost"] > 0, "without synchronous mode something must get lost"
