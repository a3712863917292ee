"""``tapledger central``: run central, and make one-time codes for shops."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from tapledger.errors import TapledgerError

_config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file (TOML); without it the defaults are used.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def central() -> None:
    """Head office: takes the shops' events and tells every other shop."""


@central.command()
@_config
@_json
def run(config: Path | None, as_json: bool) -> None:
    """Serve until stopped."""
    from tapledger_central import app, settings

    def announce(address: str) -> None:
        click.echo(json.dumps({"address": address}) if as_json else f"central answers at {address}")

    try:
        asyncio.run(app.run(settings.load(config), announce))
    except TapledgerError as error:
        raise click.ClickException(_say(error)) from error


@central.command("enrol-code")
@click.option("--shop", required=True, help="The shop that the code is for.")
@_config
@_json
def enrol_code(shop: str, config: Path | None, as_json: bool) -> None:
    """Make a one-time code: one shop, one use, ten minutes."""
    from tapledger.wire.enrolment import printed
    from tapledger_central import settings

    try:
        code = asyncio.run(_make_code(settings.load(config).data_folder, shop))
    except TapledgerError as error:
        raise click.ClickException(_say(error)) from error
    click.echo(json.dumps({"shop": shop, "code": printed(code)}) if as_json else printed(code))


async def _make_code(folder: Path, shop: str) -> str:
    from tapledger_central.app import open_central

    central = await open_central(folder)
    try:
        return await central.enrolment_code(shop)
    finally:
        await central.close()


def _say(error: TapledgerError) -> str:
    details = ", ".join(f"{name}: {value}" for name, value in error.data.items())
    return f"{error.code} ({details})" if details else error.code
