"""The reader station, one for the whole test process: libpcsclite looks for its daemon only once.

A conftest in any folder takes it with ``from tests.drivers.station import reader_station as reader_station``.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tapledger_drivers.emulators.reader_station import ReaderStation, StationUnavailable

READERS = 4
EMPTY_TIMEOUT_S = 10.0


@functools.cache
def _started() -> ReaderStation | StationUnavailable:
    folder = tempfile.TemporaryDirectory(prefix="station-")  # pytest's own paths are too long for a socket
    atexit.register(folder.cleanup)
    try:
        station = asyncio.run(ReaderStation.start(Path(folder.name), READERS))
    except StationUnavailable as error:
        return error
    atexit.register(station.end)
    os.environ["PCSCLITE_CSOCK_NAME"] = str(station.socket_path)
    return station


@pytest.fixture(scope="session")
def started_station() -> ReaderStation:
    """Return the running station; without one CI fails, and anybody else is told what to install."""
    station = _started()
    if isinstance(station, ReaderStation):
        return station
    if os.environ.get("CI") == "true":
        pytest.fail(str(station))
    pytest.skip(str(station))


@pytest.fixture
async def reader_station(started_station: ReaderStation) -> AsyncIterator[ReaderStation]:
    """Yield the station with pcscd running, no card on any reader and nothing broken, and leave it so."""
    yield started_station
    await started_station.state()
    for reader in started_station.readers:
        for fault in reader.faults():
            await reader.pull(fault.verb, on=False)
        await reader.remove()
    await asyncio.to_thread(_wait_until_empty, started_station.reader_names)


def _wait_until_empty(reader_names: tuple[str, ...]) -> None:
    """pcscd looks at a virtual reader every 0.4 s: until then it still believes in the card."""
    from smartcard import scard

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    known = [(name, scard.SCARD_STATE_UNAWARE) for name in reader_names]
    deadline_s = time.monotonic() + EMPTY_TIMEOUT_S
    try:
        while time.monotonic() < deadline_s:
            hresult, states = scard.SCardGetStatusChange(context, 500, known)
            if hresult == scard.SCARD_S_SUCCESS:
                known = [(name, state) for name, state, _ in states]
            if not any(state & scard.SCARD_STATE_PRESENT for _, state in known):
                return
        raise AssertionError("a card stayed on a reader")
    finally:
        scard.SCardReleaseContext(context)
