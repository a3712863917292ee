"""Questions to an ESC/POS printer and its answers, on one open line.

One caller at a time may ask or send: the driver sees to that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from tapledger_drivers.io import Stream, WriteStalled
from tapledger_drivers.printers.open_line import OpenLine
from tapledger_drivers.printers.status import (
    ASK_COMPLETION,
    ASK_STATUS,
    CLEAR_BUFFERS,
    CLEARED,
    KEY_LIST,
    PROCESS_ID,
    STATUS_ANSWERS,
    WELL,
    Answer,
    AnswerParser,
    Kind,
    StatusBytes,
    ask_text,
)

ASKS_MAX = 3
"""So often a question is put when its answers are garbled or doubtful; silence is believed at once."""
QUIET_S = 0.05
"""After garbage, the line is left alone for so long before the next question."""
QUIETS_MAX = 10
LATE_MAX = 12
SEND_BYTES = 4096
COMPLETIONS_MAX = 1024
TEXTS_MAX = 16
KEY_LISTS_MAX = 16
BITS_PER_BYTE = 10


class NoAnswer(Exception):
    """The printer did not say how it is: ``mute`` said nothing, ``noise`` nothing that makes sense."""

    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(evidence)
        self.reason = reason


class Conversation(OpenLine):
    """Owns ``stream``. ``baud`` is the speed of a serial line: what was written is not there yet."""

    def __init__(
        self, stream: Stream, answer_timeout_s: float, send_timeout_s: float, baud: int | None
    ) -> None:
        super().__init__(stream)
        self._answer_timeout_s = answer_timeout_s
        self._send_timeout_s = send_timeout_s
        self._baud = baud
        self._parser = AnswerParser()
        self._statuses = bytearray()
        self._asked = False
        self._late = 0
        self._unclear = False
        self._believed = WELL
        self._carried_at_s = 0.0
        self.noise = 0
        """Bytes that made no sense so far."""
        self.automatic: StatusBytes | None = None
        """What the printer last said of its own accord."""
        self.latest: StatusBytes | None = None
        """What it last said at all; None when it has not answered a question since."""
        self.automatic_count = 0
        self.completions: list[str] = []
        """The names of the questions that were answered."""
        self._due: list[tuple[Kind, str]] = []
        """The questions without a name of their own that were not answered: an answer to GS r or GS I belongs
        to the oldest of them."""
        self.cleared = 0
        self.texts: list[str] = []
        self.key_lists: list[bytes] = []
        """Which logos it keeps, in the lists that it told them in."""

    # ---- sending ---------------------------------------------------------------------------------------
    def line_time_s(self, count: int) -> float:
        """Return how long the line takes to carry so many bytes."""
        return count * BITS_PER_BYTE / self._baud if self._baud else 0.0

    async def send(self, data: bytes) -> None:
        """Hand over ``data``; raise ``WriteStalled`` when the printer does not take it, or ``DeviceLost``."""
        self.check()
        for at in range(0, len(data), SEND_BYTES):
            piece = data[at : at + SEND_BYTES]
            now_s = self._loop.time()
            self._carried_at_s = max(self._carried_at_s, now_s) + self.line_time_s(len(piece))
            # What the kernel keeps for a serial line is not more than this, so a write that takes longer
            # does not wait for the line.
            line_s = min(self._carried_at_s - now_s, self.line_time_s(2 * SEND_BYTES))
            try:
                await self._stream.write(piece, self._send_timeout_s + line_s)
            except WriteStalled as error:
                self._carried_at_s = self._loop.time()
                raise WriteStalled(at + error.taken, len(data)) from error

    async def wait_for(self, satisfied: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for answers until ``satisfied``; False when it is not, ``timeout_s`` after the line has
        carried everything. Raises ``DeviceLost``."""
        return await self._wait_until(satisfied, max(self._carried_at_s, self._loop.time()) + timeout_s)

    async def wait_for_word(self, heard: int, timeout_s: float) -> None:
        """Wait until the printer has said something of its own accord since ``automatic_count`` was
        ``heard``, but not for long. Raises ``DeviceLost``."""
        await self.wait_for(lambda: self.automatic_count != heard, timeout_s)

    # ---- questions -------------------------------------------------------------------------------------
    def ask_completion(self, name: str) -> bytes:
        """Return GS r, whose answer will be called ``name``; send such questions in this order."""
        self._ask(Kind.COMPLETION, name)
        return ASK_COMPLETION

    def ask_text(self, number: int, name: str = "text") -> bytes:
        """Return GS I, whose answer will be called ``name``; send such questions in this order."""
        self._ask(Kind.TEXT, name)
        return ask_text(number)

    @property
    def owes(self) -> bool:
        """Whether an answer to GS r may still come."""
        return any(kind is Kind.COMPLETION for kind, _ in self._due)

    def is_due(self, name: str) -> bool:
        return any(asked == name for _, asked in self._due)

    def forget(self) -> None:
        """Wait for none of the answers that are due any more."""
        self._due.clear()

    def _ask(self, kind: Kind, name: str) -> None:
        self._due.append((kind, name))
        del self._due[:-COMPLETIONS_MAX]

    async def ask_status(self, before: bytes = b"", timeout_s: float | None = None) -> StatusBytes:
        """Return the printer's own word; ``before`` is sent first. Raises ``NoAnswer``, ``WriteStalled`` or
        ``DeviceLost``.

        Trouble that is new has to be said twice: a wrong bit on the line looks the same.
        """
        timeout_s = self._answer_timeout_s if timeout_s is None else timeout_s
        try:
            status = await self._ask_until_sure(before, timeout_s)
        except (NoAnswer, WriteStalled):
            self.latest = None
            raise
        self._believed, self.latest = (status.reason, status.near_end), status
        return status

    async def _ask_until_sure(self, before: bytes, timeout_s: float) -> StatusBytes:
        doubted = None
        for _ in range(ASKS_MAX):
            status = await self._ask_once(before, timeout_s)
            before = b""
            if status is None:
                continue
            meaning = (status.reason, status.near_end)
            if meaning in (WELL, self._believed, doubted):
                return status
            doubted = meaning
        raise NoAnswer("noise", f"{ASKS_MAX} times no sense in the answers to DLE EOT")

    async def _ask_once(self, before: bytes, timeout_s: float) -> StatusBytes | None:
        """Return the four answers, None when they are garbled; silence raises ``NoAnswer``.

        Nothing in an answer tells which question it belongs to, so answers that are still due are waited for
        as well: taken for new ones they would stand in the wrong place.
        """
        if self._unclear:
            await self._quiet()
        noise, due = self.noise, self._late + STATUS_ANSWERS
        self._statuses.clear()
        self._asked = True
        try:
            await self.send(before + ASK_STATUS)
            heard = -1
            while heard < self._said(noise) < due:
                heard = self._said(noise)
                await self.wait_for(partial(self._said_more, noise, heard), timeout_s)
        finally:
            self._asked = False
            self._late = min(max(due - len(self._statuses), 0), LATE_MAX)
        self._unclear = self.noise > noise or not STATUS_ANSWERS <= len(self._statuses) <= due
        if self._unclear:
            if self._said(noise) == 0:
                raise NoAnswer("mute", f"no answer to DLE EOT in {timeout_s} s")
            return None
        self._late = 0  # after such a silence the rest is lost
        return StatusBytes(*self._statuses[-STATUS_ANSWERS:])

    async def clear_buffers(self) -> bool:
        """Make the printer forget what it has not printed; True when it confirms that."""
        before = self.cleared
        await self.send(CLEAR_BUFFERS)
        return await self.wait_for(lambda: self.cleared > before, self._answer_timeout_s)

    async def _quiet(self) -> None:
        """Let late answers and garbage come in, so that they are not taken for the next answer."""
        for _ in range(QUIETS_MAX):
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._news.wait()
            except TimeoutError:
                break
            self.check()
        for answer in self._parser.settle():
            self._take(answer)

    def _said_more(self, noise_before: int, than: int) -> bool:
        return self._said(noise_before) > than

    def _said(self, noise_before: int) -> int:
        return len(self._statuses) + self.noise - noise_before

    # ---- answers ---------------------------------------------------------------------------------------
    def _heard(self, data: bytes) -> None:
        for answer in self._parser.feed(data):
            self._take(answer)

    def _take(self, answer: Answer) -> None:
        match answer.kind:
            case Kind.STATUS if self._asked:
                self._statuses += answer.data
            case Kind.STATUS if self._late:
                self._late -= 1
            case Kind.AUTOMATIC:
                self.automatic = self.latest = StatusBytes.from_automatic(answer.data)
                self.automatic_count += 1
            case Kind.COMPLETION if self._answers_a_question(Kind.COMPLETION):
                pass
            case Kind.BLOCK if answer.data == CLEARED:
                self.cleared += 1
                self._due.clear()
            case Kind.BLOCK if answer.data.startswith(PROCESS_ID) and len(answer.data) == 5:
                self._completed(answer.data[1:].decode("ascii"))
            case Kind.BLOCK if answer.data.startswith(KEY_LIST):
                self.key_lists.append(answer.data[len(KEY_LIST) :])
                del self.key_lists[:-KEY_LISTS_MAX]
            case Kind.TEXT:
                self._answers_a_question(Kind.TEXT)
                self.texts.append(answer.data.decode("ascii", errors="replace"))
                del self.texts[:-TEXTS_MAX]
            case _:
                self.noise += len(answer.data) or 1

    def _answers_a_question(self, kind: Kind) -> bool:
        """Give an answer to the oldest question of its kind; what was asked before that one is lost."""
        for at, (asked, name) in enumerate(self._due):
            if asked is kind:
                del self._due[: at + 1]
                self._completed(name)
                return True
        return False

    def _completed(self, name: str) -> None:
        self.completions.append(name)
        del self.completions[:-COMPLETIONS_MAX]
