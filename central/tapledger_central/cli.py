"""``tapledger central``: run central, make one-time codes for shops, and whatever else an operator does."""

from __future__ import annotations

from pathlib import Path

import click

from tapledger.commandline import AS_JSON, call, show
from tapledger_central import backup_cli, lease_cli, log_cli, operating, risk_cli, rules_cli


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def central() -> None:
    """Head office: takes the shops' events and tells every other shop."""


@central.command()
@operating.CONFIG
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
@operating.CONFIG
@AS_JSON
def enrol_code(shop: str, config: Path, as_json: bool) -> None:
    """Make a one-time code: one shop, one use, ten minutes."""

    async def make() -> str:
        from tapledger.wire.enrolment import printed

        async with operating.office(config) as office:
            return printed(await office.enrolment_code(shop))

    code = call(make(), as_json)
    show(as_json, {"shop": shop, "code": code}, code)


for _command in (
    operating.migrate,
    operating.check,
    operating.list_nodes,
    operating.revoke,
    rules_cli.program,
    rules_cli.catalogue,
    rules_cli.devices,
    rules_cli.region,
    risk_cli.exposure,
    risk_cli.list_differences,
    lease_cli.list_leases,
    lease_cli.recall,
    lease_cli.write_off,
    lease_cli.list_stock,
    lease_cli.write_off_stock,
    backup_cli.backup,
    backup_cli.restore,
    backup_cli.mark_restored,
    log_cli.log_key,
    log_cli.proof,
):
    central.add_command(_command)
