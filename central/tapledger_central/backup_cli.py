"""``tapledger central backup``, ``restore`` and ``restored``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tapledger.commandline import AS_JSON, call, show
from tapledger_central import operating

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
AGAIN = "Shops read everything again and send what central lacks."


@click.command()
@FILE
@operating.CONFIG
@AS_JSON
def backup(file: Path, config: Path, as_json: bool) -> None:
    """Write central's SQLite file to another and verify it; central may be running."""

    async def work() -> dict[str, str | int]:
        import asyncio

        from tapledger_central import backing_up, settings

        held = await asyncio.to_thread(backing_up.back_up, settings.load(config), file)
        return {"file": str(file), "nodes": held.nodes, "events": held.events}

    told = call(work(), as_json)
    keys = "central.keys is not in it: keep a copy of that file apart."
    show(as_json, told, f"{told['events']} events of {told['nodes']} nodes are in {file}.\n{keys}")


@click.command()
@FILE
@click.option("--dry-run", is_flag=True, help="Only say what it holds and what is here.")
@operating.CONFIG
@AS_JSON
def restore(file: Path, dry_run: bool, config: Path, as_json: bool) -> None:
    """Bring a SQLite backup back while central is stopped. The present file is kept aside."""

    async def work() -> dict[str, object]:
        import asyncio

        from tapledger.clock import SystemClock
        from tapledger_central import backing_up, settings

        read = settings.load(config)
        held, here = await asyncio.to_thread(backing_up.plan_restore, read, file)
        told: dict[str, object] = {
            "dry_run": dry_run,
            "held": asdict(held),
            "here": None if here is None else asdict(here),
        }
        if dry_run:
            return told
        _, aside = await asyncio.to_thread(backing_up.restore, read, file, SystemClock())
        return {**told, "aside": None if aside is None else str(aside)}

    told = call(work(), as_json)
    done = "Nothing was changed." if dry_run else f"Restored; the old file is {told['aside']}. {AGAIN}"
    show(as_json, told, f"The backup holds {told['held']}; here is {told['here']}.\n{done}")


@click.command("restored")
@operating.CONFIG
@AS_JSON
def mark_restored(config: Path, as_json: bool) -> None:
    """Say that PostgreSQL was put back to an earlier time; run it before central serves again."""

    async def work() -> int:
        from tapledger_central.store import restored

        async with operating.office(config) as central:
            now = central.clock.now()
            return await central.store.transact(lambda tx: restored.begin_feed_again(tx, now))

    scopes = call(work(), as_json)
    show(as_json, {"scopes": scopes}, AGAIN)
