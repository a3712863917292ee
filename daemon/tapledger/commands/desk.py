"""What ``tapledger desk`` and ``tapledger member`` do: the commands of the desk, given by a technician."""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from tapledger import texts
from tapledger.app import open_shop
from tapledger.clock import Clock, SystemClock
from tapledger.commands import looking
from tapledger.errors import Invalid, Unavailable
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership.desk import registry
from tapledger.membership.desk.asking import ROLES, Answer, Command, Staff
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.settings import Settings

TECHNICIAN = ROLES[-1]


def words(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``name=value`` texts; raise ``Invalid`` for another one, a name that comes twice, or no UTF-8."""
    table: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        readable = pair.encode("utf-8", "replace").decode()
        if not equals or not name or name in table or pair != readable:
            raise Invalid("DESK_WORD_INVALID", word=readable[:100])
        table[name] = value
    return table


async def give(settings: Settings, name: str, pairs: Iterable[str], language: str) -> Answer:
    """Give one command. One that only looks does so beside a running daemon; another raises ``Unavailable``
    then, and changes nothing."""
    command, clock = registry.find(name), SystemClock()
    asked = registry.read_words(command, words(pairs))
    staff = Staff(TECHNICIAN, TECHNICIAN, language, Throttle(clock))
    shop = await _open(settings, command, clock)
    try:
        return await registry.run(shop, command, asked, staff)
    finally:
        await shop.store.close()


async def _open(settings: Settings, command: Command, clock: Clock) -> Shop:
    if not command.records:
        return await _look(settings, clock)
    try:
        return await open_shop(settings, clock, os.urandom)
    except Unavailable as error:
        if error.code != "STORE_IN_USE":
            raise
        raise Unavailable("DESK_DAEMON_RUNS", command=command.name) from error


async def _look(settings: Settings, clock: Clock) -> Shop:
    """Return a shop that only looks, with the version of the programme that counts now."""
    written, now = looking.written_program(settings), clock.now()
    store = await looking.open_store(settings)
    try:
        program = await store.transact(lambda tx: looking.counting(tx, written, now))
    except BaseException:
        await store.close()
        raise
    shop = settings.shop
    return Shop(store, program, Catalogue({}), clock, os.urandom, shop.name, shop.language)


def table() -> str:
    """List every command with who may give it and what it does."""
    width = max(map(len, registry.COMMANDS))
    return "\n".join(f"{one.name:{width}}  {one.role:10}  {one.does}" for one in registry.COMMANDS.values())


def sentence(answer: Answer, language: str) -> str:
    """Say an answer: what was recorded, why, and every value in a line of its own."""
    lines = []
    if answer.receipt:
        lines.append(
            texts.say(language, "desk.repeated", receipt=answer.receipt)
            if answer.replayed
            else texts.say(language, "desk.recorded", receipt=answer.receipt)
        )
    lines += answer.says
    lines += [f"{name}: {_plain(value)}" for name, value in answer.values.items()]
    return "\n".join(lines)


def _plain(value: object) -> str:
    """Write a value on one line, a row of a list on its own."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "".join("\n  " + msgspec.json.encode(row).decode() for row in value)
    return msgspec.json.encode(value).decode()
