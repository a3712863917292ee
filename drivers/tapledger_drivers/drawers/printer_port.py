"""A cash drawer at a receipt printer's port: the printer kicks it and reads its switch."""

from __future__ import annotations

from collections.abc import Callable

from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import ReceiptPrinter
from tapledger_drivers.registry import Making, Sibling


class PrinterPortDrawer:
    """The drawer of the printer with the role ``printer``, for as long as that printer is open."""

    def __init__(self, printer: str, sibling: Callable[[str], Sibling | None]) -> None:
        self._role = printer
        self._sibling = sibling

    async def open(self) -> DeviceInfo:
        """Look for the printer; nothing can be asked of the drawer itself."""
        parent = self._sibling(self._role)
        if parent is None:
            raise DeviceAbsent("parent_absent", f"the printer {self._role!r} is not open")
        if not isinstance(parent.driver, ReceiptPrinter):
            raise DeviceBlocked("bad_option", f"printer = {self._role!r} is not a receipt printer")
        kick = parent.info.capabilities.get("drawer_kick")
        if kick is not None and kick.value is False:
            raise DeviceBlocked("wrong_device", f"{parent.info.model} has no port for a drawer")
        return DeviceInfo(
            model="cash drawer",
            address=f"{self._role}: {parent.info.address}",
            virtual=parent.info.virtual,
        )

    async def close(self) -> None:
        """The printer stays as it is."""

    async def health(self, level: HealthLevel) -> HealthReport:
        """See whether its printer is open; ask it when a person wants to know.

        The drawer springs open only for cash, never to be tested.
        """
        printer = self._printer()
        if printer is None:
            raise DeviceLost("parent_absent", f"the printer {self._role!r} is not open")
        if level is HealthLevel.INTERNAL:
            # Cover and paper are the printer's own trouble, and a question would wait for its slip to end.
            return HealthReport(level, (Finding("parent_open", True, self._role),))
        status = await printer.status()
        switch = {True: "open", False: "shut", None: "unknown"}[status.drawer_open]
        findings = (Finding(status.reason, status.ready, status.evidence), Finding("drawer", True, switch))
        return HealthReport(HealthLevel.EXTERNAL, findings)

    async def kick(self) -> bool:
        printer = self._printer()
        return printer is not None and await printer.kick_drawer()

    async def is_open(self) -> bool | None:
        printer = self._printer()
        return None if printer is None else (await printer.status()).drawer_open

    def _printer(self) -> ReceiptPrinter | None:
        parent = self._sibling(self._role)  # looked for each time: it may have been opened anew
        driver = None if parent is None else parent.driver
        return driver if isinstance(driver, ReceiptPrinter) else None


def make(making: Making) -> PrinterPortDrawer:
    return PrinterPortDrawer(making.options.text("printer"), making.sibling)
