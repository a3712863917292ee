"""Reads a screen aloud by espeak-ng, where a shop wants that; the newest words end the ones before."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

from tapledger.errors import Unavailable

PROGRAM = "espeak-ng"
MAX_CHARACTERS = 2000
"""More than any screen has; what is beyond is not said."""
VOICES = {"zh-Hans": "cmn", "zh-Hant": "cmn", "en": "en-gb", "ja": "ja"}
WORDS_PER_MINUTE = 150


class Voice:
    """One loudspeaker."""

    def __init__(self, *, on: bool) -> None:
        self._program = shutil.which(PROGRAM) if on else None
        self._speaking: asyncio.subprocess.Process | None = None

    @property
    def ready(self) -> bool:
        """The shop wants it and the program is there."""
        return self._program is not None

    async def say(self, text: str, language: str) -> None:
        """Begin to say a text and return; raise ``Unavailable`` where there is no voice."""
        if self._program is None:
            raise Unavailable("NO_VOICE")
        await self.stop()
        self._speaking = await asyncio.create_subprocess_exec(
            self._program,
            "-v",
            VOICES[language],
            "-s",
            str(WORDS_PER_MINUTE),
            "--stdin",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._speaking.stdin is not None
        self._speaking.stdin.write(text[:MAX_CHARACTERS].encode())
        self._speaking.stdin.close()

    async def stop(self) -> None:
        """Be silent now."""
        if self._speaking is not None and self._speaking.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._speaking.terminate()
            await self._speaking.wait()
        self._speaking = None
