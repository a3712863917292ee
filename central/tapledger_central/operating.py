"""What an operator does with central: ``tapledger central migrate``, ``check``, ``nodes`` and ``revoke``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapledger.commandline import AS_JSON, call, show

if TYPE_CHECKING:
    from tapledger_central.app import Central
    from tapledger_central.check import Report

FAULTY = 1

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("/etc/tapledger/central.toml"),
    show_default=True,
    help="Central's settings.",
)


@asynccontextmanager
async def office(config: Path) -> AsyncIterator[Central]:
    """Open the central of a settings file, without serving."""
    from tapledger_central import app, settings

    read = settings.load(config)
    central = await app.open_central(read.data_folder, database_url=read.database_url)
    try:
        yield central
    finally:
        await central.close()


@click.command()
@CONFIG
@AS_JSON
def migrate(config: Path, as_json: bool) -> None:
    """Bring the database up to date, as its owner; run it before each new release."""

    async def work() -> str:
        import asyncio

        from tapledger_central import settings
        from tapledger_central.store import schema

        read = settings.load(config)
        if not read.database_url:
            async with office(config):  # the embedded engine migrates when it is opened
                return schema.LATEST
        from tapledger_central.store.postgres import migrate_to_latest

        owner = read.database_owner_url or read.database_url
        return await asyncio.to_thread(migrate_to_latest, owner, read.database_role)

    version = call(work(), as_json)
    show(as_json, {"version": version}, f"the schema is at version {version}")


@click.command()
@click.option("--all", "everybody", is_flag=True, help="Fold every member again, not just a sample.")
@CONFIG
@AS_JSON
def check(everybody: bool, config: Path, as_json: bool) -> None:
    """Hold everything that is kept against itself; exit code 1 when something does not fit."""

    async def work() -> Report:
        from tapledger_central.check import check as look

        def tell(line: str) -> None:
            if not as_json:
                click.echo(line, err=True)

        async with office(config) as central:
            return await look(central.store, central.keys, everybody=everybody, tell=tell)

    report = call(work(), as_json)
    faults = "".join(f"\n{fault.what}: {fault.where}" for fault in report.faults)
    counted = f"{report.chains} chains, {report.events} events, {report.members} members"
    show(as_json, asdict(report), f"{counted}: {len(report.faults)} faults{faults}")
    if report.faults:
        sys.exit(FAULTY)


@click.command("nodes")
@CONFIG
@AS_JSON
def list_nodes(config: Path, as_json: bool) -> None:
    """List the computers that may talk to central, and when each was last heard."""

    async def work() -> list[dict[str, str | int]]:
        from tapledger_central.store import nodes

        async with office(config) as central:
            found = await central.store.transact(nodes.everyone)
        return [
            {
                "node": one.node,
                "shop": one.shop,
                "name": one.name,
                "status": one.status,
                "scope": one.scope,
                "last_seen_ms": one.last_seen_ms,
            }
            for one in found
        ]

    found = call(work(), as_json)
    lines = [f"{one['node']}  {one['status']:<11}  {one['shop']}  {one['name']}" for one in found]
    show(as_json, {"nodes": found}, "\n".join(lines))


@click.command()
@click.argument("node")
@CONFIG
@AS_JSON
def revoke(node: str, config: Path, as_json: bool) -> None:
    """Trust a computer no more: what it still sends is kept as evidence and counts for nothing."""

    async def work() -> None:
        from tapledger.errors import NotFound
        from tapledger_central import telling
        from tapledger_central.store import nodes

        async with office(config) as central:
            now = central.clock.now()
            if not await central.store.transact(
                lambda tx: telling.change_status(tx, node, nodes.REVOKED, now)
            ):
                raise NotFound("NODE_UNKNOWN")

    call(work(), as_json)
    show(as_json, {"node": node, "status": "revoked"}, f"{node} is revoked")
