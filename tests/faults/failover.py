"""The drill of ``test_high_availability``: primaries die and stall under load; what became of the writes?

Runs inside the namespace: ``python -m tests.faults.failover FOLDER`` prints one JSON object; FOLDER belongs
to the user that the servers run as.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.faults.bank import Bank, acknowledged
from tests.faults.cluster import HOSTS, Cluster

WARM_UP = 200
"""Acknowledged writes before something breaks."""
UNSENT = 100
"""Acknowledged writes that no standby gets, in the control."""
LOG_LINES_SHOWN = 15


def main(folder: Path) -> None:
    cluster = Cluster(folder)
    started = time.monotonic()
    report: dict[str, Any] = {}
    try:
        cluster.start()
        report["up_s"] = _since(started)
        bank = Bank(cluster.url())
        bank.start()
        report["killed"] = kill(cluster, bank)
        report["paused"] = pause(cluster, bank)
        bank.stop()
        report["kept"] = kept(cluster, bank)
        report["control"] = control(cluster)
    except BaseException:
        traceback.print_exc()
        for log in sorted(folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            print(f"== {log.name}", *lines, sep="\n", file=sys.stderr)
        raise
    report["seconds"] = _since(started)
    print(json.dumps(report))


def kill(cluster: Cluster, bank: Bank) -> dict[str, Any]:
    """Kill the primary, see the writes come back, and take the dead host in again."""
    cluster.until(lambda: len(bank.acks) >= WARM_UP, "no writes")
    old = _primary(cluster)
    cluster.kill(old)
    died = time.monotonic()
    back_s = _until_back(cluster, bank, died)
    cluster.start_patroni(old)
    again = time.monotonic()
    cluster.until(lambda: cluster.follows(old), f"{old} does not come back")
    rejoined_s = _since(again)
    cluster.until(cluster.in_step, "no standby in step")
    return {"writes_back_s": back_s, "other_primary": cluster.primary() != old, "rejoined_s": rejoined_s}


def pause(cluster: Cluster, bank: Bank) -> dict[str, Any]:
    """Stall the primary until another is in office, wake it, and push writes on it past the router."""
    old = _primary(cluster)
    acked: list[bool] = []
    with psycopg.connect(cluster.url(old), autocommit=True) as before:
        before.execute("CREATE TABLE fork (id int)")
        frozen = cluster.freeze(old)
        stalled = time.monotonic()
        queued = threading.Thread(target=lambda: acked.append(_writes(before)), daemon=True)
        queued.start()
        back_s = _until_back(cluster, bank, stalled)
        cluster.thaw(frozen)
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


def kept(cluster: Cluster, bank: Bank) -> dict[str, Any]:
    """Count what is missing of what was acknowledged, and compare the three hosts."""
    cluster.until(cluster.caught_up, "the standbys stay behind")
    contents = {bank.contents(cluster.url(host)) for host in HOSTS}
    return {"acked": len(bank.acks), "lost": bank.lost(cluster.url()), "different_contents": len(contents)}


def control(cluster: Cluster) -> dict[str, Any]:
    """Do it without synchronous mode: the log stays unsent for a moment before the primary is killed."""
    cluster.set_synchronous(False)
    bank = Bank(cluster.url(), table="control")
    bank.start()
    cluster.until(lambda: len(bank.acks) >= WARM_UP, "no writes")
    old = _primary(cluster)
    cluster.freeze_walsenders(old)
    sent = len(bank.acks)
    cluster.until(lambda: len(bank.acks) >= sent + UNSENT, "no writes without a standby")
    cluster.kill(old)
    bank.stop()
    cluster.until(lambda: cluster.primary() not in (None, old), "no other primary")
    return {"acked": len(bank.acks), "lost": bank.lost(cluster.url(cluster.primary()))}


def _primary(cluster: Cluster) -> str:
    primary = cluster.primary()
    assert primary is not None
    return primary


def _until_back(cluster: Cluster, bank: Bank, moment_s: float) -> float:
    cluster.until(lambda: bank.back_after(moment_s) is not None, "the writes do not come back")
    back = bank.back_after(moment_s)
    assert back is not None
    return round(back - moment_s, 1)


def _writes_past_router(cluster: Cluster, host: str) -> bool:
    try:
        with psycopg.connect(cluster.url(host), autocommit=True) as connection:
            return _writes(connection)
    except psycopg.Error:
        return False


def _writes(connection: psycopg.Connection) -> bool:
    try:
        return acknowledged(connection, sql.SQL("INSERT INTO fork VALUES (%s)"), [1])
    except psycopg.Error:
        return False


def _since(moment_s: float) -> float:
    return round(time.monotonic() - moment_s, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
