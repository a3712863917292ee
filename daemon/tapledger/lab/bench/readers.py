"""Card readers on a bench: behind the real pcscd, a PN532 board on a serial line, or in the daemon itself."""

from __future__ import annotations

import dataclasses
import secrets
from abc import abstractmethod

from tapledger.errors import Unavailable
from tapledger.lab.bench.device import BenchDevice
from tapledger.lab.seed import DemoCard
from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.reader_station import ReaderStation, StationRefused

SIMULATED = "simulated_reader"
"""Stands for ``pcsc`` where no pcscd can run; known to the lab's shops only."""
TORN_AFTER = 3


class BenchReader(BenchDevice):
    """A reader, and the id of the card that lies on it."""

    kind = "reader"

    async def lay(self, card: DemoCard) -> None:
        """Lay a card on, in place of what lies there."""
        await self._lay(card)
        self.card = card.id

    async def take(self) -> None:
        """Take the card away; does nothing when there is none."""
        await self._take()
        self.card = None

    @abstractmethod
    async def _lay(self, card: DemoCard) -> None: ...

    @abstractmethod
    async def _take(self) -> None: ...


class SimulatedReader(BenchReader):
    """Only the word for where a card lies; the reader is in the shop's own process."""

    def __init__(self, role: str) -> None:
        super().__init__(role, SIMULATED, None)

    def options(self) -> dict[str, object]:
        return {}

    async def _lay(self, card: DemoCard) -> None:
        pass

    async def _take(self) -> None:
        pass


class StationFaults:
    """Faults of one reader of a station; pcscd is the same for all of them."""

    def __init__(self, station: ReaderStation, killed: list[bool]) -> None:
        self._station = station
        self._killed = killed
        self._next: dict[Verb, None] = {}

    def verbs(self) -> tuple[Verb, ...]:
        return (Verb.TORN_CARD, Verb.RANDOM_UID, Verb.PCSCD_KILL)

    def faults(self) -> tuple[Fault, ...]:
        dead = (Fault(Verb.PCSCD_KILL),) if self._killed[0] else ()
        return (*(Fault(verb) for verb in self._next), *dead)

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        del amount
        if verb is Verb.PCSCD_KILL:
            await (self._station.kill_pcscd() if on else self._station.start_pcscd())
            self._killed[0] = on
        elif on:
            self._next[verb] = None
        else:
            self._next.pop(verb, None)

    def marked(self, card: DemoCard) -> DemoCard:
        """Return the card as it is when it is laid on now."""
        made = card.card
        if Verb.RANDOM_UID in self._next:
            made = dataclasses.replace(made, uid=b"\x08" + secrets.token_bytes(3))
        if Verb.TORN_CARD in self._next:
            del self._next[Verb.TORN_CARD]
            made = dataclasses.replace(made, torn_after=TORN_AFTER)
        return dataclasses.replace(card, card=made)


class PcscReader(BenchReader):
    """Number ``place`` of the station's readers."""

    def __init__(self, role: str, station: ReaderStation, place: int, faults: StationFaults) -> None:
        super().__init__(role, "pcsc", faults)
        self._station = station
        self._place = place
        self._faults = faults

    def options(self) -> dict[str, object]:
        return {"reader_name": self._station.reader_names[self._place]}

    async def pull(self, verb: str, on: bool, amount: int | None) -> None:
        await super().pull(verb, on, amount)
        if verb == Verb.PCSCD_KILL and on:
            self.card = None

    async def _lay(self, card: DemoCard) -> None:
        try:
            await self._station.insert(self._place, self._faults.marked(card).card)
        except StationRefused as error:
            raise Unavailable("DOCK_NO_PCSCD") from error

    async def _take(self) -> None:
        await self._station.remove(self._place)
