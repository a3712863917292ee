"""``tapledger backup`` and ``tapledger restore``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapledger.commandline import AS_JSON, CONFIG, call, show

if TYPE_CHECKING:
    from tapledger.commands.backing_up import Plan
    from tapledger.store.backups import Held

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@FILE
@CONFIG
@AS_JSON
def backup(file: Path, config: Path, as_json: bool) -> None:
    """Write the shop's ledger to one file and verify it; the daemon may be running."""
    from tapledger import settings
    from tapledger.clock import SystemClock
    from tapledger.commands import backing_up

    async def work() -> Held:
        return await backing_up.back_up(settings.read(config), file, SystemClock())

    held = call(work(), as_json)
    told = {"file": str(file), "bytes": file.stat().st_size, **backing_up.told(held)}
    keys = "The keys are not in it: keep a copy of them apart (docs/settings.md, Backups)."
    show(as_json, told, f"{backing_up.sentence(held)}\n{keys}")


@click.command()
@FILE
@click.option("--dry-run", is_flag=True, help="Only say what it holds and what would be lost.")
@CONFIG
@AS_JSON
def restore(file: Path, dry_run: bool, config: Path, as_json: bool) -> None:
    """Bring a backup of the shop back; its daemon is stopped. What is here now is kept aside."""
    from tapledger import settings
    from tapledger.clock import SystemClock
    from tapledger.commands import backing_up

    async def work() -> Plan:
        do = backing_up.plan_restore if dry_run else backing_up.restore
        return await do(settings.read(config), file, SystemClock())

    plan = call(work(), as_json)
    show(as_json, {"dry_run": dry_run, **plan.as_dict()}, plan.sentences(is_done=not dry_run))
