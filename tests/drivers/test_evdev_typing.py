"""What key presses mean, and what keeps a keyboard shut: no umockdev needed for either."""

from __future__ import annotations

import errno
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers import quirks
from tapledger_drivers.errors import DeviceBlocked
from tapledger_drivers.io import KeyEvent
from tapledger_drivers.scanners.evdev_keyboard import looks_miskeyed
from tapledger_drivers.scanners.key_typing import KeyTyper
from tapledger_drivers.scanners.keymaps import DE, FR, US, Keymap
from tapledger_drivers.traffic import Traffic
from tests.drivers.as_nobody import forbidden_tty, needs_root, said_to_nobody

SHIFT, CTRL, ALT, ALT_GR, CAPS, ENTER, SPACE = 42, 29, 56, 100, 58, 28, 57
KEYPAD = {"0": 82, "1": 79, "2": 80, "3": 81, "4": 75, "5": 76, "6": 77, "7": 71, "8": 72, "9": 73}


def typed(keymap: Keymap, *strokes: int | tuple[int, ...]) -> bytes:
    """Press and release keys; of a tuple all but the last are held."""
    typer, said = KeyTyper(keymap), b""
    for stroke in strokes:
        keys = stroke if isinstance(stroke, tuple) else (stroke,)
        for code in keys:
            said += typer.press(KeyEvent(code, 1))
        for code in reversed(keys):
            said += typer.press(KeyEvent(code, 0))
    return said


def alt(number: str) -> list[KeyEvent]:
    """Alt held while a number is typed on the keypad."""
    keys = [KeyEvent(KEYPAD[digit], value) for digit in number for value in (1, 0)]
    return [KeyEvent(ALT, 1), *keys, KeyEvent(ALT, 0)]


@pytest.mark.parametrize(
    ("keymap", "strokes", "text"),
    [
        (US, (30, (SHIFT, 30), 2, (SHIFT, 2), ENTER), "aA1!\r"),
        (US, (21, 44), "yz"),
        (DE, (21, 44), "zy"),
        (DE, ((SHIFT, 8), (ALT_GR, 8), (ALT_GR, 16), (ALT_GR, 86)), "/{@|"),
        (DE, ((CTRL, ALT, 16),), "@"),
        (FR, (16, 30, 2, (SHIFT, 2), (ALT_GR, 11)), "aq&1@"),
        (US, ((CTRL, 27),), "\x1d"),
        (DE, ((CTRL, 27),), "\x1d"),
        (FR, ((CTRL, 27),), "\x1d"),
        (DE, (41, SPACE, 13, 18, (SHIFT, 13), 30), "^éà"),
        (DE, (13, 20), "´t"),
        (FR, (26, 18, (SHIFT, 26), 22), "êü"),
        (US, (CAPS, 30, 2, (SHIFT, 30), CAPS, 30), "A1aa"),
        (US, (79, 83, 96), "1.\r"),
    ],
)
def test_strokes(keymap: Keymap, strokes: tuple[int | tuple[int, ...], ...], text: str) -> None:
    assert typed(keymap, *strokes).decode() == text


@pytest.mark.parametrize(
    ("numbers", "raw"),
    [
        (["029"], b"\x1d"),
        (["0065", "66"], b"AB"),
        (["228", "189", "160"], "你".encode()),  # the bytes of UTF-8, one by one
        (["196", "227"], "你".encode("gbk")),  # the bytes of GBK, one by one
        (["20320"], "你".encode()),  # its number in Unicode
        (["50403"], "你".encode()),  # its number in GBK
        (["9999999"], b""),
    ],
)
def test_numbers_on_the_keypad(numbers: list[str], raw: bytes) -> None:
    typer = KeyTyper(US)
    assert b"".join(typer.press(event) for number in numbers for event in alt(number)) == raw


def test_a_key_that_repeats_is_typed_once() -> None:
    typer = KeyTyper(US)
    events = [KeyEvent(30, 1), *[KeyEvent(30, 2)] * 5, KeyEvent(30, 0)]
    assert b"".join(map(typer.press, events)) == b"a"


def test_a_shift_whose_release_got_lost_ends_with_the_code() -> None:
    typer = KeyTyper(US)
    typer.press(KeyEvent(SHIFT, 1))
    assert typer.press(KeyEvent(30, 1)) == b"A"
    typer.rest()
    assert typer.press(KeyEvent(30, 1)) == b"a"


@pytest.mark.parametrize(
    ("text", "miskeyed"),
    [
        ("^(!@#$%^&*(", True),
        ("ýéáěščřžýáíé", True),
        ("-çà&é\"'(-è_ç", True),
        ("6901234567892", False),
        ("!!", False),
    ],
)
def test_digits_through_the_wrong_country_are_known(text: str, miskeyed: bool) -> None:
    assert looks_miskeyed(text) is miskeyed


@needs_root
async def test_permission_denied_names_the_rule() -> None:
    with forbidden_tty(group=0, mode=0o600) as path:
        said = await said_to_nobody(
            "import grp, sys, time\n"
            "from tapledger_drivers.traffic import Traffic\n"
            "from tapledger_drivers.transports.evdev_keys import open_keys",
            "open_keys(sys.argv[1], Traffic(time.monotonic))",
            path,
        )
    assert b"not_permitted" in said
    assert b"udev rule" in said


def test_a_keyboard_that_somebody_holds_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    evdev = pytest.importorskip("evdev")
    from tapledger_drivers.transports.evdev_keys import open_keys

    class Held:
        name = "scanner"
        closed = False

        def capabilities(self) -> dict[int, list[int]]:
            return {1: [2, 10, 11, 28]}

        def grab(self) -> None:
            raise OSError(errno.EBUSY, "Device or resource busy")

        def close(self) -> None:
            self.closed = True

    held = Held()
    monkeypatch.setattr(evdev, "InputDevice", lambda path: held)
    with pytest.raises(DeviceBlocked, match="in_use"):
        open_keys("/dev/null", Traffic(time.monotonic))
    assert held.closed


@pytest.mark.parametrize(
    ("usb_id", "name", "model"),
    [
        ("05E0:1701", "", "Zebra scanner, USB CDC"),
        ("05e0:1200", "Symbol Bar Code Scanner", "Zebra scanner, keyboard"),
        ("", "/dev/serial/by-id/usb-Honeywell_Imaging_3310g-if00", "Honeywell scanner"),
        ("1EAB:8306", "", "Newland scanner, USB CDC"),
    ],
)
def test_known_scanners_are_known(usb_id: str, name: str, model: str) -> None:
    quirk = quirks.find("scanner", usb_id=usb_id, name=name)
    assert quirk is not None
    assert quirk.model == model


@given(
    st.lists(st.builds(KeyEvent, st.integers(1, 255), st.integers(0, 2)), max_size=200),
    st.sampled_from([US, DE, FR]),
)
def test_any_keys_are_typed_without_an_exception(events: list[KeyEvent], keymap: Keymap) -> None:
    typer = KeyTyper(keymap)
    assert all(isinstance(typer.press(event), bytes) for event in events)
    assert len(typer._down) <= 255
