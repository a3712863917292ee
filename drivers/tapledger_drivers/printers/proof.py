"""Sends one slip and finds out what became of it, on the printer's own word alone.

Between the pieces of a slip stand questions that the printer answers in their turn, when it has done all
before them: ``GS ( H`` with a name of its own, or ``GS r``. The last stands behind the cut.

* All are answered and the printer is well: ``printed``. One is missing while a later one was answered: the
  printer has lost what it had (``power_cycled``), and nobody knows what is on paper.
* The printer says that it stopped, confirms that it has forgotten the rest, and has not come to the question
  before the last line: ``failed``, for what is on paper is an uncut piece and no more of it will come.
* Everything else, and whatever comes with bytes that make no sense, is ``unknown``.
"""

from __future__ import annotations

import asyncio
import enum
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import WriteStalled
from tapledger_drivers.ports import PrintOutcome, PrintVerdict
from tapledger_drivers.printers.conversation import Conversation, NoAnswer
from tapledger_drivers.printers.status import ask_process_id

POLL_INTERVAL_S = 0.5
"""So often a printer that is at work is asked whether it has stopped."""
MODEL = 67
_DIGITS = string.digits + string.ascii_uppercase
_NAME_CHARS = 4


class Completion(enum.StrEnum):
    """How a printer says that it has done what it was sent."""

    NONE = "none"
    GS_R = "gs_r"
    PROCESS_ID = "process_id"


class Names:
    """Gives each question a name that no question had for a long while."""

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> str:
        number, name = self._next, ""
        self._next = (self._next + 1) % len(_DIGITS) ** _NAME_CHARS
        for _ in range(_NAME_CHARS):
            number, digit = divmod(number, len(_DIGITS))
            name = _DIGITS[digit] + name
        return name


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a printer with a small buffer takes at once; 0 bytes: everything."""

    chunk_bytes: int = 0
    pause_s: float = 0.0


class Marks:
    """The questions of one job, and which of them were answered."""

    def __init__(self, completion: Completion, conversation: Conversation, names: Names) -> None:
        self._completion = completion
        self._conversation = conversation
        self._names = names
        self._asked: list[str] = []
        self._later = ""
        self._owed_before = conversation.owes
        if completion is not Completion.NONE:  # else a late answer may still tell that there is one
            conversation.completions.clear()

    def question(self) -> bytes:
        """Return the next question; send it in this order."""
        if self._completion is Completion.NONE:
            return b""
        name = self._names.take()
        self._asked.append(name)
        by_name = self._completion is Completion.PROCESS_ID
        return ask_process_id(name) if by_name else self._conversation.ask_completion(name)

    def later_question(self) -> bytes:
        """Return one that is answered after all of these, whether they were or not."""
        self._later = f"after {self._asked[-1]}"
        return self._conversation.ask_text(MODEL, self._later)

    @property
    def overtaken(self) -> bool:
        """Whether the later question was answered."""
        return self._later in self._conversation.completions

    @property
    def answered(self) -> int:
        return len(self._answers)

    @property
    def _answers(self) -> list[str]:
        """The answers to this job's questions; an earlier question's may come late."""
        return [answer for answer in self._conversation.completions if answer in self._asked]

    def complete(self) -> bool:
        """Whether the last was answered; what came before it may have been lost."""
        return self._answers[-1:] == self._asked[-1:] != []

    def give_up(self) -> None:
        """No more answers come. Some may have been taken for those to an earlier slip, which were lost: the
        next slip does not wait for them too."""
        if self._owed_before and self._conversation.completions:
            self._conversation.forget()

    @property
    def in_order(self) -> bool:
        return self._answers == self._asked[: self.answered]


class Proof:
    """One job on one open line."""

    def __init__(
        self,
        conversation: Conversation,
        completion: Completion,
        names: Names,
        *,
        knows_model: bool,
        answers: bool,
        job_timeout_s: float,
        pace: Pace,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._conversation = conversation
        self._on_sent = on_sent
        self._completion = completion
        self._marks = Marks(completion, conversation, names)
        self._knows_model = knows_model
        self._answers = answers
        self._job_timeout_s = job_timeout_s
        self._pace = pace
        self._before_last_line = 0
        self.sent_share = 0.0
        """How much of the slip was handed over, 0 to 1."""

    async def print(self, pieces: Sequence[bytes]) -> PrintOutcome:
        """Send ``pieces``, the last of which begins before the last line, and judge."""
        conversation = self._conversation
        noise, automatic = conversation.noise, conversation.automatic_count
        try:
            stalled = await self._send(pieces)
            if stalled is not None:
                reason = self._said_since(automatic) or "stalled"
                return _unknown(reason, f"the printer took {stalled.taken} of {stalled.of} bytes")
            self.sent_share = 1.0
            self._on_sent()
            outcome = await self._judge(automatic)
        except DeviceLost as error:
            self.sent_share = 1.0  # perhaps: for a forecast, rather too much
            return _unknown("cut_off", f"{error.detail} after the slip was begun")
        except NoAnswer as error:
            return _unknown(error.reason, f"{error} after the slip")
        except WriteStalled as error:
            return _unknown(self._said_since(automatic) or "stalled", f"the slip was taken, then {error}")
        # A process id in its place cannot come from noise; a single byte can.
        garbled = conversation.noise > noise
        certain = outcome.verdict is PrintVerdict.PRINTED and self._completion is Completion.PROCESS_ID
        if garbled and outcome.verdict is not PrintVerdict.UNKNOWN and not certain:
            return _unknown("noise", f"{conversation.noise - noise} bytes made no sense; {outcome.evidence}")
        if garbled and outcome.reason in ("power_cycled", "no_completion"):
            return _unknown("noise", outcome.evidence)
        return outcome

    # ---- sending ---------------------------------------------------------------------------------------
    async def _send(self, pieces: Sequence[bytes]) -> WriteStalled | None:
        marked = [pieces[0]]
        for piece in pieces[1:]:
            marked.append(self._marks.question() + piece)
        self._before_last_line = len(pieces) - 1
        data = b"".join(marked) + self._marks.question()
        size = self._pace.chunk_bytes or len(data)
        for at in range(0, len(data), size):
            if at:
                await asyncio.sleep(self._pace.pause_s)
            try:
                await self._conversation.send(data[at : at + size])
            except WriteStalled as error:
                self.sent_share = (at + error.taken) / len(data)
                return WriteStalled(at + error.taken, len(data))
        return None

    # ---- judging ---------------------------------------------------------------------------------------
    async def _judge(self, automatic: int) -> PrintOutcome:
        if not self._answers:
            return _never_says("this printer is never asked, by configuration")
        if self._completion is Completion.NONE:
            status = await self._conversation.ask_status()
            evidence = f"{status} after the slip; this printer never says that it has done it"
            return _never_says(evidence) if status.reason == "ok" else _unknown(status.reason, evidence)
        if (ended := await self._until_done(automatic)) is not None:
            return ended
        if not self._marks.in_order:
            return _unknown("power_cycled", f"{self._marks.answered} of the questions answered, one was lost")
        status = await self._conversation.ask_status()
        if status.reason != "ok":
            return _unknown(status.reason, f"{status} after the cut")
        return PrintOutcome(
            PrintVerdict.PRINTED, "ok", f"{self._completion} answered, {status} after the cut"
        )

    async def _until_done(self, automatic: int) -> PrintOutcome | None:
        """Wait for the answer behind the cut; return what became of the slip when it does not come."""
        loop = asyncio.get_running_loop()
        conversation, marks = self._conversation, self._marks
        began_s: float | None = None
        asked_again = False

        def worth_a_look() -> bool:
            return marks.complete() or self._said_since(automatic) is not None

        while True:
            await conversation.wait_for(worth_a_look, POLL_INTERVAL_S)
            if marks.complete():
                return None
            began_s = loop.time() if began_s is None else began_s
            status = await conversation.ask_status()
            if marks.complete():
                return None
            if status.reason != "ok":
                return await self._stopped(str(status), status.reason)
            automatic = conversation.automatic_count
            if marks.overtaken:
                return _unknown("power_cycled", f"{status}, a later question was answered, the slip's not")
            if loop.time() - began_s > self._job_timeout_s:
                marks.give_up()
                return _unknown("no_completion", f"{status}, no answer to {self._completion} after the cut")
            if not asked_again:
                asked_again = True
                if self._knows_model:
                    await conversation.send(marks.later_question())

    async def _stopped(self, evidence: str, reason: str) -> PrintOutcome:
        """The printer stopped in the middle: make sure that the rest never comes out by itself."""
        cleared = await self._conversation.clear_buffers()
        if not cleared:
            return _unknown(reason, f"{evidence}, the rest may still come out")
        if self._marks.answered >= self._before_last_line or not self._marks.in_order:
            return _unknown(reason, f"{evidence}, stopped at the last line or after it, the rest is cleared")
        evidence = f"{evidence}, no cut, printer confirmed that the rest is cleared"
        return PrintOutcome(PrintVerdict.FAILED, reason, evidence)

    def _said_since(self, count: int) -> str | None:
        """Return what is wrong by the printer's automatic status, None when nothing, or it is old."""
        status = self._conversation.automatic
        if status is None or self._conversation.automatic_count <= count or status.reason == "ok":
            return None
        return status.reason


def _never_says(evidence: str) -> PrintOutcome:
    return replace(_unknown("no_completion", evidence), never_says=True)


def _unknown(reason: str, evidence: str) -> PrintOutcome:
    return PrintOutcome(PrintVerdict.UNKNOWN, reason, evidence)
