"""``tapledger record`` and ``tapledger replay``: parse, call, print (docs/cassettes.md)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from tapledger.commandline import AS_JSON, CONFIG, call, show

DIFFERENT = 1


@click.command()
@click.argument("role")
@click.option("--seconds", type=click.FloatRange(0.1, 3600), default=30, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="By default ROLE.jsonl.")
@CONFIG
@AS_JSON
def record(role: str, seconds: float, out: Path | None, config: Path, as_json: bool) -> None:
    """Record a device of the running daemon: do meanwhile what goes wrong. Ctrl-C ends it early, and the file
    is written. No card number is in it."""
    from tapledger import settings
    from tapledger.commands import recording

    if not as_json:
        click.echo(f"Recording {role} for {seconds:g} s …")
    file = out or Path(f"{role}.jsonl")

    async def work() -> recording.Recorded:
        return await recording.record(settings.read(config), role, lambda: asyncio.sleep(seconds), file)

    done = call(work(), as_json)
    show(
        as_json,
        {"file": str(done.file), "frames": done.frames, "pseudonyms": done.pseudonyms, "model": done.model},
        f"{done.file}: {done.frames} lines of {done.model or role}, {done.pseudonyms} numbers replaced.",
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--lenient", is_flag=True, help="Look answers up by what was sent, whatever the order.")
@AS_JSON
def replay(file: Path, lenient: bool, as_json: bool) -> None:
    """Run a recording through its driver without the device. Exit code 1 when it comes out otherwise."""
    from tapledger.devices import cassettes

    # A replay has a loop of its own, with its own time.
    replayed = call(asyncio.to_thread(cassettes.play, file, strict=not lenient), as_json)
    sentence = (
        f"{len(replayed.outcomes)} outcomes, all as recorded." if replayed.same else replayed.difference()
    )
    told = {"same": replayed.same, "outcomes": replayed.outcomes, "difference": replayed.difference()}
    show(as_json, told, sentence)
    sys.exit(0 if replayed.same else DIFFERENT)
