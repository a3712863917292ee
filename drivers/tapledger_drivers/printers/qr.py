"""QR codes that a phone reads from thermal paper: as large as the paper allows, never too fine."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from tapledger_drivers.printers.raster import Bitmap

MODULE_DOTS_MAX = 6
"""0.75 mm: large enough for any phone, and a short code does not fill the paper."""
MODULE_DOTS_GOOD = 4
"""0.5 mm. Rather less error correction than finer modules."""
QUIET_MODULES = 4

# How many bytes a code of version 1 to 40 holds (ISO/IEC 18004, table 7).
_BYTES_L = (
    *(17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858),
    *(929, 1003, 1091, 1171, 1273, 1367, 1465, 1528, 1628, 1732, 1840, 1952, 2068, 2188, 2303, 2431),
    *(2563, 2699, 2809, 2953),
)
_BYTES_M = (
    *(14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666),
    *(711, 779, 857, 911, 997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628, 1722, 1809, 1911),
    *(1989, 2099, 2213, 2331),
)


@dataclass(frozen=True, slots=True)
class QrPlan:
    version: int
    error: str
    """``M``, or ``L`` where M would make the modules too fine."""
    module_dots: int

    @property
    def modules(self) -> int:
        """Its width without the quiet zone."""
        return 17 + 4 * self.version


def plan(data: bytes, dots: int) -> QrPlan:
    """Return how ``data`` is printed on paper of ``dots``; raise ValueError when no code holds it."""
    medium, low = (_plan(len(data), dots, error) for error in "ML")
    if low is None or low.module_dots < 1:
        raise ValueError(f"no QR code of {len(data)} bytes fits on {dots} dots")
    if medium is None or medium.module_dots < min(MODULE_DOTS_GOOD, low.module_dots):
        return low
    return medium


def _plan(byte_count: int, dots: int, error: str) -> QrPlan | None:
    capacities = _BYTES_L if error == "L" else _BYTES_M
    version = bisect_left(capacities, byte_count) + 1
    if version > len(capacities):
        return None
    return QrPlan(version, error, min(MODULE_DOTS_MAX, dots // (17 + 4 * version + 2 * QUIET_MODULES)))


def draw(data: bytes, dots: int) -> Bitmap:
    """Return the code centred on paper of ``dots``, its quiet zone included."""
    import segno

    planned = plan(data, dots)
    code = segno.make(
        data, version=planned.version, error=planned.error, mode="byte", micro=False, boost_error=False
    )
    module = planned.module_dots
    margin = (dots - planned.modules * module) // 2
    blank = 0
    width_bytes = (dots + 7) // 8
    rows = [blank.to_bytes(width_bytes, "big")] * (QUIET_MODULES * module)
    for modules in code.matrix:
        row = 0
        for black in modules:
            row = (row << module) | ((1 << module) - 1 if black else 0)
        row <<= width_bytes * 8 - margin - planned.modules * module
        rows += [row.to_bytes(width_bytes, "big")] * module
    rows += rows[: QUIET_MODULES * module]
    return Bitmap(width_bytes, len(rows), b"".join(rows))
