"""Lays a virtual card on a reader of vsmartcard's vpcd.

The wire: TCP connect = card laid on, close = card taken away; frames of a 2-byte length and a body; a body of
one byte is control (0 off, 1 on, 2 reset, 4 "send your ATR"), any longer one is an APDU to be answered.
"""

from __future__ import annotations

import asyncio
import socket

from tapledger_drivers.emulators.card_faults import CardFaults, FaultySession
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.virtual_card import CardTakenAway, VirtualCard

_ATR = 4


class VpcdSlot:
    """One card slot of vpcd; ``card`` is what lies on it now."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._serving: asyncio.Task[None] | None = None
        self._answers = asyncio.Event()
        self._answers.set()
        self.card: VirtualCard | None = None
        self.faults = CardFaults(seed=port)

    async def insert(self, card: VirtualCard) -> None:
        """Lay ``card`` on; raise OSError when no vpcd listens on the port."""
        await self.remove()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.card = card
        self._serving = asyncio.create_task(self._serve(self.faults.lay(card), reader, writer))

    async def remove(self) -> None:
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    def pull(self, verb: Verb, on: bool, amount: int | None) -> None:
        self.faults.pull(verb, on=on, amount=amount)
        if Verb.GO_AWOL in self.faults:
            self._answers.clear()
        else:
            self._answers.set()

    async def _serve(
        self, session: FaultySession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def read(length: int) -> bytes:
            data = await reader.readexactly(length)
            # vpcd sends length and body apart: a delayed ACK would cost 44 ms an APDU (lab.md section 1).
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            return data

        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            while True:
                body = await read(int.from_bytes(await read(2), "big"))
                if len(body) > 1:
                    # A hung card is still seen to lie there: only its APDUs stay without an answer.
                    await self._answers.wait()
                    if Verb.SLOW in self.faults:
                        await asyncio.sleep(self.faults.amount(Verb.SLOW) / 1000)
                    answer = session.transmit(body)
                elif body[0] == _ATR:
                    answer = session.atr
                else:
                    continue
                writer.write(len(answer).to_bytes(2, "big") + answer)
        except (CardTakenAway, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.card = None
            writer.close()
