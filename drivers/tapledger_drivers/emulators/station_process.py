"""What runs inside the reader station's own namespaces: the real pcscd, and the cards on its readers.

Started only by ``reader_station``, as process 1 of a PID namespace: when it ends, everything in there ends.
It ends when its standard input closes, which is when the process that started the station is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

from tapledger_drivers.emulators.card_faults import CARD_VERBS
from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.emulators.vpcd_slot import VpcdSlot

SOCKET_NAME = "pcscd.sock"
CONTROL_NAME = "station.sock"
LOG_NAME = "pcscd.log"
PCSCD_START_TIMEOUT_S = 10.0
COMMAND_BYTES_MAX = 64 * 1024

VPCD_LIBRARY = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
READERS_MAX = 8
"""pcscd has room for 16, and each of ours brings a second slot that stays empty."""
_SLOTS = 2
_FIRST_PORT = 35963
_PRIVATE = Path("/run/tapledger")
"""On this mount namespace's own tmpfs: it vanishes with the station."""


def find_pcscd() -> str | None:
    """Return pcscd's path; it lives in sbin, which is not on everybody's PATH."""
    return shutil.which("pcscd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def reader_names(readers: int) -> tuple[str, ...]:
    """Name the station's readers as pcscd does: entry name, entry number, slot number."""
    return tuple(f"{_entry_name(number)} 00 00" for number in range(readers))


def _entry_name(number: int) -> str:
    return f"Tapledger Virtual {chr(ord('A') + number)}"


def port_of(reader: int) -> int:
    return _FIRST_PORT + _SLOTS * reader


def card_to_json(card: VirtualCard) -> dict[str, object]:
    return {
        "kind": card.kind.value,
        "uid": card.uid.hex(),
        "ndef": card.ndef.hex(),
        "torn_after": card.torn_after,
        "wrong_answers": card.wrong_answers,
    }


def card_from_json(fields: dict[str, str | int | bool | None]) -> VirtualCard:
    """Build the card a command describes; raise ValueError, TypeError or KeyError when it describes none."""
    torn_after = fields.get("torn_after")
    return VirtualCard(
        kind=CardKind(str(fields["kind"])),
        uid=bytes.fromhex(str(fields["uid"])),
        ndef=bytes.fromhex(str(fields.get("ndef") or "")),
        torn_after=None if torn_after is None else int(torn_after),
        wrong_answers=bool(fields.get("wrong_answers")),
    )


class Pcscd:
    """The real daemon, listening in ``directory`` (an open descriptor) as systemd would let it."""

    def __init__(self, directory: int, readers: int) -> None:
        self._directory = directory
        self._readers = readers
        self._process: asyncio.subprocess.Process | None = None
        self._listener: socket.socket | None = None
        self.unplugged: set[int] = set()
        """Readers that the next start leaves out: pcscd finds virtual ones only when it starts."""

    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def _plugged(self) -> list[int]:
        return [reader for reader in range(self._readers) if reader not in self.unplugged]

    def _write_configuration(self) -> None:
        folder = _PRIVATE / "reader.conf"
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for reader in self._plugged():
            # Two entries with one library share its static state: each gets a copy (lab.md section 1).
            library = _PRIVATE / f"libifdvpcd{reader}.so"
            if not library.exists():
                shutil.copyfile(VPCD_LIBRARY, library)
            port = port_of(reader)
            entries.append(
                f'FRIENDLYNAME "{_entry_name(reader)}"\n'
                f"DEVICENAME /dev/null:0x{port:04X}\nLIBPATH {library}\nCHANNELID 0x{port:04X}\n"
            )
        (folder / "vpcd").write_text("\n".join(entries))

    async def start(self) -> None:
        """Start and wait until every virtual reader accepts cards; raise RuntimeError when it does not."""
        if self.is_running():
            return
        self._write_configuration()
        self._listener = listener = listen(self._directory, SOCKET_NAME)
        log = os.open(
            LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600, dir_fd=self._directory
        )
        try:
            self._process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --foreground --config "$1"',
                find_pcscd() or "pcscd",
                str(_PRIVATE / "reader.conf"),
                preexec_fn=lambda: os.dup2(listener.fileno(), 3),
                pass_fds=(3,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        finally:
            os.close(log)
        async with asyncio.timeout(PCSCD_START_TIMEOUT_S):
            while not {port_of(reader) for reader in self._plugged()} <= _listening_ports():
                if not self.is_running():
                    raise RuntimeError(f"pcscd ended at once, see {LOG_NAME}")
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """End pcscd as a crash would, and take its socket away as its service manager's absence would."""
        if self._process is not None and self.is_running():
            self._process.kill()
            await self._process.wait()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            os.unlink(SOCKET_NAME, dir_fd=self._directory)


class Station:
    """Obeys the commands that come over the control socket."""

    def __init__(self, pcscd: Pcscd, readers: int) -> None:
        self._pcscd = pcscd
        self._names = reader_names(readers)
        self._slots = [VpcdSlot(port_of(reader)) for reader in range(readers)]
        self._lying: dict[int, VirtualCard] = {}
        """What lies on the readers of a pcscd that is not running."""

    async def obey(self, command: dict[str, object]) -> dict[str, object]:
        match command:
            case {"do": "insert", "reader": int(reader), "card": dict(card)}:
                await self._insert(reader, card_from_json(card))
            case {"do": "remove", "reader": int(reader)}:
                self._lying.pop(reader, None)
                await self._slots[reader].remove()
            case {"do": "kill_pcscd"}:
                await self._kill()
            case {"do": "start_pcscd"}:
                await self._start()
            case {"do": "fault", "reader": int(reader), "verb": str(verb), "on": bool(on)}:
                await self._fault(reader, Verb(verb), on, _amount(command.get("amount")))
            case {"do": "state"}:
                return {"pcscd": self._pcscd.is_running(), "readers": self._readers()}
            case _:
                raise ValueError(f"unknown command {command}")
        return {}

    async def _insert(self, reader: int, card: VirtualCard) -> None:
        slot = self._slots[reader]
        if self._pcscd.is_running() and reader not in self._pcscd.unplugged:
            await slot.insert(card)
        else:
            self._lying[reader] = card

    async def _kill(self) -> None:
        """Kill pcscd. Cards stay where they lie, and are there when it comes back."""
        self._lying |= {reader: slot.card for reader, slot in enumerate(self._slots) if slot.card is not None}
        await self._pcscd.kill()
        for slot in self._slots:
            await slot.remove()

    async def _start(self) -> None:
        if self._pcscd.is_running():
            return
        await self._pcscd.start()
        for reader, card in list(self._lying.items()):
            if reader not in self._pcscd.unplugged:
                del self._lying[reader]
                await self._slots[reader].insert(card)

    async def _fault(self, reader: int, verb: Verb, on: bool, amount: int | None) -> None:
        slot = self._slots[reader]
        if verb in CARD_VERBS:
            slot.pull(verb, on, amount)
        elif verb is Verb.PCSCD_KILL:
            await (self._kill() if on else self._start())
        elif verb in (Verb.UNPLUG, Verb.REPLUG):
            await self._plug(reader, unplugged=on and verb is Verb.UNPLUG)
        else:
            raise ValueError(f"a card reader does not know {verb}")

    async def _plug(self, reader: int, *, unplugged: bool) -> None:
        """Start pcscd again with another set of readers; one that was killed stays so."""
        if unplugged is (reader in self._pcscd.unplugged):
            return
        self._pcscd.unplugged ^= {reader}
        if self._pcscd.is_running():
            await self._kill()
            await self._start()

    def _readers(self) -> list[dict[str, object]]:
        return [self._reader(reader, slot) for reader, slot in enumerate(self._slots)]

    def _reader(self, reader: int, slot: VpcdSlot) -> dict[str, object]:
        card = slot.card or self._lying.get(reader)
        unplugged = (Fault(Verb.UNPLUG),) if reader in self._pcscd.unplugged else ()
        return {
            "name": self._names[reader],
            "card": card and card_to_json(card),
            "faults": {fault.verb: fault.amount for fault in (*unplugged, *slot.faults.faults())},
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One line of JSON in, one line of JSON out."""
        try:
            try:
                answer = await self.obey(json.loads(await reader.readline()))
            except (ValueError, TypeError, KeyError, IndexError, OSError, RuntimeError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # whoever asked has gone
        finally:
            writer.close()


def _amount(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"an amount is a whole number, not {value}")


def listen(directory: int, name: str) -> socket.socket:
    """Listen on a UNIX socket of that directory, also when the directory's own path is hidden by a mount."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"/proc/self/fd/{directory}/{name}")
    listener.listen(50)
    return listener


def _listening_ports() -> set[int]:
    """Return this network namespace's listening TCP ports; connecting to find out would insert a card."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}


def _raise_loopback() -> None:
    siocgifflags, siocsifflags, iff_up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, siocgifflags, struct.pack("16sH22x", b"lo", 0))
        _, flags = struct.unpack("16sH22x", request)
        fcntl.ioctl(any_socket, siocsifflags, struct.pack("16sH22x", b"lo", flags | iff_up))


async def _run(directory: int, readers: int) -> None:
    pcscd = Pcscd(directory, readers)
    await pcscd.start()
    station = Station(pcscd, readers)
    server = await asyncio.start_unix_server(
        station.serve, sock=listen(directory, CONTROL_NAME), limit=COMMAND_BYTES_MAX
    )
    async with server:
        parent_gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(0, lambda: None if os.read(0, 1024) else parent_gone.set())
        sys.stdout.write(json.dumps({"readers": reader_names(readers)}) + "\n")
        sys.stdout.flush()
        await parent_gone.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--readers", type=int, choices=range(1, READERS_MAX + 1), default=2)
    arguments = parser.parse_args()
    directory = os.open(arguments.dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in (SOCKET_NAME, CONTROL_NAME):
        (arguments.dir / name).unlink(missing_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # noqa: S607
    _raise_loopback()
    asyncio.run(_run(directory, arguments.readers))


if __name__ == "__main__":
    main()
