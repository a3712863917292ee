"""A USB bus that exists in files: umockdev's testbed, which udev, sysfs and netlink in this process obey.

The process has to run under ``umockdev-wrapper``.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

TTY_MAJOR = 166


class MockBus:
    def __init__(self) -> None:
        self._library = ctypes.CDLL("libumockdev.so.0")
        self._library.umockdev_testbed_new.restype = ctypes.c_void_p
        self._bed = ctypes.c_void_p(self._library.umockdev_testbed_new())
        self._library.umockdev_testbed_get_root_dir.restype = ctypes.c_char_p
        self.root = Path(self._library.umockdev_testbed_get_root_dir(self._bed).decode())

    def plug(self, description: str) -> None:
        """Make devices in umockdev's own words; udev says ``add`` of each."""
        error = ctypes.c_void_p()
        done = self._library.umockdev_testbed_add_from_string(
            self._bed, description.encode(), ctypes.byref(error)
        )
        assert done, description

    def pull(self, *paths: str) -> None:
        """Take devices away, the deepest first; udev says ``remove`` of each."""
        for path in paths:
            self._library.umockdev_testbed_uevent(self._bed, f"/sys{path}".encode(), b"remove")
            self._library.umockdev_testbed_remove_device(self._bed, f"/sys{path}".encode())

    def hide(self, subsystem: str, name: str) -> None:
        """Take a device out of its class, and tell nobody."""
        (self.root / "sys/class" / subsystem / name).rename(self.root / f"hidden-{name}")

    def unhide(self, subsystem: str, name: str) -> None:
        (self.root / f"hidden-{name}").rename(self.root / "sys/class" / subsystem / name)


def usb_device(port: str, usb_id: str, serial: str = "", name: str = "Scanner") -> str:
    vendor, product = usb_id.lower().split(":")
    serial_line = f"A: serial={serial}\n" if serial else ""
    return (
        f"P: /devices/pci0/usb1/{port}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
        f"N: bus/usb/001/{int(port.rpartition('.')[2]):03}\n"
        f"A: idVendor={vendor}\nA: idProduct={product}\nA: manufacturer=Acme\nA: product={name}\n"
        f"A: bDeviceClass=00\n{serial_line}\n"
        f"P: /devices/pci0/usb1/{port}/{port}:1.0\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_interface\n\n"
    )


def serial_port(port: str, tty: str, *, links: str = "", place: str = "") -> str:
    """A serial function of the device at ``port``; with udev's words on it when ``place`` is given."""
    said = f"E: ID_PATH={place}\n" if place else ""
    said += f"E: DEVLINKS={links}\n" if links else ""
    return (
        f"P: {tty_path(port, tty)}\nN: {tty}\nE: SUBSYSTEM=tty\nE: DEVNAME=/dev/{tty}\n{said}"
        f"A: dev={TTY_MAJOR}:{int(tty.removeprefix('ttyACM'))}\n\n"
    )


def tty_path(port: str, tty: str) -> str:
    return f"/devices/pci0/usb1/{port}/{port}:1.0/tty/{tty}"


def usb_paths(port: str) -> tuple[str, str]:
    return f"/devices/pci0/usb1/{port}/{port}:1.0", f"/devices/pci0/usb1/{port}"


def printer_port(port: str, number: int) -> str:
    return (
        f"P: /devices/pci0/usb1/{port}/{port}:1.0/usbmisc/lp{number}\nN: usb/lp{number}\n"
        f"E: SUBSYSTEM=usbmisc\nE: DEVNAME=/dev/usb/lp{number}\nA: dev=180:{number}\n\n"
    )


def keyboard(port: str, event: str, *, keys: str = "fffffffffffffffe") -> str:
    base = f"/devices/pci0/usb1/{port}/{port}:1.0/input/input{event.removeprefix('event')}"
    return (
        f"P: {base}\nE: SUBSYSTEM=input\nA: capabilities/key={keys}\n\n"
        f"P: {base}/{event}\nN: input/{event}\nE: SUBSYSTEM=input\nE: DEVNAME=/dev/input/{event}\n"
        "A: dev=13:69\n\n"
    )
