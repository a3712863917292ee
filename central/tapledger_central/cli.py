"""``tapledger central``: run central, and make one-time codes for shops."""

from __future__ import annotations

from pathlib import Path

import click

from tapledger.commandline import AS_JSON, call, show

_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("/etc/tapledger/central.toml"),
    show_default=True,
    help="Central's settings.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def central() -> None:
    """Head office: takes the shops' events and tells every other shop."""


@central.command()
@_config
@AS_JSON
def run(config: Path, as_json: bool) -> None:
    """Serve until stopped; says where once it answers."""

    async def serve() -> None:
        from tapledger import logs
        from tapledger_central import app, settings

        def announce(address: str) -> None:
            show(as_json, {"address": address}, f"central answers at {address}")

        logs.to_stderr()
        await app.run(settings.load(config), announce)

    call(serve(), as_json)


@central.command("enrol-code")
@click.option("--shop", required=True, help="The shop that the code is for.")
@_config
@AS_JSON
def enrol_code(shop: str, config: Path, as_json: bool) -> None:
    """Make a one-time code: one shop, one use, ten minutes."""

    async def make() -> str:
        from tapledger.wire.enrolment import printed
        from tapledger_central import app, settings

        office = await app.open_central(settings.load(config).data_folder)
        try:
            return printed(await office.enrolment_code(shop))
        finally:
            await office.close()

    code = call(make(), as_json)
    show(as_json, {"shop": shop, "code": code}, code)
