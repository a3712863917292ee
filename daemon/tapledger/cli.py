"""The command line: parse, call, print. Every command has --json; heavy rooms are imported when called."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapledger import languages
from tapledger.commandline import AS_JSON, CONFIG, LANGUAGE, call, show
from tapledger.commands.backup_cli import backup, restore
from tapledger.commands.desk_cli import desk, member
from tapledger.commands.kiosk_browser_cli import kiosk_browser
from tapledger.commands.proof_cli import verify_proof, witness
from tapledger.commands.recording_cli import record, replay
from tapledger.lab.simulate_cli import simulate

if TYPE_CHECKING:
    from tapledger.commands.verify import Verified
    from tapledger.lab.scenario.player import Played
    from tapledger.membership.explaining import Explained
    from tapledger.membership.programs import Mistake


class Commands(click.Group):
    """Our own commands and those that other packages bring (central)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        brought = {entry.name for entry in entry_points(group="tapledger.commands")}
        return sorted({*super().list_commands(ctx), *brought})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for entry in entry_points(group="tapledger.commands", name=cmd_name):
            command = entry.load()
            assert isinstance(command, click.Command)
            return command
        return None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A membership system for shops: works offline, never loses a point, proves every number."""


main.add_command(backup)
main.add_command(desk)
main.add_command(kiosk_browser)
main.add_command(member)
main.add_command(record)
main.add_command(replay)
main.add_command(restore)
main.add_command(simulate)
main.add_command(verify_proof)
main.add_command(witness)


@main.command()
@CONFIG
@AS_JSON
def run(config: Path, as_json: bool) -> None:
    """Run the shop's daemon until it is stopped."""
    from tapledger import settings
    from tapledger.app import Daemon
    from tapledger.commands.serve import serve

    def started(port: int) -> None:
        faces = {name: f"http://localhost:{port}/{name}" for name in ("kiosk", "till", "display", "console")}
        show(as_json, faces, "\n".join(f"{name:8} {url}" for name, url in faces.items()))

    async def work() -> None:
        await serve(settings.read(config), lambda shop, fitted: Daemon(shop, fitted).run(started))

    call(work(), as_json)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("/var/lib/tapledger"))
@click.option("--name", prompt="Name of the shop")
@click.option("--currency", prompt="Currency (ISO 4217)", default="CNY")
@click.option("--timezone", prompt="Time zone", default="Asia/Shanghai")
@click.option("--language", prompt="Language", type=click.Choice(languages.LANGUAGES), default="zh-Hans")
@AS_JSON
def init(folder: Path, name: str, currency: str, timezone: str, language: str, as_json: bool) -> None:
    """Found a real shop: configuration, keys and a one-time set-up code; no demo data."""
    from tapledger.clock import SystemClock
    from tapledger.commands import found

    founding = found.Founding(folder, name, currency.upper(), timezone, languages.read(language))
    founded = call(found.found(founding, SystemClock(), os.urandom), as_json)
    show(
        as_json,
        {"config": str(founded.config), "node": founded.node, "setup_code": founded.setup_code},
        f"The shop is founded. Node {founded.node}, configuration {founded.config}.\n"
        f"Set-up code, shown only this once: {founded.setup_code}\n"
        f"Next: tapledger run --config {founded.config}, then open the till and make the owner's account.",
    )


@main.command()
@CONFIG
@click.option("--code", prompt="One-time code from central")
@click.option("--central", "url", default="", help="Central's address; by default the one in the settings.")
@AS_JSON
def enrol(config: Path, code: str, url: str, as_json: bool) -> None:
    """Make this shop known to central. Do it before the first member joins."""
    from tapledger import settings
    from tapledger.commands.enrol import enrol_shop

    async def work() -> str:
        return await enrol_shop(settings.read(config), code, url)

    node = call(work(), as_json)
    show(as_json, {"node": node}, f"Enrolled as {node}.")


@main.command("verify-ledger")
@CONFIG
@AS_JSON
def verify_ledger(config: Path, as_json: bool) -> None:
    """Check every event of the journal; name the first that was altered. Exit code 1 when one was."""
    from tapledger import settings
    from tapledger.commands.verify import verify_shop

    def progress(events: int) -> None:
        if not as_json:
            click.echo(f"{events} events checked")

    async def work() -> Verified:
        return await verify_shop(settings.read(config), progress)

    result = call(work(), as_json)
    show(as_json, result.as_dict(), result.sentence())
    sys.exit(0 if result.ok else 1)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
@click.option(
    "--ports",
    nargs=3,
    type=click.IntRange(0, 65535),
    default=(7400, 7380, 7390),
    show_default=True,
    help="Of central and the two shops; 0 is any free one.",
)
@AS_JSON
def demo(folder: Path, ports: tuple[int, int, int], as_json: bool) -> None:
    """Run a whole chain on this machine: central, two shops, virtual devices. Ctrl-C ends it."""
    from tapledger.lab import demo as lab

    call(lab.run(folder, ports, as_json), as_json)


@main.group()
def scenario() -> None:
    """Stories of a shop as files: what happens, and what must be true after it (docs/scenarios.md)."""


@scenario.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@AS_JSON
def scenario_run(paths: tuple[Path, ...], as_json: bool) -> None:
    """Play every scenario of the files and folders given. Exit code 1 when one fails."""
    from tapledger.lab.scenario import command

    async def play() -> list[Played]:
        played = []
        async for one in command.play_all(list(paths)):
            played.append(one)
            if not as_json:
                click.echo(command.as_text(one))
        return played

    played = call(play(), as_json)
    failed = sum(not one.passed for one in played)
    if as_json:
        counts = {"passed": len(played) - failed, "failed": failed}
        click.echo(json.dumps({**counts, "scenarios": [command.as_json(one) for one in played]}))
    else:
        click.echo(f"{len(played) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


@main.group()
def program() -> None:
    """The merchant's rules: check a program.toml, see its versions, try new rules on old sales."""


@program.command("lint")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--catalogue",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The articles; by default catalogue.csv beside the file, where there is one.",
)
@AS_JSON
def program_lint(files: tuple[Path, ...], catalogue: Path | None, as_json: bool) -> None:
    """Name every mistake of some programmes at its line. Exit code 1 when there is one."""
    from tapledger.commands import program as command

    async def check() -> list[Mistake]:
        return [mistake for file in files for mistake in command.lint(file, catalogue)]

    mistakes = call(check(), as_json)
    lines = [str(mistake) for mistake in mistakes]
    lines.append(f"{len(mistakes)} mistakes" if mistakes else f"{len(files)} checked, no mistakes")
    show(as_json, {"mistakes": [command.as_dict(one) for one in mistakes]}, "\n".join(lines))
    sys.exit(1 if mistakes else 0)


@program.command("show")
@CONFIG
@AS_JSON
def program_show(config: Path, as_json: bool) -> None:
    """Show which version of the programme counts now, since when, and what is to come."""
    from tapledger import settings
    from tapledger.clock import SystemClock
    from tapledger.commands import program as command

    async def work() -> list[command.Line]:
        return await command.versions(settings.read(config), SystemClock())

    lines = call(work(), as_json)
    show(as_json, {"versions": [one.as_dict() for one in lines[-2:]]}, command.table(lines[-2:]))


@program.command("history")
@CONFIG
@click.option("--text", "version", default="", help="Print the file of this version as it was given.")
@AS_JSON
def program_history(config: Path, version: str, as_json: bool) -> None:
    """List every version of the programme and when it was in use."""
    from tapledger import settings
    from tapledger.clock import SystemClock
    from tapledger.commands import program as command

    async def work() -> list[command.Line]:
        return await command.versions(settings.read(config), SystemClock())

    lines = call(work(), as_json)
    if version:
        chosen = call(command.text_of(lines, version), as_json)
        show(as_json, {"version": version, "text": chosen}, chosen)
    else:
        show(as_json, {"versions": [one.as_dict() for one in lines]}, command.table(lines))


@program.command("what-if")
@CONFIG
@click.option(
    "--program",
    "candidate",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The programme to try.",
)
@click.option("--since", default="30d", show_default=True, help="How far back: 30d, 4w, 6m.")
@AS_JSON
def program_what_if(config: Path, candidate: Path, since: str, as_json: bool) -> None:
    """Price the sales of some time again under other rules: cost, winners, losers. Writes nothing."""
    from tapledger import settings
    from tapledger.clock import SystemClock
    from tapledger.commands import program as command

    async def work() -> command.Report:
        shop = settings.read(config)
        hidden = not sys.stderr.isatty()
        with click.progressbar(length=1, label="events", file=sys.stderr, hidden=hidden) as bar:

            def progress(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            answer = await command.what_would_be(shop, candidate, since, SystemClock(), progress)
        return command.Report(answer)

    report = call(work(), as_json)
    show(as_json, report.as_dict(), report.sentence())


@main.command()
@click.argument("event")
@CONFIG
@LANGUAGE
@AS_JSON
def explain(event: str, config: Path, language: str, as_json: bool) -> None:
    """Say every number of an event: of a receipt's number node-epoch-seq, its last part, or a sale's id."""
    from tapledger import settings
    from tapledger.commands.explain import explain_event

    async def work() -> Explained:
        return await explain_event(settings.read(config), event, language)

    result = call(work(), as_json)
    show(as_json, result.as_dict(), "\n".join([result.heading(), *result.sentences]))


@main.command()
@CONFIG
@click.option("--offline", type=click.IntRange(0, 10_000), help="How many shops are out of reach.")
@AS_JSON
def exposure(config: Path, offline: int | None, as_json: bool) -> None:
    """Say the most that can be lost while shops are out of reach: the owner's own bound."""
    from dataclasses import asdict

    from tapledger import settings
    from tapledger.commands import owner

    async def work() -> owner.Risk:
        return await owner.exposed(settings.read(config), offline)

    risk = call(work(), as_json)
    heard = None if risk.last_feed_at is None else risk.last_feed_at.isoformat()
    show(as_json, {**asdict(risk), "last_feed_at": heard}, owner.risk_sentence(risk))


@main.command()
@CONFIG
@AS_JSON
def liability(config: Path, as_json: bool) -> None:
    """Say what the shop owes its members, by the month in which it lapses."""
    from tapledger import settings
    from tapledger.commands import owner

    async def work() -> tuple[list[owner.Owed], str]:
        rows, programme = await owner.owed(settings.read(config))
        return rows, programme.currency

    rows, currency = call(work(), as_json)
    show(as_json, owner.owed_json(rows, currency), owner.owed_table(rows, currency))


@main.command()
@AS_JSON
def smoke(as_json: bool) -> None:
    """Try the whole path once on free ports; prints one JSON object, exits 0 only if every step holds."""
    del as_json  # it is always JSON
    from tapledger.lab import smoke as lab

    result = call(lab.run(), True)
    click.echo(json.dumps(result, ensure_ascii=False, indent=2))
    sys.exit(0 if result["ok"] else 1)
