"""``tapledger central exposure`` and ``differences``: what it may cost, and what it did."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tapledger.commandline import AS_JSON, call, show
from tapledger_central import operating

if TYPE_CHECKING:
    from tapledger.wire.news import DifferenceNews
    from tapledger_central.app import Central

MAX_LISTED = 10_000


@dataclass(slots=True)
class Held:
    """What one shop holds on lease: by pool, points or minor units of money."""

    leases: int = 0
    rest: dict[str, int] = field(default_factory=dict)


@click.command()
@operating.CONFIG
@AS_JSON
def exposure(config: Path, as_json: bool) -> None:
    """Say what can be lost at most right now, what shops hold on lease, and what differs."""

    async def work() -> dict[str, Any]:
        async with operating.office(config) as central:
            return await _exposure(central)

    found = call(work(), as_json)
    lines = [f"worst case now: {found['points']:,} points, {found['nodes_offline']} devices offline"]
    for shop, held in found["leases"].items():
        rest = ", ".join(f"{amount:,} {pool}" for pool, amount in held["rest"].items())
        lines.append(f"{shop}: {held['leases']} leases, {rest}")
    lines += [f"{count} {code}" for code, count in found["differences"].items()]
    show(as_json, found, "\n".join(lines))


async def _exposure(central: Central) -> dict[str, Any]:
    from tapledger_central import outstanding
    from tapledger_central.store import differences, nodes

    worst = await central.leases.exposure()
    shops = {one.node: one.shop for one in await central.store.transact(nodes.everyone)}
    held: defaultdict[str, Held] = defaultdict(Held)
    for one in await outstanding.find(central.store):
        shop = held[shops.get(one.node, one.node)]
        shop.leases += 1
        shop.rest[one.pool] = shop.rest.get(one.pool, 0) + one.rest
    return {
        "points": worst.points,
        "nodes_offline": worst.nodes_offline,
        "nodes": worst.nodes,
        "at": worst.at.isoformat(),
        "leases": {shop: asdict(held[shop]) for shop in sorted(held)},
        "differences": await central.store.transact(differences.counts),
    }


@click.command("differences")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The first day, in UTC; by default all.")
@operating.CONFIG
@AS_JSON
def list_differences(since: dt.datetime | None, config: Path, as_json: bool) -> None:
    """List what was recorded and does not fit, the newest first, with what to do about each."""
    since_ms = 0 if since is None else int(since.replace(tzinfo=dt.UTC).timestamp() * 1000)

    async def work() -> list[DifferenceNews]:
        from tapledger_central.store import differences

        async with operating.office(config) as central:
            return await central.store.transact(lambda tx: differences.since(tx, since_ms, MAX_LISTED))

    found = [_said(one) for one in call(work(), as_json)]
    lines = [f"{one['found_at']}  {one['sentence']} {one['next_step']}" for one in found]
    show(as_json, {"differences": found}, "\n".join(lines) or "nothing differs")


def _said(one: DifferenceNews) -> dict[str, str | int]:
    from tapledger import texts

    sentence, next_step = texts.difference("en", one)
    return {
        "code": one.code,
        "node": one.node,
        "epoch": one.epoch,
        "seq": one.seq,
        "member": one.member,
        "detail": one.detail,
        "found_at": dt.datetime.fromtimestamp(one.found_ms / 1000, dt.UTC).isoformat(timespec="seconds"),
        "sentence": sentence,
        "next_step": next_step,
    }
