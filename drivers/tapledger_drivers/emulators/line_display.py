"""A customer display of two lines of 20 columns that understands Epson's display commands."""

from __future__ import annotations

from tapledger_drivers.emulators.on_a_wire import OnAWire

COLUMNS, ROWS = 20, 2
_CLEAR = 0x0C
_ESC, _US = 0x1B, 0x1F
_ARGUMENTS = {
    bytes([_ESC, 0x40]): 0,
    bytes([_ESC, 0x74]): 1,
    bytes([_ESC, 0x52]): 1,
    bytes([_US, 0x01]): 0,
    bytes([_US, 0x02]): 0,
    bytes([_US, 0x03]): 0,
    bytes([_US, 0x24]): 2,
    bytes([_US, 0x43]): 1,
    bytes([_US, 0x45]): 1,
    bytes([_US, 0x58]): 1,
}


class LineDisplayEmulator(OnAWire):
    """``lines`` is what a customer reads."""

    def __init__(self, name: str = "display", seed: int = 0, encoding: str = "gb18030") -> None:
        super().__init__(self, name, seed)
        self._encoding = encoding
        self._pending = b""
        self._cells = bytearray(b" " * COLUMNS * ROWS)
        self._at = 0
        self.unknown = 0
        """Bytes that are no character and no command."""

    @property
    def lines(self) -> tuple[str, str]:
        upper, lower = bytes(self._cells[:COLUMNS]), bytes(self._cells[COLUMNS:])
        return upper.decode(self._encoding, "replace").rstrip(), lower.decode(
            self._encoding, "replace"
        ).rstrip()

    def attached(self) -> None:
        self._pending = b""

    def detached(self) -> None:
        self._cells[:] = b" " * len(self._cells)  # it is fed by its cable
        self._at = 0

    def received(self, data: bytes) -> None:
        for byte in data:
            self._pending += bytes([byte])
            if self._pending[0] not in (_ESC, _US):
                self._character(byte)
            elif len(self._pending) < 2:
                continue
            elif (wanted := _ARGUMENTS.get(self._pending[:2])) is None:
                self.unknown += 2
            elif len(self._pending) < 2 + wanted:
                continue
            else:
                self._command(self._pending[:2], self._pending[2:])
            self._pending = b""

    def _command(self, command: bytes, arguments: bytes) -> None:
        if command == bytes([_ESC, 0x40]):
            self._character(_CLEAR)
        elif command == bytes([_US, 0x24]):
            column, row = arguments
            if 1 <= column <= COLUMNS and 1 <= row <= ROWS:
                self._at = (row - 1) * COLUMNS + column - 1

    def _character(self, byte: int) -> None:
        size = len(self._cells)
        match byte:
            case 0x0C:  # CLR
                self._cells[:] = b" " * size
                self._at = 0
            case 0x0B:  # HOM
                self._at = 0
            case 0x18:  # CAN, clear the cursor's line
                start = self._at // COLUMNS * COLUMNS
                self._cells[start : start + COLUMNS] = b" " * COLUMNS
                self._at = start
            case 0x0A:  # LF
                self._at = (self._at + COLUMNS) % size
            case 0x0D:  # CR
                self._at -= self._at % COLUMNS
            case 0x08:  # BS
                self._at = (self._at - 1) % size
            case 0x09:  # HT
                self._at = (self._at + 1) % size
            case _ if byte >= 0x20:
                self._cells[self._at] = byte
                self._at = (self._at + 1) % size
            case _:
                self.unknown += 1
