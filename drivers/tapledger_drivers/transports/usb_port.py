"""A USB device with one bulk endpoint each way, as a ``Port``: a write is a transfer, a read too."""

from __future__ import annotations

import contextlib
import errno
import threading
from typing import Any

from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceError
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.addresses import UsbAddress

INTERFACE = 0
WRITE_TIMEOUT_S = 2.0
READ_AT_ONCE_S = 0.2
"""libusb cannot be woken, so a read asks this often whether the port was closed."""
_CHANNEL = "stream"
_IN, _BULK, _TYPE_MASK = 0x80, 0x02, 0x03


class UsbPort:
    """Implements ``io.Port`` over libusb. One transfer into ``limit`` bytes must fit whole."""

    def __init__(self, address: UsbAddress, text: str, traffic: Traffic) -> None:
        import usb1  # type: ignore[import-untyped]

        self._usb = usb1
        self._traffic = traffic
        self._closed = self._released = False
        self._busy = threading.Lock()
        """Held during a transfer: libusb must not be closed under one."""
        self._context = usb1.USBContext()
        self.address = text
        self.virtual = False
        try:
            self._handle = self._open(address)
        except BaseException:
            self._context.close()
            raise

    def _open(self, address: UsbAddress) -> Any:
        try:
            self._context.open()
            for device in self._context.getDeviceList(skip_on_error=True):
                if (device.getVendorID(), device.getProductID()) == (address.vendor, address.product):
                    self._in, self._out, self._packet_bytes = _bulk_endpoints(device)
                    handle = device.open()
                    handle.claimInterface(INTERFACE)
                    return handle
        except self._usb.USBError as error:
            raise self._why_not_open(error) from error
        raise DeviceAbsent("port_absent", f"{self.address}: no such device is plugged in")

    def _why_not_open(self, error: Exception) -> DeviceError:
        match error:
            case self._usb.USBErrorAccess():
                rule = "a udev rule has to give the device to a group that this user is in"
                return DeviceBlocked("not_permitted", f"{self.address}: {rule}")
            case self._usb.USBErrorBusy():
                return DeviceBlocked(
                    "in_use", f"{self.address} is held by another program or a kernel driver"
                )
            case _:
                return DeviceAbsent("port_absent", f"{self.address}: {error}")

    def read(self, limit: int, timeout_s: float) -> bytes:
        while True:
            wait_s = min(timeout_s, READ_AT_ONCE_S)
            timeout_s -= wait_s
            # libusb takes 0 for ever.
            data = self._transfer(self._handle.bulkRead, self._in, limit, max(1, int(wait_s * 1000)))
            if data:
                self._traffic.received(_CHANNEL, bytes(data))
                return bytes(data)
            if timeout_s <= 0:
                return b""

    def write(self, data: bytes) -> None:
        timeout_ms = int(WRITE_TIMEOUT_S * 1000)
        # Packets that are all full do not end a transfer; an empty one does.
        for part in (data,) if len(data) % self._packet_bytes else (data, b""):
            if self._transfer(self._handle.bulkWrite, self._out, part, timeout_ms) is None:
                raise TimeoutError(f"{self.address} took no bytes for {WRITE_TIMEOUT_S} s")
        self._traffic.sent(_CHANNEL, data)

    def set_baud(self, baud: int) -> None:
        """USB has its own speed."""

    def flush_input(self) -> None:
        while self.read(4096, 0.0):
            pass

    def close(self) -> None:
        """End the port now, or as soon as the transfer that is under way has ended."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        if not self._busy.acquire(blocking=False):
            return  # whoever is in a transfer comes here after it
        try:
            if not self._released:
                self._released = True
                with contextlib.suppress(self._usb.USBError):
                    self._handle.close()
                self._context.close()
        finally:
            self._busy.release()

    def _check_open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "closed", self.address)

    def _transfer(self, call: Any, *arguments: object) -> Any:
        """Make a transfer; None when it timed out, ``OSError`` when the device is gone."""
        try:
            with self._busy:
                self._check_open()
                return call(*arguments)
        except self._usb.USBErrorTimeout:
            return None
        except self._usb.USBError as error:
            self._traffic.note(_CHANNEL, f"lost: {error}")
            raise OSError(errno.EIO, str(error), self.address) from error
        finally:
            if self._closed:
                self._release()


def _bulk_endpoints(device: Any) -> tuple[int, int, int]:
    """Return the addresses of the first bulk endpoints in and out, and the size of what goes out in one
    packet; raise ``DeviceBlocked`` without both."""
    endpoints = [
        endpoint
        for setting in device.iterSettings()
        for endpoint in setting.iterEndpoints()
        if endpoint.getAttributes() & _TYPE_MASK == _BULK
    ]
    reads = [endpoint for endpoint in endpoints if endpoint.getAddress() & _IN]
    writes = [endpoint for endpoint in endpoints if not endpoint.getAddress() & _IN]
    if not reads or not writes:
        raise DeviceBlocked("wrong_device", "no bulk endpoints: not a device of this kind")
    return reads[0].getAddress(), writes[0].getAddress(), writes[0].getMaxPacketSize()
