"""A tower light with a buzzer on a serial port: Adafruit 5125 and the boards it is made of.

Each command is one byte, 9600 baud, and the light never answers. Source: Adafruit's example for product 5125:
the high half of the byte says on (1), off (2) or blinking (4), the low half red (1), yellow (2), green (4) or
buzzer (8).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Io
from tapledger_drivers.ports import Feedback
from tapledger_drivers.quirks import capabilities
from tapledger_drivers.registry import Making
from tapledger_drivers.transports.one_way import OneWay

SHORT_BEEP_S, LONG_BEEP_S = 0.08, 0.4

ON, OFF, BLINK = 0x10, 0x20, 0x40
RED, YELLOW, GREEN, BUZZER = 0x1, 0x2, 0x4, 0x8
ALL_OFF = bytes(OFF | part for part in (BUZZER, RED, YELLOW, GREEN))

_LIGHTS: Mapping[Feedback, bytes] = {
    Feedback.READY: bytes([ON | GREEN]),
    Feedback.READING: bytes([ON | YELLOW]),
    Feedback.ACCEPTED: bytes([BLINK | GREEN]),
    Feedback.REFUSED: bytes([ON | RED]),
    Feedback.OFF: b"",
}
_SILENT = bytes([OFF | BUZZER])
_BEEPS = {Feedback.ACCEPTED: SHORT_BEEP_S, Feedback.REFUSED: LONG_BEEP_S}


class SerialLight:
    """Show patterns on the light at ``address``, such as ``tty:/dev/serial/by-id/...``."""

    def __init__(self, address: str, io: Io, *, buzzer: bool = True) -> None:
        self._line = OneWay(address, io)
        self._buzzer = buzzer
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> DeviceInfo:
        """Open the port and switch everything off: the light keeps what another program left."""
        virtual = await self._line.open()
        await self._line.write(ALL_OFF)
        return DeviceInfo(
            model="tower light",
            address=self._line.address,
            virtual=virtual,
            capabilities=capabilities(
                {"led": True, "buzzer": True}, {}, None, {} if self._buzzer else {"buzzer": False}
            ),
        )

    async def close(self) -> None:
        await self._line.close()

    async def health(self, level: HealthLevel) -> HealthReport:
        """See that the port is there; ``external`` and above make every part of the light show itself."""
        await self._line.check()
        if level is HealthLevel.INTERNAL:
            return HealthReport(level, (Finding("port_open", True, self._line.address),))
        for pattern in (Feedback.REFUSED, Feedback.READING, Feedback.ACCEPTED, Feedback.READY):
            await self.show(pattern)
        return HealthReport(HealthLevel.EXTERNAL, (Finding("light", True),))

    async def show(self, pattern: Feedback) -> None:
        async with self._one_at_a_time:
            await self._line.write(ALL_OFF + _LIGHTS[pattern])
            if not self._buzzer or pattern not in _BEEPS:
                return
            await self._line.write(bytes([ON | BUZZER]))
            try:
                await asyncio.sleep(_BEEPS[pattern])
            except asyncio.CancelledError:
                with contextlib.suppress(DeviceLost):  # else that it went would hide that this was cancelled
                    await self._line.write(_SILENT)
                raise
            await self._line.write(_SILENT)


def make(making: Making) -> SerialLight:
    buzzer = making.options.flag("buzzer", True) is not False
    return SerialLight(making.options.text("port"), making.io, buzzer=buzzer)
