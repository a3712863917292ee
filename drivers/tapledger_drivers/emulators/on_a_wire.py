"""What every emulated device with no other trouble than its cable's is able to do: come, go and break."""

from __future__ import annotations

from collections.abc import Callable

from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.wire import WIRE_VERBS, Machine, Wire


class OnAWire:
    """An ``Emulated`` device with the faults of its cable; a device with more of them adds its own.

    The cable is a pseudo-terminal, but for those that ``make_wire`` makes.
    """

    def __init__(
        self, machine: Machine, name: str, seed: int = 0, make_wire: Callable[[Machine], Wire] | None = None
    ) -> None:
        self.wire = make_wire(machine) if make_wire else PtyWire(machine, name, seed)

    @property
    def address(self) -> str:
        return self.wire.address

    async def start(self) -> None:
        """Plug it in."""
        await self.wire.start()

    async def close(self) -> None:
        await self.wire.close()

    def verbs(self) -> tuple[Verb, ...]:
        return WIRE_VERBS

    def faults(self) -> tuple[Fault, ...]:
        return self.wire.faults()

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        await self.wire.pull(verb, on=on, amount=amount)
