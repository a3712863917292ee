"""What an ESC/POS printer keeps of our logos: its own word, asked before every slip that has one.

The memory outlives a power cycle but not every hand at the printer's settings, and another printer may hang
on the line today. So nothing is taken for stored that the printer does not name now, and a logo that it does
not name is given to it; should it then still not name it, the slip gets the logo as a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from tapledger_drivers.printers import logo as logos
from tapledger_drivers.printers.conversation import Conversation
from tapledger_drivers.printers.raster import Bitmap

STORES_MAX = 10
"""So often a printer is given a logo while it is open: its memory wears out (Epson: ten times a day)."""
BLOCKS_MAX = 64


class LogoMemory:
    """Of one open printer. ``answers`` is None until it was asked."""

    def __init__(self) -> None:
        self.keys: frozenset[bytes] = frozenset()
        self.answers: bool | None = None
        self._stores_left = STORES_MAX

    async def keep(
        self, conversation: Conversation, wanted: Sequence[Bitmap], answer_s: float, store_s: float
    ) -> None:
        """Make ``keys`` what the printer has now, after it was given those of ``wanted`` that it lacked.

        Call it when the printer is ready. Raises ``DeviceLost``, or ``WriteStalled`` in the middle of a
        logo.
        """
        if self.answers is False:
            return
        await self._ask(conversation, answer_s)
        lacking = [logo for logo in wanted if logos.key_of(logo) not in self.keys]
        if not self.answers or not lacking or not self._stores_left:
            return
        self._stores_left -= 1
        await conversation.send(b"".join(map(logos.store, lacking)))
        await self._ask(conversation, store_s)

    async def _ask(self, conversation: Conversation, timeout_s: float) -> None:
        keys: frozenset[bytes] = frozenset()
        question = logos.ASK_STORED
        for _ in range(BLOCKS_MAX):
            conversation.key_lists.clear()
            await conversation.send(question)
            if not await conversation.wait_for(lambda: bool(conversation.key_lists), timeout_s):
                break
            more, listed = logos.parse_keys(conversation.key_lists[0])
            keys |= listed
            if not more:
                self.keys, self.answers = keys, True
                return
            question = logos.CONFIRM_BLOCK
        self.keys, self.answers = frozenset(), False
