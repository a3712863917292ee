"""The kiosk's screen: Chromium alone in the compositor cage, with a profile that no start finds again."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import NoReturn

from tapledger.errors import Unavailable

PROGRAMS = ("cage", "Xwayland", "chromium")
"""Debian 12's cage does not start without Xwayland, though nothing here draws through it."""
ASK_AGAIN_S = 0.5
# No flag keeps Chromium from calling its maker (the time, the account, its search): it finds nobody but us.
FLAGS = (
    "--ozone-platform=wayland",
    "--kiosk",
    "--incognito",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--password-store=basic",
    "--autoplay-policy=no-user-gesture-required",
)


def profile() -> Path:
    """Return the browser's folder: in memory, the user's own, gone when the session ends."""
    return Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")) / "tapledger-kiosk"


def command_line(port: int) -> list[str]:
    """Return the words that start the kiosk of the daemon on this port."""
    address = f"http://127.0.0.1:{port}/kiosk"
    return ["cage", "-d", "--", "chromium", *FLAGS, f"--user-data-dir={profile()}", address]


async def daemon_is_up(port: int) -> None:
    """Wait until the daemon takes connections: a page that was never loaded cannot try again by itself."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(ASK_AGAIN_S)
        else:
            writer.close()
            return


def check() -> None:
    """Raise ``Unavailable`` for the first program that is not installed."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise Unavailable("KIOSK_PROGRAM_MISSING", program=program)


def become(words: list[str]) -> NoReturn:
    """Turn this process into the browser's; what a crash left of the last profile is removed first."""
    shutil.rmtree(profile(), ignore_errors=True)
    os.execvp(words[0], words)  # noqa: S606
