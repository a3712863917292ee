"""A barcode scanner that types (HID keyboard): grabbed, so that what it reads goes nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

from tapledger_drivers import quirks
from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.io import KEYS_LOST, Io, KeyEvent, Keys
from tapledger_drivers.ports import Scan, ScanEvent
from tapledger_drivers.registry import Making
from tapledger_drivers.scanners.framing import CODE_BYTES_MAX, KEYBOARD_ENDS, Framed, Framer
from tapledger_drivers.scanners.key_typing import KeyTyper
from tapledger_drivers.scanners.keymaps import DIGIT_ROWS, KEYMAPS
from tapledger_drivers.scanners.reading import CodeFormat, CodeReader

LAYOUT = "us"
CODES_AHEAD_MAX = 256
"""Codes that wait for the till; beyond it the keyboard is not read."""
_TYPED_BYTES_MAX = CODE_BYTES_MAX * 8 * len(KEYS_LOST.pack())
"""Key presses and releases of one code that are remembered, to hide them should it be somebody's."""

_Codes: TypeAlias = "asyncio.Queue[ScanEvent | Exception | None]"


class EvdevKeyboardScanner:
    """Yield the codes that are typed by the keyboard at ``path``, in their order, each exactly once."""

    def __init__(
        self, io: Io, path: str, layout: str = LAYOUT, code_format: CodeFormat | None = None
    ) -> None:
        self._io = io
        self._path = path
        self._layout = layout
        self._format = code_format or CodeFormat()
        self._keys: Keys | None = None
        self._reader = CodeReader(self._format, io.traffic)
        self._begin()

    async def open(self) -> DeviceInfo:
        """Grab the keyboard for this process alone; raise ``DeviceAbsent`` or ``DeviceBlocked``."""
        await self.close()
        keys = await self._io.keys(self._path)
        self._keys = keys
        self._begin()
        quirk = quirks.find("scanner", usb_id=keys.usb_id, name=keys.name)
        return DeviceInfo(
            model=keys.name if quirk is None else quirk.model,
            address=f"evdev:{self._path}",
            virtual=keys.virtual,
            usb_id=keys.usb_id,
            capabilities=quirks.capabilities(
                {"encoding": "auto", "layout": LAYOUT},
                {"mode": "keyboard"},
                quirk,
                self._format.operators_word() | ({} if self._layout == LAYOUT else {"layout": self._layout}),
            ),
        )

    async def scans(self) -> AsyncIterator[ScanEvent]:
        """Yield codes until ``close``; raise ``DeviceLost`` on unplug, after every code typed before it."""
        if self._keys is None:
            return
        codes: _Codes = asyncio.Queue(CODES_AHEAD_MAX)
        pump = asyncio.create_task(self._pump(self._keys, codes))
        try:
            while (code := await codes.get()) is not None:
                if isinstance(code, Exception):
                    self._io.traffic.count("CommunicationErrorCount")
                    raise code
                yield code
        finally:
            pump.cancel()

    async def _pump(self, keys: Keys, codes: _Codes) -> None:
        """Read ahead of whoever takes the codes: the kernel keeps the keys of a few codes only."""
        events, waiting = keys.events(), None
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({waiting}, timeout=self._framer.patience_s)
                if done:
                    event, waiting = waiting.result(), None
                    framed = self._key(event)
                else:
                    framed = self._framer.silence()
                for code in framed:
                    await codes.put(self._read(code))
        except StopAsyncIteration:
            await codes.put(None)
        except Exception as error:  # whoever waits for the codes must hear of it, whatever it is
            await codes.put(error)
        finally:
            if waiting is not None:
                waiting.cancel()

    async def health(self, level: HealthLevel) -> HealthReport:
        """Nothing can be asked of a scanner: say what its keyboard and its codes have shown so far."""
        del level
        findings = [Finding("port_open", self._keys is not None, self._path)]
        if self._reader.aim_id_seen is not None:
            findings.append(Finding("aim_id_sent", self._reader.aim_id_seen))
            findings.append(Finding("line_end_sent", self._framer.ends_seen))
            findings.append(Finding("layout_fits", not self._miskeyed, self._layout))
        return HealthReport(HealthLevel.INTERNAL, tuple(findings))

    async def close(self) -> None:
        """Let the keyboard go and end ``scans``."""
        keys, self._keys = self._keys, None
        self._reader.drop(self._framer.silence(), bytes(self._typed))
        if keys is not None:
            await keys.close()

    def _begin(self) -> None:
        self._typer = KeyTyper(KEYMAPS[self._layout])
        self._framer = Framer(self._format.suffix, self._format.quiet_s, KEYBOARD_ENDS)
        self._typed = bytearray()
        self._miskeyed = False

    def _key(self, event: KeyEvent) -> Iterator[Framed]:
        self._typed += event.pack()
        del self._typed[:-_TYPED_BYTES_MAX]
        if event == KEYS_LOST:
            self._typer.rest()
            self._framer.lose()
            return iter(())
        return self._framer.feed(self._typer.press(event))

    def _read(self, framed: Framed) -> ScanEvent:
        event = self._reader.read(framed, bytes(self._typed))
        if isinstance(event, Scan):
            self._miskeyed = looks_miskeyed(event.text)
        self._typed.clear()
        self._typer.rest()
        return event


def looks_miskeyed(text: str) -> bool:
    """Tell whether a text is what digits become when scanner and driver mean different countries."""
    return len(text) >= 6 and any(set(text) <= set(row) for row in DIGIT_ROWS.values())


def make(making: Making) -> EvdevKeyboardScanner:
    options = making.options
    path, layout = options.text("path"), options.choice("layout", LAYOUT, KEYMAPS)
    return EvdevKeyboardScanner(making.io, path, layout, CodeFormat.from_options(options))
