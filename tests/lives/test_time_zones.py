"""P11: where the machine thinks it is changes nothing; what the programme says of the zone does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMMES = ("Asia/Shanghai", "America/Los_Angeles", "Africa/Cairo")
MACHINES = ("Pacific/Kiritimati", "America/Noronha", "UTC")
TIMEOUT_S = 120


def test_P11_the_same_life_leaves_the_same_ledger_on_machines_of_three_zones() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.lives.ledger", "11", *PROGRAMMES],
            env={**os.environ, "TZ": machine},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for machine in MACHINES
    ]
    said = [one.communicate(timeout=TIMEOUT_S)[0] for one in running]
    assert [one.returncode for one in running] == [0] * len(MACHINES)
    first = said[0].splitlines()
    assert len(first) > 20 * len(PROGRAMMES)
    for machine, other in zip(MACHINES, said, strict=True):
        assert other.splitlines() == first, f"the ledger is another one on a machine in {machine}"
    of_zone = {zone: [line.split()[1] for line in first if line.startswith(zone)] for zone in PROGRAMMES}
    assert len({tuple(events) for events in of_zone.values()}) == len(PROGRAMMES)
