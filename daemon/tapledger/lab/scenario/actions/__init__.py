"""What a step can do: one function a kind of step, one line in the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tapledger.lab.scenario.actions import selling, time, visiting
from tapledger.lab.scenario.actions.outcome import Outcome
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.world import World

Action = Callable[[World, Step], Awaitable[Outcome]]

ACTIONS: dict[str, Action] = {
    "check": visiting.check,
    "fulfil": visiting.fulfil,
    "join": visiting.join,
    "offline": time.offline,
    "online": time.online,
    "redeem": visiting.redeem,
    "sale": selling.sale,
    "sync": time.sync,
    "tap": visiting.tap_card,
    "wait": time.wait,
}
