"""``tapledger central program``, ``catalogue``, ``devices`` and ``region``: what head office decides."""

from __future__ import annotations

from pathlib import Path

import click

from tapledger.commandline import AS_JSON, call, show
from tapledger_central import operating

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@FILE
@operating.CONFIG
@AS_JSON
def program(file: Path, config: Path, as_json: bool) -> None:
    """Check a program.toml and tell it to every shop; nothing is told while a line of it is wrong."""

    async def work() -> tuple[str, str]:
        from tapledger_central import rules

        told, checked = rules.read_program(file)
        async with operating.office(config) as central:
            now = central.clock.now()
            await central.store.transact(lambda tx: rules.tell_program(tx, told, checked, now))
        return told.version, "" if checked.active_from is None else checked.active_from.isoformat()

    version, since = call(work(), as_json)
    when = f"from {since} on" if since else "at once"
    result = {"version": version, "active_from": since}
    show(as_json, result, f"every shop is told programme {version}; it counts {when}")


@click.command()
@FILE
@operating.CONFIG
@AS_JSON
def catalogue(file: Path, config: Path, as_json: bool) -> None:
    """Check a catalogue.csv and tell it to every shop; its prices are in the programme's currency."""

    async def work() -> int:
        from tapledger_central import rules

        text = rules.read_catalogue(file)
        async with operating.office(config) as central:
            now = central.clock.now()
            return await central.store.transact(lambda tx: rules.tell_catalogue(tx, text, now))

    count = call(work(), as_json)
    show(as_json, {"articles": count}, f"every shop is told {count} articles")


@click.command()
@click.argument("node")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@operating.CONFIG
@AS_JSON
def devices(node: str, file: Path | None, config: Path, as_json: bool) -> None:
    """Tell a computer its devices for the roles that its own settings leave open; it uses them from its next
    start on. FILE has [[devices]] as a daemon.toml has; one without any takes everything back. Without a FILE
    this prints what the computer was told."""

    async def work() -> str:
        from tapledger_central import rules

        told = None if file is None else rules.read_devices(file)
        async with operating.office(config) as central:
            now = central.clock.now()
            before = await central.store.transact(lambda tx: rules.tell_devices(tx, node, told, now))
        return before.text

    before = call(work(), as_json)
    if file is None:
        show(as_json, {"node": node, "devices": before}, before)
    else:
        show(as_json, {"node": node, "before": before}, f"{node} is told {file}, for its next start")


@click.command()
@click.argument("shop")
@click.argument("region", metavar="REGION")
@operating.CONFIG
@AS_JSON
def region(shop: str, region: str, config: Path, as_json: bool) -> None:
    """Let a shop follow one region's members alone; the region "all" is the whole chain."""

    async def work() -> list[str]:
        from tapledger_central import regions

        async with operating.office(config) as central:
            return await regions.put(central.store, shop, region, central.clock.now())

    moved = call(work(), as_json)
    result = {"shop": shop, "region": region, "nodes": moved}
    show(as_json, result, f"{shop} follows {region}: {len(moved)} computers read its news from the beginning")
