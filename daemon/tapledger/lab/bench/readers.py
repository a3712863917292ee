"""Card readers on a bench: behind the real pcscd, a PN532 board on a serial line, or in the daemon itself."""

from __future__ import annotations

import contextlib
from abc import abstractmethod

from tapledger.errors import Unavailable
from tapledger.lab.bench.device import BenchDevice
from tapledger.lab.seed import DemoCard
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.emulators.faults import ONCE, Verb
from tapledger_drivers.emulators.nfc_cards import IsoDepCard, MifareClassic, NfcCard, Ntag
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.emulators.reader_station import ReaderStation, StationRefused
from tapledger_drivers.emulators.simulated_reader import SimulatedCardReader
from tapledger_drivers.emulators.virtual_card import CardKind

SIMULATED = "simulated_reader"
"""Stands for ``pcsc`` where no pcscd can run; known to the lab's shops only."""


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
    """Only the word for where a card lies and what is broken; the reader that does it is in the shop's own
    process."""

    def __init__(self, role: str) -> None:
        self._word = SimulatedCardReader(role, SignedTokenPolicy({}))
        super().__init__(role, SIMULATED, self._word)

    def options(self) -> dict[str, object]:
        return {}

    async def _lay(self, card: DemoCard) -> None:
        pass

    async def _take(self) -> None:
        for verb in ONCE - {Verb.REPLUG}:  # the card that has gone was the one
            await self._word.pull(verb, on=False)


class PcscReader(BenchReader):
    """One of a station's readers."""

    def __init__(self, role: str, station: ReaderStation, number: int) -> None:
        self._station = station
        self._reader = station.readers[number]
        super().__init__(role, "pcsc", self._reader)

    def options(self) -> dict[str, object]:
        return {"reader_name": self._reader.name}

    async def look(self) -> None:
        if self._reader.faults():
            with contextlib.suppress(StationRefused):  # it is asked again in a moment
                await self._station.state()

    async def _lay(self, card: DemoCard) -> None:
        try:
            await self._reader.insert(card.card)
        except StationRefused as error:
            raise Unavailable("DOCK_GONE") from error

    async def _take(self) -> None:
        try:
            await self._reader.remove()
        except StationRefused as error:
            raise Unavailable("DOCK_GONE") from error


class Pn532Reader(BenchReader):
    """A board on a serial line, without pcscd."""

    def __init__(self, role: str) -> None:
        self._board = Pn532Emulator()
        super().__init__(role, "nfcpy", self._board)

    def options(self) -> dict[str, object]:
        return {"port": self._board.address}

    async def start(self) -> None:
        await self._board.start()

    async def close(self) -> None:
        await self._board.close()

    async def _lay(self, card: DemoCard) -> None:
        if card.card.torn_after is not None:
            await self._board.pull(Verb.TORN_CARD)
        self._board.insert(_radio(card))

    async def _take(self) -> None:
        self._board.remove()


def _radio(card: DemoCard) -> NfcCard:
    """Return what a card is on the air, below the commands that PC/SC readers make of it."""
    made = card.card
    match made.kind:
        case CardKind.TYPE4:
            return IsoDepCard(made.uid, made.ndef)
        case CardKind.TYPE2:
            return Ntag(made.uid, made.ndef)
        case _:
            return MifareClassic(made.uid)
