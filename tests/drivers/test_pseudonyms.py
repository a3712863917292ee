"""No card number and no code leaves a recording, and whatever was around them still fits."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tapledger_drivers.cassettes.pseudonyms import SHORTEST, Pseudonyms

SALT = bytes(range(16))
SECRETS = st.binary(min_size=SHORTEST, max_size=40)


@given(SECRETS, st.binary(max_size=20), st.binary(max_size=20))
def test_a_secret_is_gone_and_length_and_sum_stay(secret: bytes, before: bytes, after: bytes) -> None:
    frame = before + secret + after
    assume(frame.count(secret) == 1 and not secret.isascii())
    told = Pseudonyms(SALT, [secret]).in_bytes(frame)
    assert len(told) == len(frame)
    assert sum(told) % 256 == sum(frame) % 256
    assert told[len(before) : len(before) + len(secret)] != secret


def test_a_text_without_another_of_its_sum_is_hidden_all_the_same() -> None:
    told = Pseudonyms(SALT, [b"000000"]).in_bytes(b"000000")
    assert told.isdigit() and told != b"000000"


@given(st.text("0123456789", min_size=6, max_size=24))
def test_digits_stay_digits(code: str) -> None:
    told = Pseudonyms(SALT, [code.encode()]).in_text(f"code {code} read")
    assert told.startswith("code ") and told.endswith(" read")
    assert told[5:-5].isdigit() and len(told[5:-5]) == len(code)


def test_a_code_keeps_its_shape() -> None:
    told = Pseudonyms(SALT, [b"TL-7c9X"]).in_text("TL-7c9X")
    assert told[2] == "-" and told[:2].isupper() and told[3].isdigit() and told[4].islower()
    assert told != "TL-7c9X"


def test_the_same_secret_has_one_name_in_a_recording_and_another_in_the_next() -> None:
    uid = bytes.fromhex("04A1B2C3D4E5F6")
    one, other = Pseudonyms(SALT, [uid]), Pseudonyms(bytes(16), [uid])
    assert one.in_bytes(uid) == one.in_bytes(uid)
    assert one.in_bytes(uid) != other.in_bytes(uid)
    assert one.in_text(uid.hex().upper()) == one.in_bytes(uid).hex().upper()


def test_what_the_first_byte_of_a_card_number_says_is_kept() -> None:
    for first in (0x04, 0x08, 0x88):
        uid = bytes([first]) + bytes.fromhex("112233")
        assert Pseudonyms(SALT, [uid]).in_bytes(uid)[0] == first


def test_a_secret_inside_another_is_hidden_too() -> None:
    names = Pseudonyms(SALT, [b"1234567", b"1234567890"])
    assert b"1234567" not in names.in_bytes(b"1234567890 and 1234567")


def test_short_texts_are_no_secrets() -> None:
    assert len(Pseudonyms(SALT, [b"", b"1", b"abc"])) == 0
