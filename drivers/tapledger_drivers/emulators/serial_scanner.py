"""A barcode scanner on a pseudo-terminal: the driver opens ``path`` as it would a real port."""

from __future__ import annotations

from collections.abc import Callable

from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.wire import WIRE_VERBS, Machine, Wire


class SerialScannerEmulator:
    """An ``Emulated``. Its terminal has another name after each ``replug``; ``path`` stays the same."""

    def __init__(self, make_wire: Callable[[Machine], Wire] | None = None) -> None:
        self.wire = make_wire(self) if make_wire else PtyWire(self, "scanner")

    @property
    def path(self) -> str:
        """What the driver's option ``path`` says."""
        return self.wire.address.removeprefix("tty:")

    async def start(self) -> None:
        """Plug it in."""
        await self.wire.start()

    async def close(self) -> None:
        await self.wire.close()

    async def scan(self, text: str, suffix: str = "\r") -> None:
        """Send one code as a scanner does after reading it; it is lost while nothing is plugged in."""
        await self.send_raw((text + suffix).encode())

    async def send_raw(self, data: bytes) -> None:
        """Send any bytes; they wait while nobody reads, as with flow control."""
        self.wire.send(data)

    # ---- the machine at the end of the wire ------------------------------------------------------------
    def attached(self) -> None:
        pass

    def received(self, data: bytes) -> None:
        """Scanners take commands by their own protocols; this one knows none."""

    def detached(self) -> None:
        pass

    # ---- what the lab can break ------------------------------------------------------------------------
    def verbs(self) -> tuple[Verb, ...]:
        return WIRE_VERBS

    def faults(self) -> tuple[Fault, ...]:
        return self.wire.faults()

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        await self.wire.pull(verb, on=on, amount=amount)
