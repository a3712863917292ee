"""Finds out what an ESC/POS printer is and what it can say, by asking on an open and ready line."""

from __future__ import annotations

from dataclasses import dataclass, field

from tapledger_drivers.device import Value
from tapledger_drivers.printers.conversation import Conversation
from tapledger_drivers.printers.proof import MODEL, Completion, Names
from tapledger_drivers.printers.status import AUTOMATIC_ON, ask_process_id

LOOKS_MAX = 3
"""So often somebody waits for answers; what comes after that still counts, and nobody waits for it."""
_FIRMWARE, _SERIAL = 65, 68
_GS_R = Completion.GS_R.value
"""The name of the question whether GS r is answered."""


@dataclass(frozen=True, slots=True)
class Detected:
    model: str = ""
    firmware: str = ""
    serial: str = ""
    capabilities: dict[str, Value] = field(default_factory=dict)


class Detecting:
    """One printer, from ``open`` to ``close``. What the operator ``said`` is not asked, for a printer may
    print a question that it does not know.

    Silence may be slowness, so an answer counts whenever it comes. The questions are put again only where
    they or their answers may have been lost: on another line, with cleared buffers, or among bytes that made
    no sense.
    """

    def __init__(self, names: Names, timeout_s: float, said: dict[str, Value]) -> None:
        self._names = names
        self._timeout_s = timeout_s
        self._said = said
        self._looks_left = LOOKS_MAX
        self._conversation: Conversation | None = None
        self._noise = self._cleared = self._automatic = 0
        self._asked: set[str] = set()
        self.found: Detected | None = None

    async def look(self, conversation: Conversation) -> None:
        """Take in what the printer has answered, and ask and wait where that may help."""
        if self._knows_enough:
            return
        if conversation is self._conversation:
            await self._conclude(conversation)
        if self._knows_enough or not self._looks_left:
            return
        self._looks_left -= 1
        if self._may_be_lost(conversation):
            await self._ask(conversation)
        # Its answers come in their turn: the last one tells what was not answered.
        await conversation.wait_for(lambda: not conversation.is_due(_GS_R), self._timeout_s)
        await self._conclude(conversation)

    @property
    def _knows_enough(self) -> bool:
        if self.found is None:
            return False
        return "completion" in self._said or self.found.capabilities["completion"] != Completion.NONE

    def _may_be_lost(self, conversation: Conversation) -> bool:
        if conversation is not self._conversation:
            return True
        return conversation.noise > self._noise or conversation.cleared > self._cleared

    async def _ask(self, conversation: Conversation) -> None:
        if conversation is not self._conversation:
            self._conversation, self._automatic = conversation, conversation.automatic_count
            conversation.completions.clear()
            conversation.texts.clear()
        self._noise, self._cleared = conversation.noise, conversation.cleared
        questions = AUTOMATIC_ON if self._said.get("status", "asb") == "asb" else b""
        questions += conversation.ask_text(MODEL)
        if "completion" not in self._said:
            name = self._names.take()
            self._asked.add(name)
            questions += ask_process_id(name)
        await conversation.send(questions + conversation.ask_completion(_GS_R))

    async def _conclude(self, conversation: Conversation) -> None:
        completion = Completion.NONE
        if self._asked & set(conversation.completions):
            completion = Completion.PROCESS_ID
        elif _GS_R in conversation.completions and not conversation.is_due(_GS_R):
            completion = Completion.GS_R  # and no answer is due that a job could take for its own
        spoke = conversation.automatic_count > self._automatic
        capabilities: dict[str, Value] = {"status": "asb" if spoke else "eot", "completion": completion}
        before = self.found or Detected()
        model, firmware, serial = before.model, before.firmware, before.serial
        if not model and conversation.texts:
            model = conversation.texts[-1]
            firmware = await self._text(conversation, _FIRMWARE)
            serial = await self._text(conversation, _SERIAL) if firmware else ""
        self.found = Detected(model, firmware, serial, capabilities)

    async def _text(self, conversation: Conversation, number: int) -> str:
        conversation.texts.clear()
        await conversation.send(conversation.ask_text(number))
        await conversation.wait_for(lambda: bool(conversation.texts), self._timeout_s)
        return conversation.texts[-1] if conversation.texts else ""
