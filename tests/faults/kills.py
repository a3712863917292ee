"""Shops that are killed while they sell, one after the other on the same disk.

``python -m tests.faults.kills FOLDER KILLS SEED TWIN`` prints one JSON object: ``kills``, ``told`` (events
that somebody was told of) and ``wrong``, what was found after which kill. A twin of
``tests.faults.power.writer``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
from functools import partial
from itertools import count
from pathlib import Path

from tapledger.database import Transaction
from tapledger.store import history
from tests.faults.power import writer
from tests.faults.power.found import Found, Promise, look
from tests.faults.power.trace import ACK_TO
from tests.store.shops import Bench, HandClock, card

KILLS_A_SHOP = 25
"""Then another shop begins: looking at all of one takes longer the more it holds."""
MAX_TOLD = 6
MAX_PAUSE_S = 0.004
"""How long after the last word it is killed at most; a sale takes about as long."""


async def sell_for_ever(folder: Path) -> None:
    bench = Bench(folder, HandClock())
    await bench.open()

    def everybody(tx: Transaction) -> list[str]:
        return list(history.members_after(tx, "", writer.MEMBERS))

    people = await bench.shop.store.transact(everybody)
    while len(people) < writer.MEMBERS:
        people.append(await bench.join("Ann", card(bench.key())))
    for number in count():
        member = people[number % writer.MEMBERS]
        if number % 4 == 3 and await bench.points(member) >= 100:
            writer.told((await bench.redeem(member)).recorded)
        else:
            writer.told(await bench.buy(member, count=20))


def kill_one(folder: Path, chance: random.Random) -> list[Promise]:
    """Let a shop sell and kill it at some moment; return what it had told."""
    listening, telling = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(telling, ACK_TO)
        asyncio.run(sell_for_ever(folder))
    os.close(telling)
    enough, heard = chance.randint(0, MAX_TOLD), b""
    while heard.count(b"\n") < enough:
        more = os.read(listening, 65536)
        assert more, "the shop ended by itself"
        heard += more
    select.select([listening], [], [], chance.random() * MAX_PAUSE_S)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(listening, 65536):
        heard += more
    os.close(listening)
    return [Promise.read(line.partition(" ")[2]) for line in heard.decode().splitlines()]


def kill(folder: Path, kills: int, seed: int) -> dict[str, object]:
    chance, promise, told = random.Random(seed), Promise(), 0
    for number in range(kills):
        shop = folder / str(number // KILLS_A_SHOP)
        if number % KILLS_A_SHOP == 0:
            promise = Promise()
        promises = kill_one(shop, chance)
        told += len(promises)
        promise = max([promise, *promises], key=lambda one: one.seq)
        found = asyncio.run(look(shop, promise))
        if found is not Found.WHOLE:
            return {"kills": number + 1, "told": told, "wrong": found}
    return {"kills": kills, "told": told, "wrong": ""}


if __name__ == "__main__":
    writer.told = partial(writer.tell, 0)
    writer.TWINS[sys.argv[4]]()
    print(json.dumps(kill(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
