"""Every command of the desk by its name, and the one place where a role is checked."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, get_origin, get_type_hints

import msgspec

from tapledger.errors import Denied, Invalid, NotFound
from tapledger.membership.desk import benefits, cards, looking, memberships, people, sales, value
from tapledger.membership.desk.asking import ROLES, Answer, Command, Request, Role, Staff
from tapledger.membership.shop import Shop

COMMANDS: Mapping[str, Command] = types.MappingProxyType(
    {
        one.name: one
        for room in (people, memberships, cards, benefits, sales, value, looking)
        for one in room.COMMANDS
    }
)


def role_of(staff_role: str) -> Role:
    """Return what a member of staff may do here; the owner may do all, and an unknown role the least."""
    if staff_role == "owner":
        return ROLES[-1]
    return next((role for role in ROLES if role == staff_role), ROLES[0])


def find(name: str) -> Command:
    """Return a command; raise ``NotFound``."""
    command = COMMANDS.get(name)
    if command is None:
        raise NotFound("DESK_COMMAND_UNKNOWN", command=name[:100])
    return command


def check(command: Command, role: Role) -> None:
    """Raise ``Denied`` for whom the command is not."""
    if ROLES.index(role) < ROLES.index(command.role):
        raise Denied("DESK_ROLE_MISSING", command=command.name)


def read_json(command: Command, body: bytes) -> Request:
    """Read a request; raise ``Invalid`` that says what is wrong with it."""
    try:
        return msgspec.json.decode(body, type=command.asks)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("DESK_REQUEST_INVALID", command=command.name, why=str(error)) from error


def read_words(command: Command, words: Mapping[str, str]) -> Request:
    """Read a request from texts, as a command line has them: lists by commas, or as JSON."""
    hints = get_type_hints(command.asks)
    table = {name: _value(word, is_list=get_origin(hints.get(name)) is tuple) for name, word in words.items()}
    try:
        return msgspec.convert(table, type=command.asks, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Invalid("DESK_REQUEST_INVALID", command=command.name, why=str(error)) from error


def _value(word: str, *, is_list: bool) -> object:
    if not is_list:
        return word
    if not word.startswith("["):
        return [one for one in word.split(",") if one]
    try:
        return msgspec.json.decode(word)
    except msgspec.DecodeError:
        return word


async def run(shop: Shop, command: Command, asked: Request, staff: Staff) -> Answer:
    """Give a command; raise ``Denied`` for whom it is not, and whatever its use case refuses."""
    check(command, staff.role)
    if not asked.key:
        asked = msgspec.structs.replace(asked, key=shop.new_id())
    return await command.run(shop, asked, staff)


def described() -> list[dict[str, Any]]:
    """Return every command as JSON can say it, with the schema of its request."""
    return [
        {
            "command": one.name,
            "role": one.role,
            "records": one.records,
            "does": one.does,
            "schema": msgspec.json.schema(one.asks),
        }
        for one in COMMANDS.values()
    ]
