"""A keyboard of the kernel's input system (/dev/input/event*), grabbed so that no other program types it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import evdev
from evdev import ecodes

from tapledger_drivers.errors import DeviceBlocked, DeviceLost
from tapledger_drivers.io import KEYS_LOST, KeyEvent
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import why_not_open

LOOK_EVERY_S = 0.5
"""How often to see whether the device file is still there, should the kernel not say that it went."""
_CHANNEL = "key"
_VALUES = (0, 1, 2)
_KEYS_OF_A_SCANNER = frozenset({ecodes.KEY_0, ecodes.KEY_1, ecodes.KEY_9, ecodes.KEY_ENTER})


def open_keys(path: str, traffic: Traffic) -> EvdevKeys:
    """Open and grab the keyboard at ``path``; raise ``DeviceAbsent`` or ``DeviceBlocked``. Blocking."""
    try:
        device = evdev.InputDevice(path)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            raise DeviceBlocked("not_a_keyboard", path) from error
        raise why_not_open(path, error.errno, error) from error
    try:
        if not _KEYS_OF_A_SCANNER.issubset(device.capabilities().get(ecodes.EV_KEY, ())):
            raise DeviceBlocked("not_a_keyboard", f"{path} is {device.name}")
        try:
            device.grab()
        except OSError as error:
            raise why_not_open(path, error.errno, error) from error
    except BaseException:
        device.close()
        raise
    traffic.note(_CHANNEL, f"opened {_usb_id(device)} {device.name}")
    return EvdevKeys(device, path, traffic)


class EvdevKeys:
    """An ``io.Keys``."""

    def __init__(self, device: evdev.InputDevice[str], path: str, traffic: Traffic) -> None:
        self._device = device
        self._traffic = traffic
        self._closed = False
        self._readable = asyncio.Event()
        self.address = path
        self.name = str(device.name)
        self.usb_id = _usb_id(device)
        self.virtual = device.info.bustype == ecodes.BUS_VIRTUAL

    async def events(self) -> AsyncIterator[KeyEvent]:
        """Yield keys as ``io.Keys`` says."""
        while found := await self._read():
            for kind, code, value in found:
                if self._closed:
                    return
                event = _key_event(kind, code, value)
                if event is not None:
                    self._traffic.received(_CHANNEL, event.pack())
                    yield event

    async def close(self) -> None:
        """Let the keyboard go and end ``events``; twice is once."""
        if self._closed:
            return
        self._closed = True
        self._readable.set()
        asyncio.get_running_loop().remove_reader(self._device.fd)
        with contextlib.suppress(OSError):  # a keyboard that has gone cannot be set free
            self._device.ungrab()
        with contextlib.suppress(OSError):
            self._device.close()

    async def _read(self) -> list[tuple[int, int, int]]:
        """Return the next input events as (type, code, value), none when closed."""
        while not self._closed:
            try:
                found = [(one.type, one.code, one.value) for one in self._device.read()]
            except BlockingIOError:
                await self._wait()
                continue
            except OSError as error:
                raise self._lost(str(error)) from error
            if not found:
                raise self._lost("end of data") from EOFError(self.address)
            return found
        return []

    async def _wait(self) -> None:
        loop, fd = asyncio.get_running_loop(), self._device.fd
        self._readable.clear()
        loop.add_reader(fd, self._readable.set)
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._readable.wait()
        except TimeoutError:
            if not Path(self.address).exists():  # noqa: ASYNC240 - one stat, no disk
                raise self._lost("the device file has gone") from FileNotFoundError(self.address)
        finally:
            if not self._closed:  # a closed number may be somebody else's by now
                loop.remove_reader(fd)

    def _lost(self, why: str) -> DeviceLost:
        self._traffic.note(_CHANNEL, f"lost: {why}")
        return DeviceLost("unplugged", f"{self.address}: {why}")


def _key_event(kind: int, code: int, value: int) -> KeyEvent | None:
    if kind == ecodes.EV_KEY and value in _VALUES and code != ecodes.KEY_RESERVED:
        return KeyEvent(code, value)
    return KEYS_LOST if (kind, code) == (ecodes.EV_SYN, ecodes.SYN_DROPPED) else None


def _usb_id(device: evdev.InputDevice[str]) -> str:
    if device.info.bustype != ecodes.BUS_USB:
        return ""
    return f"{device.info.vendor:04X}:{device.info.product:04X}"
