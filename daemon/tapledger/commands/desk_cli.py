"""``tapledger desk`` and ``tapledger member``: parse, call, print."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapledger.commandline import AS_JSON, CONFIG, LANGUAGE, call, show

if TYPE_CHECKING:
    from tapledger.membership.desk.asking import Answer


def _give(config: Path, name: str, pairs: Iterable[str], language: str, as_json: bool) -> None:
    from msgspec import to_builtins

    from tapledger import settings
    from tapledger.commands import desk as command

    async def work() -> Answer:
        return await command.give(settings.read(config), name, pairs, language)

    answer = call(work(), as_json)
    show(as_json, to_builtins(answer), command.sentence(answer, language))


@click.command()
@click.argument("command", default="")
@click.argument("pairs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--list", "listed", is_flag=True, help="List the commands instead.")
@CONFIG
@LANGUAGE
@AS_JSON
def desk(
    command: str, pairs: tuple[str, ...], listed: bool, config: Path, language: str, as_json: bool
) -> None:
    """Give a command of docs/desk.md. One that records needs a shop whose daemon is stopped."""
    if command and not listed:
        _give(config, command, pairs, language, as_json)
        return
    from tapledger.commands import desk as commands
    from tapledger.membership.desk.registry import described

    show(as_json, {"commands": described()}, commands.table())


@click.group()
def member() -> None:
    """Look at one member, while the daemon may be running."""


@member.command("show")
@click.argument("who")
@CONFIG
@LANGUAGE
@AS_JSON
def member_show(who: str, config: Path, language: str, as_json: bool) -> None:
    """Show what a member has; WHO is a phone number, a member code, a card's number or a pseudonym."""
    _give(config, "show", [f"member={who}"], language, as_json)


@member.command("history")
@click.argument("who")
@click.option("--limit", type=int, default=20, show_default=True, help="How many events at most.")
@CONFIG
@LANGUAGE
@AS_JSON
def member_history(who: str, limit: int, config: Path, language: str, as_json: bool) -> None:
    """Show what happened to a member, the newest first."""
    _give(config, "history", [f"member={who}", f"limit={limit}"], language, as_json)
