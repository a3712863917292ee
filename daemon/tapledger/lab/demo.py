"""``tapledger demo``: the chain on its usual ports until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import click

from tapledger import assets
from tapledger.lab.chain import SHOP_NAMES, SHOPS, Chain
from tapledger.lab.seed import CASHIER_PIN, MEMBER_PIN, TECHNICIAN_PIN


async def run(folder: Path, ports: tuple[int, int, int], as_json: bool) -> None:
    """Start the chain, print where its faces are, and stop everything on Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def say(sentence: str) -> None:
        if not as_json:
            click.echo(sentence)

    chain = Chain(folder, ports, say, offers=assets.config_folder() / "examples" / "offers.toml")
    await chain.start()
    try:
        _announce(chain, as_json)
        await stop.wait()
        say("Stopping …")
    finally:
        await chain.stop()


def _announce(chain: Chain, as_json: bool) -> None:
    faces = {
        shop: {
            face: f"http://localhost:{chain.ports[shop]}/{face}"
            for face in ("kiosk", "till", "display", "console")
        }
        for shop in SHOPS
    }
    if as_json:
        click.echo(json.dumps({"central": chain.central_url, **faces}))
        return
    for shop, urls in faces.items():
        click.echo(f"\n{SHOP_NAMES[shop]}")
        for face, url in urls.items():
            click.echo(f"  {face:8} {url}")
    click.echo(f"\ncentral    {chain.central_url}")
    click.echo(f"PINs: cashier {CASHIER_PIN}, technician {TECHNICIAN_PIN}, Bob Chen {MEMBER_PIN}")
    click.echo("cards, codes and paper are in the dock on the console page")
    click.echo("Ctrl-C stops everything.")
