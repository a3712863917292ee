"""What the kernel and udev say is plugged in: their netlink messages on the event loop, and a look at sysfs
every few seconds for the messages that got lost, and for machines where no udev runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from tapledger.devices.discovery.source import Change, HotplugEvent

if TYPE_CHECKING:
    from pyudev import Context, Device

RESCAN_S = 3.0
SYSFS = "/sys"
_FOLDERS = {
    "tty": "class/tty",
    "input": "class/input",
    "usbmisc": "class/usbmisc",
    "hidraw": "class/hidraw",
    "usb": "bus/usb/devices",
}
SUBSYSTEMS = tuple(_FOLDERS)
_PREFIXES = {"input": "event", "usbmisc": "lp"}
"""Of these classes only such names are devices that a driver of ours opens."""
_SAID_BY_UDEV = (
    "ID_VENDOR_ID",
    "ID_MODEL_ID",
    "ID_SERIAL_SHORT",
    "ID_PATH",
    "ID_VENDOR",
    "ID_MODEL",
    "ID_INPUT_KEYBOARD",
    "DEVLINKS",
)
_SAID_BY_SYSFS = {
    "ID_VENDOR_ID": "idVendor",
    "ID_MODEL_ID": "idProduct",
    "ID_SERIAL_SHORT": "serial",
    "ID_VENDOR": "manufacturer",
    "ID_MODEL": "product",
}
_HUB = "09"
_NO_UART = "0"
"""What the kernel calls a serial port of the board that has no chip behind it."""
_KEY_1, _KEY_0, _KEY_ENTER = 2, 11, 28


class UdevSource:
    """Serial ports, keyboards, printers, HID and USB devices. Needs libudev, not a running udevd."""

    name = "udev"

    def __init__(self, rescan_s: float = RESCAN_S) -> None:
        from pyudev import Context

        self._context: Context = Context()
        self._rescan_s = rescan_s
        self._looked_at: dict[str, set[str]] = {subsystem: set() for subsystem in SUBSYSTEMS}
        """Every name in sysfs, so that a rescan opens only what is new."""
        self._there: dict[tuple[str, str], HotplugEvent] = {}
        """What was reported and not taken back, by subsystem and name."""

    def scan(self) -> list[HotplugEvent]:
        return list(self._rescan())

    async def events(self) -> AsyncIterator[HotplugEvent]:
        from pyudev import Monitor

        monitor = Monitor.from_netlink(self._context)
        for subsystem in SUBSYSTEMS:
            monitor.filter_by(subsystem)
        monitor.start()
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(monitor.fileno(), heard.set)
        try:
            while True:
                for event in self._rescan():
                    yield event
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._rescan_s):
                        await heard.wait()
                heard.clear()
                while (device := monitor.poll(0)) is not None:
                    for event in self._told(device):
                        yield event
        finally:
            loop.remove_reader(monitor.fileno())

    # ---- two ways to notice a change -------------------------------------------------------------------
    def _told(self, device: Device) -> Iterator[HotplugEvent]:
        """A message of udev; ``add`` comes after its links were made."""
        subsystem, name = str(device.subsystem), str(device.sys_name)
        if device.action == "remove":
            self._looked_at[subsystem].discard(name)
            yield from self._went(subsystem, name)
        elif device.action in ("add", "change", "bind"):
            self._looked_at[subsystem].add(name)
            yield from self._came(subsystem, name, _report(device))

    def _rescan(self) -> Iterator[HotplugEvent]:
        for subsystem in SUBSYSTEMS:
            names, before = _names(subsystem), self._looked_at[subsystem]
            self._looked_at[subsystem] = names
            for name in sorted(before - names):
                yield from self._went(subsystem, name)
            for name in sorted(names - before):
                yield from self._came(subsystem, name, self._look(subsystem, name))

    def _came(self, subsystem: str, name: str, event: HotplugEvent | None) -> Iterator[HotplugEvent]:
        if event is None or self._there.get((subsystem, name)) == event:
            return
        yield from self._went(subsystem, name)
        self._there[subsystem, name] = event
        yield event

    def _went(self, subsystem: str, name: str) -> Iterator[HotplugEvent]:
        event = self._there.pop((subsystem, name), None)
        if event is not None:
            yield HotplugEvent(Change.REMOVED, subsystem, event.path)

    def _look(self, subsystem: str, name: str) -> HotplugEvent | None:
        from pyudev import DeviceNotFoundError, Devices

        try:
            return _report(Devices.from_name(self._context, subsystem, name))
        except DeviceNotFoundError:
            return None  # it has gone again


def _names(subsystem: str) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(f"{SYSFS}/{_FOLDERS[subsystem]}")}
    except OSError:
        return set()  # this machine has no such thing


def _report(device: Device) -> HotplugEvent | None:
    """Return what a device is, None for one that is nobody's device: a console, a hub, a mouse's wheel."""
    subsystem, name = str(device.subsystem), str(device.sys_name)
    path = device.device_node or (device.sys_path if subsystem == "usb" else None)
    if path is None or not name.startswith(_PREFIXES.get(subsystem, "")):
        return None
    usb = device if subsystem == "usb" else device.find_parent("usb", "usb_device")
    if subsystem == "usb" and (
        device.device_type != "usb_device" or _attribute(device, "bDeviceClass") == _HUB
    ):
        return None
    if subsystem == "tty" and usb is None and _is_no_port(device):
        return None
    said = {key: device.properties[key] for key in _SAID_BY_UDEV if key in device.properties}
    if usb is not None:
        said["USB_PORT"] = str(usb.sys_name)
        for key, attribute in _SAID_BY_SYSFS.items():
            if not said.get(key) and (value := _attribute(usb, attribute)):
                said[key] = value
    said.setdefault("ID_PATH", _place(device))
    if subsystem == "input" and "ID_INPUT_KEYBOARD" not in said and _types_digits(device):
        said["ID_INPUT_KEYBOARD"] = "1"
    return HotplugEvent(Change.ADDED, subsystem, str(path), said)


def _is_no_port(device: Device) -> bool:
    """Consoles have no hardware; a board's serial port may be a number without a chip."""
    return device.parent is None or _attribute(device, "type") == _NO_UART


def _place(device: Device) -> str:
    """Where it hangs, for machines whose udev does not say: the interface's name in the kernel."""
    interface = device.find_parent("usb", "usb_interface")
    if interface is not None:
        return f"usb-{interface.sys_name}"
    return f"usb-{device.sys_name}" if device.subsystem == "usb" else str(device.device_path)


def _types_digits(device: Device) -> bool:
    """Whether a keyboard has the digits and Enter, by the kernel's bit map of its keys."""
    parent = device.parent
    words = "" if parent is None else _attribute(parent, "capabilities/key")
    try:
        low = int(words.split()[-1], 16)
    except (IndexError, ValueError):
        return False
    return all(low >> key & 1 for key in (*range(_KEY_1, _KEY_0 + 1), _KEY_ENTER))


def _attribute(device: Device, name: str) -> str:
    try:
        value: bytes = device.attributes.get(name)
    except (KeyError, OSError):
        return ""
    return value.decode("utf-8", "replace").strip() if value is not None else ""
