"""Reads recordings of devices, and replays them through their drivers without the devices."""

from __future__ import annotations

from pathlib import Path

from tapledger.errors import Invalid
from tapledger_drivers.cassettes import tape
from tapledger_drivers.cassettes.replaying import Replayed, replay
from tapledger_drivers.cassettes.tape import Cassette


def read(file: Path) -> Cassette:
    """Return the recording of a file; raise ``Invalid`` for a file that is none."""
    try:
        return tape.read(file.read_bytes())
    except FileNotFoundError as error:
        raise Invalid("CONFIG_MISSING", path=str(file)) from error
    except OSError as error:
        raise Invalid("RECORDING_UNREADABLE", path=str(file), why=str(error.strerror)) from error
    except tape.CassetteUnreadable as error:
        raise Invalid("RECORDING_UNREADABLE", path=str(file), why=str(error)) from error


def play(file: Path, *, strict: bool) -> Replayed:
    """Replay a recording; needs a thread without a running event loop. Raise ``Invalid`` like ``read``."""
    return replay(read(file), strict=strict)
