"""Finds out what an ESC/POS printer is and what it can say, by asking once on an open and ready line."""

from __future__ import annotations

from dataclasses import dataclass, field

from tapledger_drivers.device import Value
from tapledger_drivers.printers.conversation import Conversation
from tapledger_drivers.printers.proof import MODEL, Completion, Names
from tapledger_drivers.printers.status import ASK_COMPLETION, AUTOMATIC_ON, ask_process_id, ask_text

_FIRMWARE, _SERIAL = 65, 68


@dataclass(frozen=True, slots=True)
class Detected:
    model: str = ""
    firmware: str = ""
    serial: str = ""
    capabilities: dict[str, Value] = field(default_factory=dict)


async def detect(
    conversation: Conversation, names: Names, timeout_s: float, *, said: dict[str, Value]
) -> Detected:
    """Ask everything in one go: what is answered in its turn tells what was not. What the operator ``said``
    is not asked, for a printer may print a question that it does not know."""
    automatic = conversation.automatic_count
    conversation.texts.clear()
    conversation.completions.clear()
    conversation.completions_asked = 1
    name = names.take()
    questions = AUTOMATIC_ON if said.get("status", "asb") == "asb" else b""
    questions += ask_text(MODEL)
    if "completion" not in said:
        questions += ask_process_id(name)
    await conversation.send(questions + ASK_COMPLETION)
    await conversation.wait_for(lambda: "" in conversation.completions, timeout_s)
    conversation.completions_asked = 0
    capabilities: dict[str, Value] = {
        "status": "asb" if conversation.automatic_count > automatic else "eot",
        "completion": Completion.NONE,
    }
    if name in conversation.completions:
        capabilities["completion"] = Completion.PROCESS_ID
    elif "" in conversation.completions:
        capabilities["completion"] = Completion.GS_R
    if not conversation.texts:
        return Detected(capabilities=capabilities)
    model = conversation.texts[-1]
    firmware = await _text(conversation, _FIRMWARE, timeout_s)
    serial = await _text(conversation, _SERIAL, timeout_s) if firmware else ""
    return Detected(model, firmware, serial, capabilities)


async def _text(conversation: Conversation, number: int, timeout_s: float) -> str:
    conversation.texts.clear()
    await conversation.send(ask_text(number))
    await conversation.wait_for(lambda: bool(conversation.texts), timeout_s)
    return conversation.texts[-1] if conversation.texts else ""
