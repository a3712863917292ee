"""The drill of ``test_high_availability``: primaries die and stall under load; what became of the writes?

Runs inside the namespace: ``python -m tests.faults.failover FOLDER`` prints one JSON object; FOLDER belongs
to the user that the servers run as.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.branches import DATABASE, EARNS, Branches, Office, found
from tests.faults.cluster import HOSTS, Cluster

WARM_UP = 200
"""Acknowledged events before something breaks."""
UNSENT = 100
"""Acknowledged events that no standby gets, in the control."""
COMMITTED_HERE_ONLY = "01000"
"""The notice on a commit that stopped waiting for its standby: it may be lost, so it does not count."""
IMPATIENT = "-c statement_timeout=5s"
"""For writes that may wait for ever; one that is cut short comes back with that notice."""
LOG_LINES_SHOWN = 15
LONGEST_S = 220.0
"""Who hangs longer says where, before the test that waits gives it up."""


def main(folder: Path) -> None:
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    cluster = Cluster(folder)
    started = time.monotonic()
    report: dict[str, Any] = {}
    try:
        cluster.start()
        report["up_s"] = _since(started)
        office = Office(folder, cluster)
        office.open()
        branches = Branches(office)
        branches.start()
        report["killed"] = kill(cluster, branches)
        report["paused"] = pause(cluster, branches)
        branches.stop()
        report["kept"] = kept(cluster, office, branches)
        report["control"] = control(cluster, office)
        office.close()
    except BaseException:
        traceback.print_exc()
        for log in sorted(folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            print(f"== {log.name}", *lines, sep="\n", file=sys.stderr)
        raise
    report["seconds"] = _since(started)
    print(json.dumps(report))


def kill(cluster: Cluster, branches: Branches) -> dict[str, Any]:
    """Kill the primary, see the writes come back, and take the dead host in again."""
    cluster.until(lambda: branches.acked >= WARM_UP, "no writes")
    old = _primary(cluster)
    cluster.kill(old)
    died = time.monotonic()
    back_s = _until_back(cluster, branches, died)
    cluster.start_patroni(old)
    again = time.monotonic()
    cluster.until(lambda: cluster.follows(old), f"{old} does not come back")
    rejoined_s = _since(again)
    cluster.until(cluster.in_step, "no standby in step")
    return {"writes_back_s": back_s, "other_primary": cluster.primary() != old, "rejoined_s": rejoined_s}


def pause(cluster: Cluster, branches: Branches) -> dict[str, Any]:
    """Stall the primary until another is in office, wake it, and push writes on it past the router."""
    old = _primary(cluster)
    acked: list[bool] = []
    with psycopg.connect(cluster.url(old), autocommit=True, options=IMPATIENT) as before:
        before.execute("CREATE TABLE fork (id int)")
        stalled = time.monotonic()
        frozen = cluster.freeze(old)
        queued = threading.Thread(target=lambda: acked.append(_writes(before)), daemon=True)
        queued.start()
        try:
            back_s = _until_back(cluster, branches, stalled)
        except AssertionError:
            cluster.thaw(frozen)  # or the write that waits there keeps this from being told
            raise
        patroni, *server = frozen
        cluster.thaw(server)
        cluster.until(lambda: cluster.holds_back(old), "the queued write is not tried")
        cluster.thaw([patroni])
        again = time.monotonic()

        def follows_after_a_push() -> bool:
            acked.append(_writes_past_router(cluster, old))
            return cluster.follows(old)

        cluster.until(follows_after_a_push, f"{old} does not come back")
        rejoined_s = _since(again)
        queued.join()
    cluster.until(cluster.in_step, "no standby in step")
    return {
        "writes_back_s": back_s,
        "other_primary": cluster.primary() != old,
        "tried_on_old": len(acked),
        "acked_by_old": sum(acked),
        "rewound": cluster.rewound(old),
        "rejoined_s": rejoined_s,
    }


def kept(cluster: Cluster, office: Office, branches: Branches) -> dict[str, Any]:
    """Hold the branches' chains against all three hosts, and their members against what they earned."""
    cluster.until(cluster.caught_up, "the standbys stay behind")
    there = {host: [found(one, cluster.url(host, DATABASE)) for one in branches.branches] for host in HOSTS}
    earned = office.credits([name for branch in branches.branches for name in branch.members])
    return {
        "acked": branches.acked,
        "lost": lost(branches, cluster.url(database=DATABASE)),
        "chains_whole": all(chain.is_whole for chains in there.values() for chain in chains),
        "different_contents": len({tuple(chains) for chains in there.values()}),
        "members": len(earned),
        "members_not_as_earned": len(earned) - earned.count(EARNS),
    }


def lost(branches: Branches, url: str) -> int:
    """Count the events that central has vouched for and that are not there."""
    return sum(max(0, one.acked - found(one, url).events) for one in branches.branches)


def control(cluster: Cluster, office: Office) -> dict[str, Any]:
    """Do it without synchronous mode: the log stays unsent for a moment before the primary is killed."""
    cluster.give_up_synchrony()
    branches = Branches(office)
    branches.start()
    cluster.until(lambda: branches.acked >= WARM_UP, "no writes")
    old = _primary(cluster)
    cluster.freeze_walsenders(old)
    sent = branches.acked
    cluster.until(lambda: branches.acked >= sent + UNSENT, "no writes without a standby")
    cluster.kill(old)
    branches.abandon()
    cluster.until(lambda: cluster.primary() not in (None, old), "no other primary")
    return {"acked": branches.acked, "lost": lost(branches, cluster.url(cluster.primary(), DATABASE))}


def _primary(cluster: Cluster) -> str:
    primary = cluster.primary()
    assert primary is not None
    return primary


def _until_back(cluster: Cluster, branches: Branches, moment_s: float) -> float:
    cluster.until(lambda: branches.back_after(moment_s) is not None, "the writes do not come back")
    back = branches.back_after(moment_s)
    assert back is not None
    return round(back - moment_s, 1)


def _writes_past_router(cluster: Cluster, host: str) -> bool:
    try:
        with psycopg.connect(cluster.url(host), autocommit=True, options=IMPATIENT) as connection:
            return _writes(connection)
    except psycopg.Error:
        return False


def _writes(connection: psycopg.Connection) -> bool:
    """Write one row; return whether the server vouched for it."""
    notices: list[str | None] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.sqlstate))
    try:
        connection.execute("INSERT INTO fork VALUES (1)")
    except psycopg.Error:
        return False
    return COMMITTED_HERE_ONLY not in notices


def _since(moment_s: float) -> float:
    return round(time.monotonic() - moment_s, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
