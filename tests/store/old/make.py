"""Makes the store of the newest schema that later releases must open: ``python -m tests.store.old.make``.

Run it once for each schema, with the release that has it; a folder that is there is never made again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tapledger.store import keyring
from tapledger.store.store import FILE_NAME
from tests.store.shops import EARPHONES, START, Bench, HandClock, card


@dataclass(frozen=True)
class Known:
    """What is in every one of them."""

    kinds: tuple[str, ...]
    member: str
    points: int
    until: dt.datetime


KNOWN = Known(
    kinds=("join", "sale", "hold", "sale"),
    member="019df237-3e80-75b1-a522-4a58b791f1d8",
    points=199,
    until=START + dt.timedelta(days=30),
)


async def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keyring.create(folder, keyring.make(bytes(range(keyring.RANDOMNESS))))
        bench = Bench(folder, HandClock())
        await bench.open()
        bench.shop.randomness = random.Random(1).randbytes
        member = await bench.join("Canary Wáng", card("C-1"), phone="13800138000")
        await bench.buy(member, EARPHONES)
        await bench.redeem(member)
        await bench.buy(None)
        schema = bench.rows("PRAGMA user_version")[0][0]
        await bench.close()
        print(f"schema {schema:04d}, member {member}, points {299 - 100}")
        made = target / f"{schema:04d}"
        made.mkdir()
        for file in (FILE_NAME, keyring.FILE_NAME):
            shutil.copyfile(folder / file, made / file)


if __name__ == "__main__":
    asyncio.run(main(Path(__file__).parent))
