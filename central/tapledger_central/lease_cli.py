"""What an operator does about what is set aside: ``tapledger central leases``, ``recall``, ``write-off``,
``stock`` and ``write-off-stock``."""

from __future__ import annotations

from pathlib import Path

import click

from tapledger.commandline import AS_JSON, call, show
from tapledger_central import operating


@click.command("leases")
@operating.CONFIG
@AS_JSON
def list_leases(config: Path, as_json: bool) -> None:
    """List what shops hold of members' balances and have not given back, the oldest first."""

    async def work() -> list[dict[str, str | int]]:
        from tapledger_central import outstanding

        async with operating.office(config) as central:
            found = await outstanding.find(central.store)
        return [
            {
                "lease": one.lease,
                "member": one.member,
                "node": one.node,
                "pool": one.pool,
                "left": one.rest,
                "granted_ms": one.granted_ms,
                "recalled": one.recalled,
            }
            for one in found
        ]

    found = call(work(), as_json)
    lines = [
        f"{one['lease']}  {one['node']}  {one['left']} {one['pool']} of {one['member']}" for one in found
    ]
    show(as_json, {"leases": found}, "\n".join(lines))


@click.command()
@click.argument("node")
@operating.CONFIG
@AS_JSON
def recall(node: str, config: Path, as_json: bool) -> None:
    """Ask a computer for all its leases: it spends no more of them and gives back the rest."""

    async def work() -> list[str]:
        from tapledger.errors import NotFound
        from tapledger_central import outstanding
        from tapledger_central.store import nodes

        async with operating.office(config) as central:
            if await central.store.transact(lambda tx: nodes.find(tx, node)) is None:
                raise NotFound("NODE_UNKNOWN")
            found = await outstanding.find(central.store, node)
            asked = [one.lease for one in found if not one.recalled]
            for lease in asked:
                await central.leases.recall(lease)
            return asked

    asked = call(work(), as_json)
    show(as_json, {"node": node, "leases": asked}, f"{node} is asked for {len(asked)} leases")


@click.command("write-off")
@click.argument("lease")
@click.option("--operator", "--by", "operator", required=True, help="Who answers for it.")
@operating.CONFIG
@AS_JSON
def write_off(lease: str, operator: str, config: Path, as_json: bool) -> None:
    """Give back what a lost computer holds; what it has spent of it unheard is lost."""

    async def work() -> int:
        async with operating.office(config) as central:
            return await central.leases.write_off(lease, operator)

    amount = call(work(), as_json)
    show(as_json, {"lease": lease, "given_back": amount}, f"{amount} given back; at most so much is lost")


@click.command("stock")
@operating.CONFIG
@AS_JSON
def list_stock(config: Path, as_json: bool) -> None:
    """List how much of limited stock each computer may give out, and has, as far as it has told."""

    async def work() -> list[dict[str, str | int]]:
        from tapledger_central.store import allotments

        async with operating.office(config) as central:
            found = await central.store.transact(allotments.everything)
        return [
            {
                "shop": one.shop,
                "node": one.node,
                "key": one.key,
                "allotted": one.slice.allotted,
                "used": one.slice.used,
            }
            for one in found
        ]

    found = call(work(), as_json)
    lines = [
        f"{one['shop']}  {one['node']}  {one['key']}  {one['used']} of {one['allotted']}" for one in found
    ]
    show(as_json, {"stock": found}, "\n".join(lines))


@click.command("write-off-stock")
@click.argument("node")
@click.option("--operator", "--by", "operator", required=True, help="Who answers for it.")
@operating.CONFIG
@AS_JSON
def write_off_stock(node: str, operator: str, config: Path, as_json: bool) -> None:
    """Give the stock of a lost computer to the others of its shop; what it gave out unheard is lost."""

    async def work() -> dict[str, int]:
        async with operating.office(config) as central:
            return await central.stock.write_off(node, operator)

    given_back = call(work(), as_json)
    said = ", ".join(f"{count} of {key}" for key, count in given_back.items()) or "nothing"
    show(as_json, {"node": node, "given_back": given_back}, f"{said} given back; at most so much is lost")
