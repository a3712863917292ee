from __future__ import annotations

import ndef
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.cards.trust.signed_token import RECORD_TYPE, SignedTokenPolicy, issue_token
from tapledger_drivers.ports import CardTrust, TrustLevel, UidKind
from tests.drivers.cards import CREDENTIAL, KEY, KEY_ID, OTHER_UID, TRUST, UID, token


def judge(message: bytes | None, uid: bytes = UID, kind: UidKind = UidKind.FIXED) -> CardTrust:
    return TRUST.judge(uid, kind, message)


def test_a_token_on_its_own_card_is_l1_with_its_credential() -> None:
    assert judge(token()) == CardTrust(TrustLevel.L1, "token:key=demo-1", CREDENTIAL)


def test_a_copy_on_another_card_is_l0() -> None:
    assert judge(token(), OTHER_UID) == CardTrust(TrustLevel.L0, "token:uid-mismatch")


def test_no_token_is_l0() -> None:
    text = b"".join(ndef.message_encoder([ndef.TextRecord("hello")]))
    for message in (None, b"", text):
        assert judge(message) == CardTrust(TrustLevel.L0, "uid-only")


def test_a_token_beside_other_records_is_found() -> None:
    text = b"".join(ndef.message_encoder([ndef.TextRecord("hello"), *ndef.message_decoder(token())]))
    assert judge(text).level is TrustLevel.L1


def test_another_merchants_key_is_l0_even_under_our_key_id() -> None:
    stranger = Ed25519PrivateKey.generate()
    assert judge(issue_token(stranger, "other", "x", UID)).evidence == "token:unknown-key"
    assert judge(issue_token(stranger, KEY_ID, "x", UID)).evidence == "token:bad-signature"


def test_a_uid_that_is_not_fixed_never_has_a_token() -> None:
    assert judge(token(), kind=UidKind.RANDOM).level is TrustLevel.L0
    with pytest.raises(ValueError, match="does not identify one card"):
        issue_token(KEY, KEY_ID, "x", bytes.fromhex("08112233"))


@pytest.mark.parametrize(("key_id", "credential"), [("", "x"), ("k", ""), ("k" * 33, "x"), ("k", "x" * 65)])
def test_texts_of_a_bad_length_are_not_issued(key_id: str, credential: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        issue_token(KEY, key_id, credential, UID)


def test_every_flipped_bit_of_a_token_takes_it_to_l0() -> None:
    whole = token()
    for position in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << position % 8
        trust = judge(bytes(flipped))
        # A few bits of the NDEF header (message begin, chunk, length form) do not carry meaning.
        if trust.level is TrustLevel.L1:
            assert next(ndef.message_decoder(bytes(flipped), known_types={})).data == ndef_payload(whole)
            assert trust.credential == CREDENTIAL
        else:
            assert trust.credential is None


def ndef_payload(message: bytes) -> bytes:
    return bytes(next(ndef.message_decoder(message, known_types={})).data)


@given(message=st.binary(max_size=300))
def test_judging_never_raises_on_any_bytes(message: bytes) -> None:
    assert judge(message).level is TrustLevel.L0


@given(payload=st.binary(max_size=200))
def test_judging_never_raises_on_any_payload(payload: bytes) -> None:
    message = b"".join(ndef.message_encoder([ndef.Record(RECORD_TYPE, data=payload)]))
    assert judge(message).evidence in ("token:malformed", "uid-only")


def test_a_policy_without_keys_gives_l0() -> None:
    assert SignedTokenPolicy({}).judge(UID, UidKind.FIXED, token()).evidence == "token:unknown-key"
