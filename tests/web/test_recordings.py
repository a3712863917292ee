"""``tapledger record`` at a running daemon: the file is written however the recording ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tapledger.commands import recording
from tapledger.devices.recording import Recordable
from tapledger.errors import Invalid, NotFound, Refused
from tapledger.settings import FilesSettings, Settings, ShopSettings, StoreSettings, WebSettings
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.traffic import Traffic
from tests.web.faces import PATIENCE_S, Faces

ROLE = "till-scanner"


def settings(faces: Faces) -> Settings:
    return Settings(
        shop=ShopSettings(name="Tea Hill"),
        store=StoreSettings(folder=faces.bench.folder),
        files=FilesSettings(program=Path("none"), catalogue=Path("none")),
        web=WebSettings(port=faces.port),
    )


def plug(faces: Faces) -> None:
    """Give the daemon a device whose opening is one call."""
    traffic = Traffic(lambda: 0.0)
    faces.daemon.recordings.devices = {
        ROLE: Recordable(
            DeviceConfig(ROLE, "serial_line", {"path": "/dev/none"}),
            traffic,
            lambda: None,
            lambda: traffic.note("call", '{"call":"open","args":[]}'),
        )
    }


def is_recorded(faces: Faces) -> bool:
    try:
        return bool(faces.daemon.recordings.stop(ROLE))
    except NotFound:
        return False


async def at_once() -> None:
    """Nothing happens meanwhile."""


async def test_a_recording_becomes_a_file(faces: Faces, tmp_path: Path) -> None:
    plug(faces)
    done = await recording.record(settings(faces), ROLE, at_once, tmp_path / "x.jsonl")
    assert done.frames >= 1
    assert done.file.read_bytes().splitlines()[0].startswith(b'{"cassette":1')
    assert not is_recorded(faces)


async def test_an_interrupted_recording_is_written_and_ends(faces: Faces, tmp_path: Path) -> None:
    plug(faces)
    file, waits = tmp_path / "x.jsonl", asyncio.Event()

    async def for_ever() -> None:
        waits.set()
        await asyncio.get_running_loop().create_future()

    working = asyncio.create_task(recording.record(settings(faces), ROLE, for_ever, file))
    await asyncio.wait_for(waits.wait(), PATIENCE_S)
    with pytest.raises(Refused, match="RECORDING_RUNS"):
        faces.daemon.recordings.start(ROLE)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert len(file.read_bytes().splitlines()) >= 2
    assert not is_recorded(faces)


async def test_nothing_is_recorded_that_cannot_be_written(faces: Faces, tmp_path: Path) -> None:
    plug(faces)
    for file in (tmp_path / "nowhere" / "x.jsonl", tmp_path):
        with pytest.raises(Invalid, match="CONFIG_INVALID"):
            await recording.record(settings(faces), ROLE, at_once, file)
        assert not is_recorded(faces)
