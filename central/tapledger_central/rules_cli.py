"""``tapledger central program``, ``catalogue`` and ``region``: what head office decides for shops."""

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
