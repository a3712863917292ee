"""The command that starts the kiosk's screen; tests/browser/test_kiosk_session.py runs what it says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from tapledger.commands.kiosk_browser import PROGRAMS

COMMAND = (sys.executable, "-c", "from tapledger.cli import main; main()", "kiosk-browser")
LIMIT_S = 30


async def run(folder: Path, *words: str) -> asyncio.subprocess.Process:
    """Start the command where only the programs in a folder are installed."""
    environment = {**os.environ, "PATH": str(folder / "bin"), "XDG_RUNTIME_DIR": str(folder)}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*COMMAND, *words, env=environment, stdout=pipe, stderr=pipe)


def install(folder: Path, *names: str) -> None:
    (folder / "bin").mkdir()
    for name in names:
        program = folder / "bin" / name
        program.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
        program.chmod(0o755)


async def test_the_browser_starts_once_the_daemon_is_up_and_finds_no_old_profile(tmp_path: Path) -> None:
    install(tmp_path, *PROGRAMS)
    left = tmp_path / "tapledger-kiosk" / "left"
    left.parent.mkdir()
    left.touch()
    asked: list[str] = []

    def answer(_: object, writer: asyncio.StreamWriter) -> None:
        asked.append("the daemon")
        writer.close()

    async with asyncio.timeout(LIMIT_S):
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            out, _ = await (await run(tmp_path, "--port", str(port))).communicate()
        assert asked == ["the daemon"]
        said, _ = await (await run(tmp_path, "--port", str(port), "--json")).communicate()
    program, *words = json.loads(said)["command"]
    assert program == "cage"
    assert out.decode().splitlines() == words
    assert words[-1] == f"http://127.0.0.1:{port}/kiosk"
    assert f"--user-data-dir={left.parent}" in words
    assert not left.exists()


async def test_what_is_not_installed_is_named_with_the_next_step(tmp_path: Path) -> None:
    install(tmp_path, "cage", "chromium")
    async with asyncio.timeout(LIMIT_S):
        process = await run(tmp_path)
        _, said = await process.communicate()
    assert process.returncode == 2
    assert "Xwayland" in said.decode()
    assert "apt-get install" in said.decode()
