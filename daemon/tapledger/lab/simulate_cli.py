"""``tapledger simulate``: parse, call, print (docs/simulate.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapledger.commandline import AS_JSON, call, show

if TYPE_CHECKING:
    from tapledger.web.snapshots import Dock

FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("var"),
    show_default=True,
    help="The folder of the running demo.",
)
BROKEN = 1
"""Exit code of a simulation in which a promise was broken."""
SHOP = click.option("--shop", default="shop-a", show_default=True)


@click.group()
def simulate() -> None:
    """Move and break the virtual devices of a running demo, or live days of a whole chain."""


@simulate.command("list")
@FOLDER
@SHOP
@AS_JSON
def simulate_list(folder: Path, shop: str, as_json: bool) -> None:
    """List the devices of a shop, the faults that each can have, and those in force."""
    from tapledger.lab import simulate as lab

    async def work() -> Dock:
        return await lab.state(folder, shop)

    dock = call(work(), as_json)
    show(as_json, lab.as_dict(dock), lab.as_table(dock))


@simulate.command()
@click.argument("device")
@click.argument("verb")
@click.option("--off", is_flag=True, help="End the fault.")
@click.option("--amount", type=click.IntRange(0), help="How much of it; each verb has a usual amount.")
@FOLDER
@SHOP
@AS_JSON
def fault(
    device: str, verb: str, off: bool, amount: int | None, folder: Path, shop: str, as_json: bool
) -> None:
    """Begin a fault of a device, such as receipt-printer paper_out, or end it with --off."""
    from tapledger.lab import simulate as lab

    call(lab.fault(folder, shop, device, verb, not off, amount), as_json)
    said = {"shop": shop, "device": device, "verb": verb, "on": not off}
    show(as_json, said, f"{shop}: {device} {verb} {'ends' if off else 'begins'}.")


@simulate.command()
@click.argument("state", type=click.Choice(["well", "cut", "replies_lost", "slow"]))
@FOLDER
@SHOP
@AS_JSON
def network(state: str, folder: Path, shop: str, as_json: bool) -> None:
    """Make a shop's line to central good (well), or bad in one of its ways."""
    from tapledger.lab import simulate as lab

    call(lab.network(folder, shop, state), as_json)
    show(as_json, {"shop": shop, "network": state}, f"{shop}: the line to central is {state} now.")


@simulate.command()
@click.argument("card")
@click.option("--reader", default="kiosk-reader", show_default=True)
@FOLDER
@SHOP
@AS_JSON
def card(card: str, reader: str, folder: Path, shop: str, as_json: bool) -> None:
    """Lay one of the demo's cards on a reader."""
    from tapledger.lab import simulate as lab

    call(lab.insert(folder, shop, card, reader), as_json)
    show(as_json, {"shop": shop, "reader": reader, "card": card}, f"{shop}: {card} lies on {reader}.")


@simulate.command()
@click.option("--reader", default="kiosk-reader", show_default=True)
@FOLDER
@SHOP
@AS_JSON
def remove(reader: str, folder: Path, shop: str, as_json: bool) -> None:
    """Take away what lies on a reader."""
    from tapledger.lab import simulate as lab

    call(lab.remove(folder, shop, reader), as_json)
    show(as_json, {"shop": shop, "reader": reader}, f"{shop}: nothing lies on {reader}.")


@simulate.command()
@click.argument("text")
@FOLDER
@SHOP
@AS_JSON
def scan(text: str, folder: Path, shop: str, as_json: bool) -> None:
    """Scan a code with the till's scanner."""
    from tapledger.lab import simulate as lab

    call(lab.scan(folder, shop, text), as_json)
    show(as_json, {"shop": shop, "text": text}, f"{shop}: scanned.")


@simulate.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same days.")
@click.option("--days", type=click.FloatRange(0, 366, min_open=True), default=1.0, show_default=True)
@click.option("--kiosks", type=click.IntRange(1, 200), default=4, show_default=True)
@click.option("--shops", type=click.IntRange(1, 200), default=2, show_default=True)
@AS_JSON
def chain(seed: int, days: float, kiosks: int, shops: int, as_json: bool) -> None:
    """Live some days of a chain on virtual time, with everything breaking, and check its promises."""
    import msgspec

    from tapledger.lab.world import simulation
    from tapledger.lab.world.chain import Plan

    outcome = simulation.simulate(Plan(seed, days, kiosks, min(shops, kiosks)))
    show(as_json, msgspec.to_builtins(outcome), simulation.as_text(outcome))
    if outcome.rule:
        sys.exit(BROKEN)
