"""What an operator does about leases: ``tapledger central leases`` and ``write-off``."""

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
        async with operating.office(config) as central:
            found = await central.leases.still_open()
        return [
            {
                "lease": one.lease,
                "member": one.member,
                "node": one.node,
                "pool": one.pool,
                "left": one.amount,
                "granted_ms": one.granted_ms,
            }
            for one in found
        ]

    found = call(work(), as_json)
    lines = [
        f"{one['lease']}  {one['node']}  {one['left']} {one['pool']} of {one['member']}" for one in found
    ]
    show(as_json, {"leases": found}, "\n".join(lines))


@click.command("write-off")
@click.argument("lease")
@click.option("--by", "operator", required=True, help="Who answers for it.")
@operating.CONFIG
@AS_JSON
def write_off(lease: str, operator: str, config: Path, as_json: bool) -> None:
    """Give back what a lost computer holds; what it has spent of it unheard is lost."""

    async def work() -> int:
        async with operating.office(config) as central:
            return await central.leases.write_off(lease, operator)

    amount = call(work(), as_json)
    show(as_json, {"lease": lease, "given_back": amount}, f"{amount} given back; at most so much is lost")
