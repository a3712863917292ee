"""Makes a ``Scan`` or a ``ScanRefused`` of the bytes of one code; every kind of scanner shares it."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tapledger_drivers.device import Value
from tapledger_drivers.errors import DeviceBlocked
from tapledger_drivers.ports import Scan, ScanEvent, ScanRefused
from tapledger_drivers.registry import Options
from tapledger_drivers.scanners import gs1, payment_secrets, personal, symbologies
from tapledger_drivers.scanners.framing import CODE_BYTES_MAX, QUIET_S, Framed
from tapledger_drivers.traffic import Traffic

AFFIX_CHARS_MAX = 16
QUIET_MS_MIN, QUIET_MS_MAX = 10, 2000
Encoding = Literal["auto", "utf-8", "gb18030"]
ENCODINGS: tuple[Encoding, ...] = ("auto", "utf-8", "gb18030")

_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_ESCAPE = re.compile(r"\\(r|n|t|\\|x[0-9A-Fa-f]{2})")
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class CodeFormat:
    """What a scanner puts around its codes, as the operator set it."""

    prefix: bytes = b""
    suffix: bytes = b""
    quiet_s: float = QUIET_S
    encoding: Encoding = "auto"

    @classmethod
    def from_options(cls, options: Options) -> CodeFormat:
        """Take ``prefix``, ``suffix``, ``quiet_ms`` and ``encoding``."""
        prefix, suffix = (affix(name, options.optional_text(name)) for name in ("prefix", "suffix"))
        quiet_ms = options.integer("quiet_ms", round(QUIET_S * 1000), QUIET_MS_MIN, QUIET_MS_MAX)
        named = options.choice("encoding", "auto", ENCODINGS)
        encoding = next(known for known in ENCODINGS if known == named)
        return cls(prefix, suffix, quiet_ms / 1000, encoding)

    def operators_word(self) -> dict[str, Value]:
        """Return the capabilities that the operator has set."""
        return {} if self.encoding == "auto" else {"encoding": self.encoding}


def affix(name: str, text: str) -> bytes:
    r"""Return the bytes of a prefix or suffix written with ``\r \n \t \\ \x1d``."""
    if "\\" in _ESCAPE.sub("", text):
        raise DeviceBlocked("bad_option", rf"{name}: known are \r, \n, \t, \\ and \x with two hex digits")
    plain = _ESCAPE.sub(lambda match: _ESCAPED.get(match[1]) or chr(int(match[1][1:], 16)), text)
    if len(plain) > AFFIX_CHARS_MAX:
        raise DeviceBlocked("bad_option", f"{name} has at most {AFFIX_CHARS_MAX} characters")
    return plain.encode()


class CodeReader:
    """Reads the codes of one scanner and counts them."""

    def __init__(self, code_format: CodeFormat, traffic: Traffic) -> None:
        self._format = code_format
        self._traffic = traffic
        self.aim_id_seen: bool | None = None
        """Whether the newest code had an AIM identifier; None before the first."""

    def read(self, framed: Framed, typed: bytes = b"") -> ScanEvent:
        """Return what the code says; never raises. What may be somebody's is hidden when it returns, and so
        are the key presses that ``typed`` it."""
        event = self._judge(framed, time.monotonic())
        if isinstance(event, Scan):
            self.aim_id_seen = bool(event.aim_id)
            self._traffic.count("GoodScanCount")
            secrets = personal.secrets_of(event)
        else:
            self._traffic.count("FailedScanCount")
            secrets = personal.secrets_of_refused(event.reason, framed.raw)
        self._hide(secrets, typed)
        return event

    def drop(self, rest: Iterable[Framed], typed: bytes = b"") -> None:
        """Hide what may be somebody's in a code that nobody will be told of."""
        for framed in rest:
            self._hide(personal.secrets_of_refused("incomplete", framed.raw), typed)

    def _hide(self, secrets: list[bytes], typed: bytes) -> None:
        for secret in (*secrets, typed) if secrets else ():
            self._traffic.hide(secret)

    def _judge(self, framed: Framed, seen_at_s: float) -> ScanEvent:
        if framed.length > CODE_BYTES_MAX:
            return ScanRefused("too_long", framed.length, seen_at_s)
        if not framed.complete:
            return ScanRefused("incomplete", framed.length, seen_at_s)
        if not framed.raw.startswith(self._format.prefix):
            return ScanRefused("prefix_missing", framed.length, seen_at_s)
        raw = framed.raw[len(self._format.prefix) :]
        text, encoding = _decode(raw, self._format.encoding)
        if text is None:
            return ScanRefused("not_text", framed.length, seen_at_s)
        aim_id, text = symbologies.split_aim_id(text)
        if secret := payment_secrets.kind_of(aim_id, text):
            return ScanRefused(secret, framed.length, seen_at_s)
        if not text or not _visible(text):
            return ScanRefused("control_characters", framed.length, seen_at_s)
        named = symbologies.symbology(aim_id, text)
        return Scan(raw, text, seen_at_s, aim_id, named, _identifiers(aim_id, text), encoding)


def _visible(text: str) -> bool:
    if text.isascii():
        return text.replace(gs1.GROUP_SEPARATOR, "").isprintable()
    return not any(unicodedata.category(char) in _INVISIBLE and char != gs1.GROUP_SEPARATOR for char in text)


def _identifiers(aim_id: str, text: str) -> tuple[tuple[str, str], ...]:
    """GS1 where the barcode says so; without its word only where a separator or a GTIN speaks for it."""
    speaks_for_it = gs1.GROUP_SEPARATOR in text or (text[:2] == "01" and len(text) >= 16)
    if symbologies.is_gs1(aim_id) or (not aim_id and speaks_for_it):
        return gs1.parse(text)
    return ()


def _decode(raw: bytes, encoding: Encoding) -> tuple[str | None, str]:
    """Scanners send UTF-8 or GB18030, by a setting; valid UTF-8 is hardly ever meant as GB18030."""
    if raw.isascii():
        return raw.decode("ascii"), "ascii"
    for candidate in ("utf-8", "gb18030") if encoding == "auto" else (encoding,):
        try:
            return raw.decode(candidate), candidate
        except UnicodeDecodeError:
            continue
    return None, ""
