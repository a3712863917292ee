"""``tapledger kiosk-browser``."""

from __future__ import annotations

import shlex

import click

from tapledger.commandline import AS_JSON, call, show


@click.command("kiosk-browser")
@click.option("--port", type=click.IntRange(1, 65535), default=7380, show_default=True, help="The daemon's.")
@click.option("--print", "only_print", is_flag=True, help="Print the command line instead of running it.")
@AS_JSON
def kiosk_browser(port: int, only_print: bool, as_json: bool) -> None:
    """Show the kiosk full screen as soon as the daemon is up; ends when the browser does. Not as root.

    With --json, too, the command line is printed and not run.
    """
    from tapledger.commands import kiosk_browser as command

    words = command.command_line(port)
    if only_print or as_json:
        show(as_json, {"command": words}, shlex.join(words))
        return

    async def work() -> None:
        command.check()
        await command.daemon_is_up(port)

    call(work(), as_json)
    command.become(words)
