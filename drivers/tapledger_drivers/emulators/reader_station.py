"""Virtual card readers behind the real pcscd, shut in a network namespace of their own.

vpcd listens on all addresses, so it runs where there is nothing but a loopback of its own; pcscd's UNIX
socket is reachable through the file system, which that namespace shares. Run it by hand with
``python -m tapledger_drivers.emulators.reader_station --dir DIR``: it ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tapledger_drivers.emulators.card_faults import CARD_VERBS
from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.station_process import (
    COMMAND_BYTES_MAX,
    CONTROL_NAME,
    PCSCD_START_TIMEOUT_S,
    READERS_MAX,
    SOCKET_NAME,
    VPCD_LIBRARY,
    card_to_json,
    find_pcscd,
)
from tapledger_drivers.emulators.virtual_card import VirtualCard

START_TIMEOUT_S = PCSCD_START_TIMEOUT_S + 10.0
COMMAND_TIMEOUT_S = PCSCD_START_TIMEOUT_S + 5.0
STOP_TIMEOUT_S = 5.0
ERROR_LOG_NAME = "station.log"
_UNIX_PATH_MAX = 107
"""Bytes of a UNIX socket's path that Linux takes; libpcsclite cuts a longer one without a word."""


class StationUnavailable(Exception):
    """This machine cannot run the station; ``reason`` is a code and ``next_step`` a sentence."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(f"{reason}: {next_step}")
        self.reason = reason
        self.next_step = next_step


class StationRefused(Exception):
    """The station did not do what it was told; nothing has changed."""


class ReaderStation:
    """Up to ``READERS_MAX`` virtual readers and what lies on them.

    It is bound to no event loop: each command is one short connection. Programs find its pcscd through
    ``PCSCLITE_CSOCK_NAME=socket_path``, which libpcsclite reads at a process's first PC/SC call.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], directory: Path, reader_names: tuple[str, ...]
    ) -> None:
        self._process = process
        self._directory = directory.absolute()
        self.reader_names = reader_names
        self.readers = tuple(StationReader(self, number) for number in range(len(reader_names)))
        """One object for each, for whoever breaks and mends a single device."""

    @property
    def socket_path(self) -> Path:
        return self._directory / SOCKET_NAME

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls, directory: Path, readers: int = 2) -> ReaderStation:
        """Start it with its sockets in ``directory``; raise ``StationUnavailable`` if this machine cannot."""
        process = _spawn(directory, readers)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                greeting = await asyncio.to_thread(process.stdout.readline)
            names = tuple(json.loads(greeting)["readers"])
        except (TimeoutError, ValueError) as error:
            _stop(process)
            log = (directory / ERROR_LOG_NAME).read_text(errors="replace").strip().splitlines()
            detail = log[-1] if log else "no message"
            raise StationUnavailable("station_failed", f"see {ERROR_LOG_NAME}: {detail}") from error
        except BaseException:
            _stop(process)
            raise
        return cls(process, directory, names)

    async def insert(self, reader: int, card: VirtualCard) -> None:
        """Lay a card on reader number ``reader``, taking away what lies there; pcscd sees it within 0.5 s."""
        await self._command({"do": "insert", "reader": reader, "card": card_to_json(card)})

    async def remove(self, reader: int) -> None:
        """Take the card away; does nothing when there is none."""
        await self._command({"do": "remove", "reader": reader})

    async def kill_pcscd(self) -> None:
        """Kill pcscd with SIGKILL; the cards stay where they lie."""
        await self._command({"do": "kill_pcscd"})

    async def start_pcscd(self) -> None:
        """Start pcscd again; returns when its readers are there."""
        await self._command({"do": "start_pcscd"})

    async def fault(self, reader: int, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin or end a fault of one reader; raise ``StationRefused`` for one that it does not know."""
        await self._command({"do": "fault", "reader": reader, "verb": verb, "on": on, "amount": amount})

    async def state(self) -> dict[str, Any]:
        """Return ``{"pcscd": bool, "readers": [{"name": str, "card": {...} | None, "faults": {verb: amount}},
        ...]}``."""
        state = await self._command({"do": "state"})
        for reader, told in zip(self.readers, state["readers"], strict=True):
            reader.learn(told["faults"], pcscd=state["pcscd"])
        return state

    async def close(self) -> None:
        """End everything the station started; does nothing when it has ended."""
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """``close`` for a caller without an event loop."""
        _stop(self._process)

    async def _command(self, command: Mapping[str, object]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(
                    self._directory / CONTROL_NAME, limit=COMMAND_BYTES_MAX
                )
                try:
                    writer.write(json.dumps(command).encode() + b"\n")
                    line = await reader.readline()
                finally:
                    writer.close()
                    await writer.wait_closed()
            answer: dict[str, Any] = json.loads(line)
        except (OSError, ValueError) as error:
            raise StationRefused(f"{command['do']}: the station does not answer") from error
        if "error" in answer:
            raise StationRefused(f"{command['do']}: {answer['error']}")
        return answer


class StationReader:
    """One reader of a station: ``Emulated``, and where cards are laid on."""

    def __init__(self, station: ReaderStation, number: int) -> None:
        self._station = station
        self._number = number
        self._faults: tuple[Fault, ...] = ()
        self.name = station.reader_names[number]

    async def insert(self, card: VirtualCard) -> None:
        await self._station.insert(self._number, card)

    async def remove(self) -> None:
        await self._station.remove(self._number)

    def verbs(self) -> tuple[Verb, ...]:
        return (Verb.UNPLUG, Verb.REPLUG, *CARD_VERBS, Verb.PCSCD_KILL)

    def faults(self) -> tuple[Fault, ...]:
        """Return those in force when they were last pulled here, or ``ReaderStation.state`` was asked."""
        return self._faults

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin or end a fault. ``unplug`` and ``pcscd_kill`` take the service away from all readers: pcscd
        learns of a virtual reader's going only by being started anew."""
        if verb not in self.verbs():
            raise ValueError(f"a card reader does not know {verb}")
        try:
            await self._station.fault(self._number, verb, on=on, amount=amount)
        except StationRefused as error:
            raise ValueError(str(error)) from error
        await self._station.state()

    def learn(self, faults: Mapping[str, int], *, pcscd: bool) -> None:
        """Take over what the station said of this reader."""
        dead = () if pcscd else (Fault(Verb.PCSCD_KILL),)
        self._faults = (*(Fault(Verb(verb), amount) for verb, amount in faults.items()), *dead)


def _command(directory: Path, readers: int) -> list[str]:
    """Return the command that starts the station process in its namespaces."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise StationUnavailable("unshare_missing", "install util-linux")
    if find_pcscd() is None:
        raise StationUnavailable("pcscd_missing", "apt-get install pcscd")
    if not VPCD_LIBRARY.exists():
        raise StationUnavailable("vpcd_missing", "apt-get install vsmartcard-vpcd")
    if len(os.fsencode(directory / SOCKET_NAME)) > _UNIX_PATH_MAX:
        raise StationUnavailable("path_too_long", f"choose a folder with a shorter path than {directory}")
    return [
        unshare,
        *(["--map-root-user"] if os.geteuid() != 0 else []),
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        sys.executable,
        "-m",
        "tapledger_drivers.emulators.station_process",
        f"--dir={directory}",
        f"--readers={readers}",
    ]


def _spawn(directory: Path, readers: int) -> subprocess.Popen[bytes]:
    command = _command(directory.resolve(), readers)
    with (directory / ERROR_LOG_NAME).open("wb") as errors:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for the program that owns the station
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()  # unshare's death kills process 1, and that kills the namespace
        process.wait()
    process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder for pcscd.sock and station.sock")
    parser.add_argument("--readers", type=int, choices=range(1, READERS_MAX + 1), default=2)
    arguments = parser.parse_args()
    directory = arguments.dir.resolve()
    try:
        command = _command(directory, arguments.readers)
    except StationUnavailable as error:
        sys.exit(str(error))
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
