"""No card number and no code leaves a recording, and whatever was around them still fits."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tapledger_drivers.cassettes import mending
from tapledger_drivers.cassettes.pseudonyms import PIECE_BYTES, SHORTEST, Pseudonyms

SALT = bytes(range(16))


def pn532_frame(content: bytes) -> bytes:
    if len(content) > 255:
        size = len(content).to_bytes(2, "big")
        head = b"\xff\xff" + size + bytes([-sum(size) % 256])
    else:
        head = bytes([len(content), -len(content) % 256])
    return b"\x00\x00\xff" + head + content + bytes([-sum(content) % 256, 0])


SECRETS = st.binary(min_size=SHORTEST, max_size=40)


@given(SECRETS, st.binary(max_size=20), st.binary(max_size=20))
def test_a_secret_is_gone_and_what_is_around_it_stays(secret: bytes, before: bytes, after: bytes) -> None:
    frame = before + secret + after
    assume(frame.count(secret) == 1 and not secret.isascii() and len(secret) <= 2 * PIECE_BYTES)
    told = Pseudonyms(SALT, [secret]).in_bytes(frame)
    assert len(told) == len(frame)
    assert told.startswith(before) and told.endswith(after)
    assert secret not in told


@given(st.binary(min_size=4 * PIECE_BYTES, max_size=80), st.integers(PIECE_BYTES, 16))
def test_a_long_secret_in_pieces_is_gone_and_comes_together(secret: bytes, piece: int) -> None:
    pieces = [secret[at : at + piece] for at in range(0, len(secret), piece)]
    assume(all(len(set(secret[at : at + PIECE_BYTES])) >= 3 for at in range(len(secret) - PIECE_BYTES + 1)))
    assume(len({secret[at : at + PIECE_BYTES] for at in range(len(secret))}) == len(secret))
    names = Pseudonyms(SALT, [secret])
    told = b"".join(names.in_bytes(part) for part in pieces)
    whole = names.in_bytes(secret)
    kept = len(pieces[-1]) if len(pieces[-1]) < PIECE_BYTES else 0
    assert told[: len(secret) - kept] == whole[: len(secret) - kept]


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=16, max_size=16))
def test_checksums_that_were_right_are_right_again(payload: bytes, page: bytes) -> None:
    """An answer of the PN532 with what a Type 2 card said, and its CRC, in it."""
    uid = bytes.fromhex("04A1B2C3D4E5F6")
    answer = bytes.fromhex("D54300") + page + uid
    answer += mending._crc_a(page + uid)
    was = pn532_frame(b"\xd5\x4b" + payload + uid) + pn532_frame(answer)
    now = mending.pn532(was, Pseudonyms(SALT, [uid]).in_bytes(was))
    assert len(now) == len(was)
    place = len(pn532_frame(b"\xd5\x4b" + payload + uid))
    for frame in (now[:place], now[place:]):
        assert frame == pn532_frame(frame[5:-2])
    card = now[place:][8:-2]
    assert card[-2:] == mending._crc_a(card[:-2])


def test_a_long_frame_has_its_checksum_right_again() -> None:
    uid = bytes.fromhex("04A1B2C3D4E5F6")
    was = pn532_frame(b"\xd5\x41\x00" + bytes(300) + uid)
    now = mending.pn532(was, Pseudonyms(SALT, [uid]).in_bytes(was))
    assert now != was
    assert now == pn532_frame(now[8:-2])


def test_a_checksum_that_was_wrong_stays_wrong() -> None:
    was = pn532_frame(b"\xd5\x4b\x01\x02\x03")[:-2] + b"\x77\x00"
    assert mending.pn532(was, was) == was


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


def test_a_secret_inside_another_has_one_name_everywhere() -> None:
    code, message = b"card-1001", b"\xd1\x01" + bytes(range(100, 140)) + b"card-1001" + bytes(range(20, 60))
    names = Pseudonyms(SALT, [code, message])
    assert names.in_bytes(code) in names.in_bytes(message)
    assert names.in_text(code.decode()).encode() == names.in_bytes(code)


def test_short_texts_are_no_secrets() -> None:
    assert len(Pseudonyms(SALT, [b"", b"1", b"abc"])) == 0
