"""A barcode scanner on a serial port (USB-CDC, RS-232): one code, one line."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tapledger_drivers import quirks
from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Io, Stream
from tapledger_drivers.ports import ScanEvent
from tapledger_drivers.registry import Making
from tapledger_drivers.scanners.framing import Framer
from tapledger_drivers.scanners.reading import CodeFormat, CodeReader
from tapledger_drivers.transports.addresses import BAUD_MAX, BAUD_MIN

BAUD = 9600


class SerialLineScanner:
    """Yield the codes that arrive on the serial port at ``path``, in their order, each exactly once.

    ``path`` may be a whole address instead (``tcp:HOST:PORT`` of a serial server), as in io.py. The port is
    read only when the code before has been taken: codes wait in the kernel and in the scanner.
    """

    def __init__(self, io: Io, path: str, baud: int = BAUD, code_format: CodeFormat | None = None) -> None:
        self._io = io
        self._path = path
        self._address = f"tty:{path}?baud={baud}" if path.startswith("/") else path
        self._format = code_format or CodeFormat()
        self._stream: Stream | None = None
        self._reader = CodeReader(self._format, io.traffic)
        self._framer = Framer(self._format.suffix, self._format.quiet_s)

    async def open(self) -> DeviceInfo:
        """Open the port for this process alone; raise ``DeviceAbsent`` or ``DeviceBlocked``."""
        await self.close()
        stream = await self._io.stream(self._address)
        self._stream = stream
        self._framer = Framer(self._format.suffix, self._format.quiet_s)
        quirk = quirks.find("scanner", name=self._path)
        return DeviceInfo(
            model="serial scanner" if quirk is None else quirk.model,
            address=self._address,
            virtual=stream.virtual,
            capabilities=quirks.capabilities(
                {"mode": "tty", "encoding": "auto"},
                {},
                quirk,
                self._format.operators_word(),
            ),
        )

    async def scans(self) -> AsyncIterator[ScanEvent]:
        """Yield codes until ``close``; raise ``DeviceLost`` on unplug, after every code read before it."""
        stream, framer = self._stream, self._framer
        while stream is not None and stream is self._stream:
            try:
                framed = framer.feed(await stream.read(framer.patience_s))
            except TimeoutError:
                framed = framer.silence()
            except DeviceLost:
                if stream is not self._stream:
                    return
                self._io.traffic.count("CommunicationErrorCount")
                raise
            # All at once: what nobody takes any more is in the traffic, and has to be hidden too.
            for event in [self._reader.read(code) for code in framed]:
                yield event

    async def health(self, level: HealthLevel) -> HealthReport:
        """Nothing can be asked of a scanner: say what its port and its codes have shown so far."""
        del level
        findings = [Finding("port_open", self._stream is not None, self._address)]
        if self._reader.aim_id_seen is not None:
            findings.append(Finding("aim_id_sent", self._reader.aim_id_seen))
            findings.append(Finding("line_end_sent", self._framer.ends_seen))
        return HealthReport(HealthLevel.INTERNAL, tuple(findings))

    async def close(self) -> None:
        """Close the port and end ``scans``."""
        stream, self._stream = self._stream, None
        self._reader.drop(self._framer.silence())
        if stream is not None:
            await stream.close()


def make(making: Making) -> SerialLineScanner:
    options = making.options
    path, baud = options.text("path"), options.integer("baud", BAUD, BAUD_MIN, BAUD_MAX)
    return SerialLineScanner(making.io, path, baud, CodeFormat.from_options(options))
