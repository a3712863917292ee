"""A barcode scanner on a pseudo-terminal: the driver opens ``path`` as it would a real port."""

from __future__ import annotations

from collections.abc import Callable

from tapledger_drivers.emulators.on_a_wire import OnAWire
from tapledger_drivers.emulators.wire import Machine, Wire


class SerialScannerEmulator(OnAWire):
    """Its terminal has another name after each ``replug``; ``path`` stays the same."""

    def __init__(self, make_wire: Callable[[Machine], Wire] | None = None) -> None:
        super().__init__(self, "scanner", make_wire=make_wire)

    @property
    def path(self) -> str:
        """What the driver's option ``path`` says."""
        return self.address.removeprefix("tty:")

    async def scan(self, text: str, suffix: str = "\r") -> None:
        """Send one code as a scanner does after reading it; it is lost while nothing is plugged in."""
        await self.send_raw((text + suffix).encode())

    async def send_raw(self, data: bytes) -> None:
        """Send any bytes; they wait while nobody reads, as with flow control."""
        self.wire.send(data)

    def attached(self) -> None:
        pass

    def received(self, data: bytes) -> None:
        """Scanners take commands by their own protocols; this one knows none."""

    def detached(self) -> None:
        pass
