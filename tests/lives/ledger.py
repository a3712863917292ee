"""Live a seeded life and print every event it recorded: run in processes of several time zones (P11)."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.lives.life import Life
from tests.lives.steps import ACTIONS, do
from tests.lives.till import Step

LENGTH = 50


def seeded(seed: int, length: int) -> Iterator[Step]:
    """Yield the steps of a life; the same seed is the same life."""
    chosen = random.Random(seed)
    for _ in range(length):
        what = chosen.choice(sorted(ACTIONS))
        yield Step(what, *(chosen.randrange(1000) for _ in "abc"))


async def ledger(folder: Path, seed: int, timezone: str) -> list[str]:
    """Return the raw bytes of each event of a life, in hex."""
    lived = Life(folder, f"seed-{seed}", timezone=timezone)
    try:
        await lived.open()
        for step in seeded(seed, LENGTH):
            await do(lived, step)
        (place,) = lived.places
        query = "SELECT raw FROM event ORDER BY epoch, seq"
        return await place.shop.store.transact(
            lambda tx: [bytes(raw).hex() for (raw,) in tx.exec_driver_sql(query)]
        )
    finally:
        await lived.close()


def main(seed: int, timezones: list[str]) -> None:
    for number, timezone in enumerate(timezones):
        with tempfile.TemporaryDirectory() as folder:
            for raw in asyncio.run(ledger(Path(folder) / str(number), seed, timezone)):
                print(timezone, raw)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
