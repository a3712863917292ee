"""The light and buzzer inside a card reader, as an indicator of its own."""

from __future__ import annotations

from collections.abc import Callable

from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import CardReader, Feedback
from tapledger_drivers.registry import Making, Sibling

_SHOWS = ("led", "buzzer")


class ReaderLight:
    """What the reader with the role ``reader`` can show, for as long as that reader is open."""

    def __init__(self, reader: str, sibling: Callable[[str], Sibling | None]) -> None:
        self._role = reader
        self._sibling = sibling

    async def open(self) -> DeviceInfo:
        parent = self._sibling(self._role)
        if parent is None:
            raise DeviceAbsent("parent_absent", f"the reader {self._role!r} is not open")
        if not isinstance(parent.driver, CardReader):
            raise DeviceBlocked("bad_option", f"reader = {self._role!r} is not a card reader")
        known = {name: parent.info.capabilities[name] for name in _SHOWS if name in parent.info.capabilities}
        if known and not any(capability.value for capability in known.values()):
            raise DeviceBlocked("wrong_device", f"{parent.info.model} has neither light nor buzzer to use")
        return DeviceInfo(
            model=f"light of {parent.info.model}",
            address=f"{self._role}: {parent.info.address}",
            virtual=parent.info.virtual,
            capabilities=known,
        )

    async def close(self) -> None:
        """The reader stays as it is."""

    async def health(self, level: HealthLevel) -> HealthReport:
        """See that the reader is open; ``external`` and above make it show ``ACCEPTED``."""
        reader = self._reader()
        if reader is None:
            raise DeviceLost("parent_absent", f"the reader {self._role!r} is not open")
        if level is HealthLevel.INTERNAL:
            return HealthReport(level, (Finding("parent_open", True, self._role),))
        shown = await reader.feedback(Feedback.ACCEPTED)
        await reader.feedback(Feedback.READY)
        return HealthReport(HealthLevel.EXTERNAL, (Finding("light", shown),))

    async def show(self, pattern: Feedback) -> None:
        """Show ``pattern``; nothing happens while the reader is away, whose own state says so."""
        reader = self._reader()
        if reader is not None:
            await reader.feedback(pattern)

    def _reader(self) -> CardReader | None:
        parent = self._sibling(self._role)  # looked for each time: it may have been opened anew
        driver = None if parent is None else parent.driver
        return driver if isinstance(driver, CardReader) else None


def make(making: Making) -> ReaderLight:
    return ReaderLight(making.options.text("reader"), making.sibling)
