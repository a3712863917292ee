"""A sale, committed durably, beside a bare commit of the very rows that it wrote."""

from __future__ import annotations

import itertools
import random
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher

from benchmarks.seeded_shop import SEED, SeededShop, basket
from tapledger.database import PRAGMAS, Transaction
from tapledger.membership.sale import record_sale
from tapledger.membership.shop import Shop
from tapledger.membership.slips import job_id
from tapledger.store import keys
from tapledger.store.journal import Recorded
from tapledger.store.store import FILE_NAME

WARM_UP = 20

_WRITES = (
    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
    "INSERT INTO operation VALUES (?, ?, ?, ?)",
    "UPDATE member SET state = ?, unsettled_points = ? WHERE no = ?",
    "INSERT INTO print_job VALUES ({})",
)


@dataclass(frozen=True, slots=True)
class SaleTimes:
    """Milliseconds; the n-th of both belong to the same sale."""

    sale_ms: list[float] = field(default_factory=list)
    commit_floor_ms: list[float] = field(default_factory=list)


async def measure(seeded: SeededShop, pairs: int) -> SaleTimes:
    """Time so many sales, and after each the raw commit of its rows to a twin of the shop's file."""
    folder = seeded.settings.store.folder
    twin = _open_twin(folder / FILE_NAME, folder / "twin.db")
    randomness = random.Random(SEED)
    times = SaleTimes()
    try:
        async with seeded.open() as shop:
            customers = itertools.cycle(seeded.customers)
            for number in range(WARM_UP + pairs):
                command = basket(shop, next(customers), randomness)
                began_s = time.perf_counter()
                recorded = await record_sale(shop, command)
                sold_s = time.perf_counter()
                rows = await _rows(shop, recorded)
                raw_s = time.perf_counter()
                _commit(twin, rows)
                ended_s = time.perf_counter()
                if number >= WARM_UP:
                    times.sale_ms.append((sold_s - began_s) * 1000)
                    times.commit_floor_ms.append((ended_s - raw_s) * 1000)
    finally:
        twin.close()
    return times


def _open_twin(shop_file: Path, path: Path) -> Any:
    """Copy the closed shop's file, so that the same rows meet the same trees on the same file system."""
    shutil.copyfile(shop_file, path)
    twin = sqlcipher.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        twin.execute(f"PRAGMA {pragma}").fetchall()
    return twin


async def _rows(shop: Shop, recorded: Recorded) -> list[tuple[object, ...]]:
    """Read back what a sale wrote, as the parameters of ``_WRITES``."""
    place = (recorded.event.epoch, recorded.event.seq)
    member = keys.of_uuid(recorded.event.body.member or "")

    def work(tx: Transaction) -> list[tuple[object, ...]]:
        queries: list[tuple[str, tuple[object, ...]]] = [
            ("SELECT * FROM event WHERE epoch = ? AND seq = ?", place),
            ("SELECT * FROM operation WHERE epoch = ? AND seq = ?", place),
            ("SELECT state, unsettled_points, no FROM member WHERE id = ?", (member,)),
            ("SELECT * FROM print_job WHERE id = ?", (job_id(recorded),)),
        ]
        return [tuple(tx.exec_driver_sql(query, values).one()) for query, values in queries]

    return await shop.store.transact(work)


def _commit(twin: Any, rows: list[tuple[object, ...]]) -> None:
    twin.execute("BEGIN IMMEDIATE")
    for statement, row in zip(_WRITES, rows, strict=True):
        twin.execute(statement.format(", ".join("?" * len(row))), row)
    twin.execute("COMMIT")
