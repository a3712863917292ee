"""Light and buzzer of reader models: which escape command shows which pattern, as data.

Escape commands are the maker's own, so each set names its source. ``signals`` in quirks.py says which set a
model understands. A reader whose set nobody knows keeps the light that it has by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tapledger_drivers.ports import Feedback


@dataclass(frozen=True, slots=True)
class Question:
    """Asks for a setting and says what to send when the answer is not as wanted."""

    ask: bytes
    repair: Callable[[bytes], bytes | None]
    """Takes the answer; None when it is well as it is."""


@dataclass(frozen=True, slots=True)
class Signals:
    """One maker's set of commands."""

    firmware: bytes
    """Asks for the reader's model and version: moves nothing, so it shows whether commands get through."""
    quiet: bytes | Question
    """Ends the reader's own beep at each card: it sounds before anything is read, and would mean nothing."""
    patterns: Mapping[Feedback, tuple[bytes, ...]]
    silent_patterns: Mapping[Feedback, tuple[bytes, ...]]
    """The same without a sound."""
    accepted: Callable[[bytes], bool]
    """Whether an answer says that the command was obeyed."""


# ACS, "ACR122U API": FF 00 40 P2 04 T1 T2 repetitions buzzer. P2: bits 0/1 final red/green, 2/3 their masks,
# 4/5 first red/green while blinking, 6/7 which blink. T1, T2 in 100 ms; buzzer 1 sounds during T1. The reader
# answers when the blinking is over, so no pattern lasts long.
_RED, _GREEN, _BOTH = 0x01, 0x02, 0x03
_SET_BOTH = 0x0C
_BLINK_RED, _BLINK_GREEN = 0x50, 0xA0


def _acr122(lights: int, blink: int = 0, times: int = 0, *, sound: bool = False) -> tuple[bytes, ...]:
    timing = bytes([1, 1, times, 1 if sound else 0]) if times else bytes(4)
    return (bytes([0xFF, 0x00, 0x40, lights | _SET_BOTH | blink, 0x04]) + timing,)


def _acr122_patterns(*, sound: bool) -> Mapping[Feedback, tuple[bytes, ...]]:
    return {
        Feedback.READY: _acr122(_GREEN),
        Feedback.READING: _acr122(_BOTH),
        Feedback.ACCEPTED: _acr122(_GREEN, _BLINK_GREEN, 1, sound=sound),
        Feedback.REFUSED: _acr122(_RED, _BLINK_RED, 2, sound=sound),
        Feedback.OFF: _acr122(0),
    }


# ACS, "ACR1252U API" and the ACM1252U reference manual: E0 00 00 29 01 LEDS (bit 0 red, bit 1 green),
# E0 00 00 28 01 DURATION in 10 ms, E0 00 00 21 00 reads the reader's own behaviour and 21 01 keeps it for
# good (bit 3: beep at each card); so it is written only where it is wrong. Answers begin with E1.
_ACCEPTED_BEEP, _REFUSED_BEEP = 10, 40
_BEHAVIOUR_BEEP = 0x08


def _acr1252(lights: int, beep: int = 0) -> tuple[bytes, ...]:
    light = bytes.fromhex("E000002901") + bytes([lights])
    return (light, bytes.fromhex("E000002801") + bytes([beep])) if beep else (light,)


def _acr1252_patterns(*, sound: bool) -> Mapping[Feedback, tuple[bytes, ...]]:
    return {
        Feedback.READY: _acr1252(_GREEN),
        Feedback.READING: _acr1252(_BOTH),
        Feedback.ACCEPTED: _acr1252(_GREEN, _ACCEPTED_BEEP if sound else 0),
        Feedback.REFUSED: _acr1252(_RED, _REFUSED_BEEP if sound else 0),
        Feedback.OFF: _acr1252(0),
    }


def _acr1252_without_beep(answer: bytes) -> bytes | None:
    behaviour = answer[5] if len(answer) == 6 else 0
    if not behaviour & _BEHAVIOUR_BEEP:
        return None
    return bytes.fromhex("E000002101") + bytes([behaviour & ~_BEHAVIOUR_BEEP])


SIGNALS: Mapping[str, Signals] = {
    "acr122": Signals(
        firmware=bytes.fromhex("FF00480000"),
        quiet=bytes.fromhex("FF00520000"),
        patterns=_acr122_patterns(sound=True),
        silent_patterns=_acr122_patterns(sound=False),
        accepted=lambda answer: len(answer) >= 2 and answer[-2] == 0x90,
    ),
    "acr1252": Signals(
        firmware=bytes.fromhex("E000001800"),
        quiet=Question(bytes.fromhex("E000002100"), _acr1252_without_beep),
        patterns=_acr1252_patterns(sound=True),
        silent_patterns=_acr1252_patterns(sound=False),
        accepted=lambda answer: answer[:1] == b"\xe1",
    ),
}
"""By the name in a reader's capability ``signals``."""
