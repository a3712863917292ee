"""A tower light with a buzzer that takes one byte for each command (Adafruit 5125)."""

from __future__ import annotations

from tapledger_drivers.emulators.on_a_wire import OnAWire

_PARTS = {0x1: "red", 0x2: "yellow", 0x4: "green", 0x8: "buzzer"}
_STATES = {0x1: "on", 0x2: "off", 0x4: "blink"}


class TowerLightEmulator(OnAWire):
    """``state`` says of each part ``on``, ``off`` or ``blink``; ``history`` all that it did."""

    HISTORY_MAX = 1024

    def __init__(self, name: str = "light", seed: int = 0) -> None:
        super().__init__(self, name, seed)
        self.state = dict.fromkeys(_PARTS.values(), "off")
        self.history: list[tuple[str, str]] = []

    def attached(self) -> None:
        pass

    def detached(self) -> None:
        self.state = dict.fromkeys(_PARTS.values(), "off")  # no cable, no current

    def received(self, data: bytes) -> None:
        for command in data:
            part, state = _PARTS.get(command & 0x0F), _STATES.get(command >> 4)
            if part is not None and state is not None:
                self.state[part] = state
                self.history = [*self.history[1 - self.HISTORY_MAX :], (part, state)]
