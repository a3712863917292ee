"""Reading aloud: words go to the program in the screen's language, and the newest end the ones before."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tapledger.errors import Unavailable
from tapledger.floor.voice import MAX_CHARACTERS, PROGRAM, Voice

LIMIT_S = 20.0


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a program in place of the loudspeaker's; what it is given comes out of the pipe returned."""
    program, pipe = tmp_path / PROGRAM, tmp_path / "said"
    os.mkfifo(pipe)
    program.write_text(f'#!/bin/sh\n{{ echo "$@"; cat; }} > {pipe}\nexec sleep 60\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return pipe


async def heard(pipe: Path) -> list[str]:
    """Return the next thing that is said, after the words that the program was started with."""
    said = await asyncio.wait_for(asyncio.to_thread(pipe.read_text, "utf-8"), LIMIT_S)
    return said.splitlines()


async def test_words_are_said_in_the_language_of_the_screen(spoken: Path) -> None:
    voice = Voice(on=True)
    await voice.say("可用积分 897", "zh-Hans")
    assert await heard(spoken) == ["-v cmn -s 150 --stdin", "可用积分 897"]
    await voice.stop()


async def test_the_newest_words_end_the_ones_before(spoken: Path) -> None:
    voice = Voice(on=True)
    await voice.say("one", "en")
    await heard(spoken)
    first = voice._speaking
    assert first is not None
    await voice.say("x" * (MAX_CHARACTERS + 50), "ja")
    assert first.returncode is not None
    assert len((await heard(spoken))[1]) == MAX_CHARACTERS
    await voice.stop()


async def test_where_it_is_off_or_not_installed_nobody_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match="NO_VOICE"):
        await Voice(on=False).say("hello", "en")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="NO_VOICE"):
        await Voice(on=True).say("hello", "en")
