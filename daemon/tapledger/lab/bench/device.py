"""What every device on a bench has: a role in its shop, an emulator, and faults that can be pulled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tapledger.errors import Invalid, Unavailable
from tapledger.web.snapshots import DockDevice, DockFault, DockKind
from tapledger_drivers.emulators.faults import AMOUNTS, ONCE, Emulated, Verb

AMOUNT_MAX = 1_000_000


class BenchDevice(ABC):
    """One virtual device and how the shop's daemon reaches it. ``emulated`` is None where nothing of it can
    break."""

    kind: ClassVar[DockKind]
    card: str | None = None
    """Of a reader: the id of what lies on it."""

    def __init__(self, role: str, driver: str, emulated: Emulated | None) -> None:
        self.role = role
        self.driver = driver
        self.emulated = emulated

    @abstractmethod
    def options(self) -> dict[str, object]:
        """Return the options of its ``[[devices]]`` table."""

    async def start(self) -> None:  # noqa: B027 - most have nothing to do
        """Plug it in."""

    async def close(self) -> None:  # noqa: B027
        """Take it away."""

    # What some kinds of device show, and others have nothing of.
    def is_open(self) -> bool | None:
        return None

    def lines(self) -> list[str]:
        return []

    def light(self) -> str:
        return ""

    def view(self) -> DockDevice:
        return DockDevice(
            role=self.role,
            kind=self.kind,
            driver=self.driver,
            faults=self.faults(),
            card=self.card,
            open=self.is_open(),
            lines=self.lines(),
            light=self.light(),
        )

    async def look(self) -> None:  # noqa: B027
        """Ask a device that is in another process how it is; called now and then."""

    def table(self) -> dict[str, object]:
        """Return the ``[[devices]]`` table of daemon.toml that reaches it."""
        return {"role": self.role, "driver": self.driver, "options": self.options()}

    async def pull(self, verb: str, on: bool, amount: int | None) -> None:
        """Begin a fault or end it; raise ``Invalid`` for one that this device cannot have."""
        if self.emulated is None:
            raise Invalid("DOCK_NO_FAULTS", device=self.role)
        known = self.emulated.verbs()
        if verb not in known:
            raise Invalid("DOCK_NO_FAULT", device=self.role, verb=verb, known=", ".join(known))
        if amount is not None and not 0 <= amount <= AMOUNT_MAX:
            raise Invalid("DOCK_AMOUNT", highest=AMOUNT_MAX)
        try:
            await self.emulated.pull(Verb(verb), on=on, amount=amount)
        except ValueError as error:
            raise Unavailable("DOCK_GONE") from error  # it knows the fault, but does not answer

    def faults(self) -> list[DockFault]:
        """Return every fault it can have, and which are in force."""
        if self.emulated is None:
            return []
        in_force = {fault.verb: fault.amount for fault in self.emulated.faults()}
        return [
            DockFault(
                verb=verb,
                on=verb in in_force,
                once=verb in ONCE,
                amount=in_force.get(verb, AMOUNTS[verb]) if verb in AMOUNTS else None,
            )
            for verb in self.emulated.verbs()
        ]
