"""How a device is, on two axes that are never mixed: whether it is there, and what it is doing.

Both are tables: a cue that a table does not name for a state is a mistake of the caller.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tapledger_drivers.device import DeviceInfo

Link = Literal[
    "absent", "discovered", "opening", "online", "degraded", "lost", "backing_off", "blocked", "disabled"
]
"""``discovered``: something said that it is there, nobody has opened it yet. ``degraded``: it is there and
something is wrong with it. ``lost``: it went a moment ago. ``backing_off``: it failed and is tried again
later. ``blocked``: a person has to do something first."""
Activity = Literal["idle", "busy", "error"]
"""``error``: what it was last asked to do failed; the next thing that goes well ends it."""

CLOSED: frozenset[Link] = frozenset({"absent", "discovered", "lost", "backing_off", "blocked"})
OPEN: frozenset[Link] = frozenset({"online", "degraded"})
UNDECIDED: frozenset[Link] = frozenset({"discovered", "opening"})
"""It is just being tried: what was wrong before is still all that is known."""


class Cue(enum.StrEnum):
    """What happens to the link."""

    FOUND = "found"
    """Hot-plug or a person says that it is there."""
    TRY = "try"
    OPENED = "opened"
    WELL = "well"
    UNWELL = "unwell"
    MISSING = "missing"
    """It was looked for and is not there."""
    WENT = "went"
    """It was open and went, or hung."""
    FAILED = "failed"
    """It is there and did not open, or its driver is at fault."""
    REFUSED = "refused"
    DISABLE = "disable"
    ENABLE = "enable"


LINKS: Mapping[Cue, Mapping[Link, Link]] = {
    Cue.FOUND: dict.fromkeys(CLOSED, "discovered"),
    Cue.TRY: dict.fromkeys(CLOSED, "opening"),
    Cue.OPENED: {"opening": "online"},
    Cue.WELL: dict.fromkeys(OPEN, "online"),
    Cue.UNWELL: dict.fromkeys(OPEN, "degraded"),
    Cue.MISSING: {"opening": "absent"},
    Cue.WENT: {"opening": "lost", **dict.fromkeys(OPEN, "lost")},
    Cue.FAILED: {"opening": "backing_off", "lost": "backing_off", **dict.fromkeys(OPEN, "backing_off")},
    Cue.REFUSED: {"opening": "blocked", **dict.fromkeys(OPEN, "blocked")},
    Cue.DISABLE: dict.fromkeys((*CLOSED, "opening", *OPEN, "disabled"), "disabled"),
    Cue.ENABLE: {"disabled": "discovered"},
}


class Doing(enum.StrEnum):
    """What happens to the activity."""

    BEGIN = "begin"
    DONE = "done"
    FAIL = "fail"
    RESET = "reset"
    """The device was closed: whatever it did is over."""


ACTIVITIES: Mapping[Doing, Mapping[Activity, Activity]] = {
    Doing.BEGIN: {"idle": "busy", "error": "busy", "busy": "busy"},
    Doing.DONE: {"busy": "idle", "idle": "idle", "error": "idle"},
    Doing.FAIL: {"busy": "error", "idle": "error", "error": "error"},
    Doing.RESET: {"busy": "idle", "idle": "idle", "error": "idle"},
}


def next_link(link: Link, cue: Cue) -> Link:
    """Return the link after a cue; raise ``KeyError`` for one that cannot come now."""
    return LINKS[cue][link]


def next_activity(activity: Activity, doing: Doing) -> Activity:
    return ACTIVITIES[doing][activity]


@dataclass(slots=True)
class DeviceState:
    """How one device is now; the console shows it as it stands."""

    role: str
    driver: str
    link: Link = "absent"
    activity: Activity = "idle"
    reason: str = ""
    """Code of what is wrong or worth knowing, else empty."""
    detail: str = ""
    info: DeviceInfo | None = None
    last_event: str = ""
    opened: int = 0
    lost: int = 0
    online_s: float = 0.0
    """How long it was open, without the time since it was opened last."""
    open_since_s: float | None = None
    ready: bool = False
    """It can do its work; a printer only on its own word."""
    near_end: bool = False
    """A printer's roll is almost done."""
    drawer_open: bool | None = None

    @property
    def busy(self) -> bool:
        return self.activity == "busy"

    @property
    def is_open(self) -> bool:
        return self.link in OPEN

    @property
    def virtual(self) -> bool:
        return self.info is not None and self.info.virtual
