"""A barcode scanner that types: a keyboard in umockdev's /dev, its key events carried by a pseudo-terminal.

The process under test runs under ``umockdev-run``, which answers the ioctls of evdev from a description;
``command`` gives the line to start it with. What it opens as ``NODE`` is a link to our terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
from array import array
from collections.abc import Iterable
from pathlib import Path

from tapledger_drivers.emulators.on_a_wire import OnAWire
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.scanners import keymaps

NODE = "/dev/input/event5"
NAME = "Emulated scanner"
_EVENT = struct.Struct("llHHi")
"""input_event: seconds, microseconds, type, code, value."""
_PIECE_BYTES = 32 * _EVENT.size
"""A fifth of what a terminal holds: the kernel may be late with several."""
_LOOK_S = 0.001
_EMPTY_LOOKS = 4
"""How often in a row nothing is left to read before the next piece goes: it may still be on its way."""
EV_SYN, EV_KEY, SYN_REPORT, SYN_DROPPED = 0, 1, 0, 3
_NAME_BYTES = 256
"""evdev asks for names with a buffer of this size, and umockdev compares sizes."""
_KEY_BITMAP_BYTES = 96
_KEYS = range(1, 112)
_GROUP_SEPARATOR = "\x1d"
_RIGHT_BRACKET_KEY = 27


def describe(folder: Path) -> tuple[Path, Path]:
    """Write umockdev's description of the keyboard and of its ioctls; return both files."""
    keys = bytearray(_KEY_BITMAP_BYTES)
    for code in _KEYS:
        keys[code // 8] |= 1 << code % 8
    device, ioctls = folder / "keyboard.umockdev", folder / "keyboard.ioctl"
    device.write_text(
        f"P: /devices/platform/scanner/input/input5/event5\nN: {NODE.removeprefix('/dev/')}\n"
        f"E: DEVNAME={NODE}\nE: ID_INPUT=1\nE: ID_INPUT_KEYBOARD=1\nE: SUBSYSTEM=input\nA: dev=13:69\\n\n\n",
        encoding="ascii",
    )
    ioctls.write_text(
        f"@DEV {NODE}\nEVIOCGVERSION 0 01000100\nEVIOCGID 0 0600000000000100\n"
        f"EVIOCGNAME {len(NAME)} {_padded(NAME)}\nEVIOCGPHYS 1 {_padded('x')}\nEVIOCGUNIQ 1 {_padded('')}\n"
        f"EVIOCGBIT(0) 4 13000200\nEVIOCGBIT(1) {_KEY_BITMAP_BYTES} {keys.hex().upper()}\n"
        "EVIOCGBIT(4) 8 1000000000000000\nEVIOCGBIT(17) 8 0700000000000000\nEVIOCGEFFECTS 0 00000000\n",
        encoding="ascii",
    )
    return device, ioctls


def _padded(name: str) -> str:
    return name.encode().ljust(_NAME_BYTES, b"\0").hex().upper()


def command(folder: Path, program: Iterable[str]) -> list[str]:
    """Return what runs ``program`` where the keyboard exists; ``folder`` keeps its description."""
    device, ioctls = describe(folder)
    return ["umockdev-run", "-d", str(device), "-i", f"{NODE}={ioctls}", "--", *program]


class _KeyWire(PtyWire):
    """The kernel hands out whole events only; a full terminal would cut one in two, so it is never filled."""

    _waits = False
    _empty_looks = 0

    def _flush(self) -> None:
        if not self._waits:
            self._empty_looks = _EMPTY_LOOKS
            self._send_some()

    def _send_some(self) -> None:
        self._waits = False
        if self._fd is None or self._slave is None:
            return
        unread = array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, unread)
        self._empty_looks = 0 if unread[0] else self._empty_looks + 1
        if self._empty_looks >= _EMPTY_LOOKS:
            self._empty_looks = 0
            with contextlib.suppress(BlockingIOError):
                del self._unread[: os.write(self._fd, self._unread[:_PIECE_BYTES])]
        if self._unread:
            self._waits = True
            asyncio.get_running_loop().call_later(_LOOK_S, self._send_some)


class KeyboardScannerEmulator(OnAWire):
    """``dev`` is the folder that the process under test sees as /dev."""

    def __init__(self, dev: Path, layout: str = "us") -> None:
        self._node = dev / NODE.removeprefix("/dev/")
        self._strokes = _strokes(keymaps.KEYMAPS[layout])
        super().__init__(self, "keyboard", make_wire=lambda machine: _KeyWire(machine, "keyboard"))

    async def start(self) -> None:
        await super().start()
        self._node.unlink(missing_ok=True)
        self._node.symlink_to(self.address.removeprefix("tty:"))

    async def close(self) -> None:
        self._node.unlink(missing_ok=True)
        await super().close()

    async def scan(self, text: str, suffix: str = "\r") -> None:
        """Type one code, as a scanner does after reading it."""
        self.type(*(self._strokes[char] for char in text + suffix))

    def type(self, *strokes: tuple[int, ...]) -> None:
        """Press and release keys; the last key of a stroke is pressed while those before it are held."""
        self.wire.send(b"".join(_pressed(stroke) for stroke in strokes))

    def overflow(self) -> None:
        """Say what the kernel says when nobody read the keys in time."""
        self.wire.send(_EVENT.pack(0, 0, EV_SYN, SYN_DROPPED, 0))

    def attached(self) -> None:
        pass

    def received(self, data: bytes) -> None:
        """Lights and repeat rates: a scanner ignores them."""

    def detached(self) -> None:
        pass


def _pressed(stroke: tuple[int, ...]) -> bytes:
    order = [(code, 1) for code in stroke] + [(code, 0) for code in reversed(stroke)]
    return b"".join(
        _EVENT.pack(0, 0, EV_KEY, code, value) + _EVENT.pack(0, 0, EV_SYN, SYN_REPORT, 0)
        for code, value in order
    )


def _strokes(keymap: keymaps.Keymap) -> dict[str, tuple[int, ...]]:
    strokes: dict[str, tuple[int, ...]] = {
        "\r": (keymaps.ENTER[0],),
        "\t": (keymaps.TAB,),
        _GROUP_SEPARATOR: (keymaps.LEFT_CTRL, _RIGHT_BRACKET_KEY),
    }
    held = ((keymap.alt_gr, (keymaps.RIGHT_ALT,)), (keymap.shift, (keymaps.LEFT_SHIFT,)), (keymap.plain, ()))
    for level, modifiers in held:
        strokes |= {char: (*modifiers, code) for code, char in level.items()}
    return strokes
