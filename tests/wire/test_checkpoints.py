"""Checkpoints as text: read and signed as other logs' tools do, and no letter can be changed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Denied, Invalid, TapledgerError
from tapledger.wire import checkpoints
from tapledger.wire.checkpoints import Checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
LOG = checkpoints.origin_of("0123456789abcdef")
POINT = Checkpoint(LOG, 20852163, bytes(range(32)))
NOTE = checkpoints.sign(POINT, KEY)

NEUMANN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
NEUMANN_NOTE = (
    NEUMANN_TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example of golang.org/x/mod/sumdb/note, the first implementation of signed notes."""


def test_the_published_note_is_read() -> None:
    name, key = checkpoints.read_verifier_key(NEUMANN_KEY)
    assert checkpoints.open_note(NEUMANN_NOTE, name, key) == NEUMANN_TEXT
    assert checkpoints.verifier_key(name, key) == NEUMANN_KEY


def test_what_was_signed_is_read_again() -> None:
    assert checkpoints.read(NOTE, LOG, PUBLIC) == POINT
    root = base64.b64encode(POINT.root).decode()
    assert NOTE.startswith(f"tapledger/0123456789abcdef\n20852163\n{root}\n\n— tapledger/0123456789abcdef ")
    assert NOTE.count("\n") == 5


def test_signatures_of_others_are_passed_over() -> None:
    """A witness may add its own line; a key of the same name but another number is somebody else's."""
    other = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    theirs = checkpoints.sign(POINT, other).rpartition("\n\n")[2]
    both = NOTE + theirs + "— witness.example AAAAAAAA\n"
    assert checkpoints.read(both, LOG, PUBLIC) == POINT
    with pytest.raises(Denied, match="CHECKPOINT_FORGED"):
        checkpoints.read(POINT.text() + "\n" + theirs, LOG, PUBLIC)


def test_another_log_of_the_same_key_is_not_this_one() -> None:
    other = checkpoints.sign(Checkpoint("tapledger/other", 1, bytes(32)), KEY)
    with pytest.raises(Denied, match="CHECKPOINT_FORGED"):
        checkpoints.read(other, LOG, PUBLIC)
    signature = checkpoints.sign(Checkpoint(LOG, 1, bytes(32)), KEY).rpartition("\n\n")[2]
    with pytest.raises(Denied, match="CHECKPOINT_FORGED"):
        checkpoints.read(f"{POINT.text()}\n{signature}", LOG, PUBLIC)


@given(st.data())
def test_every_change_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(NOTE) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    forged = NOTE[:place] + letter + NOTE[place + 1 :]
    if forged != NOTE:
        with pytest.raises(TapledgerError, match="CHECKPOINT_"):
            checkpoints.read(forged, LOG, PUBLIC)


def signed(text: str) -> str:
    """Sign any text as a checkpoint would be."""
    signature = base64.b64encode(checkpoints.key_id(LOG, PUBLIC) + KEY.sign(text.encode())).decode()
    return f"{text}\n— {LOG} {signature}\n"


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{LOG}\n1\n",
        f"{LOG}\n01\n{ROOT}\n",
        f"{LOG}\n-1\n{ROOT}\n",
        f"{LOG}\n٣\n{ROOT}\n",
        f"{LOG}\n{2**53 + 1}\n{ROOT}\n",
        f"{LOG}\n{'9' * 5000}\n{ROOT}\n",
        f"{LOG}\n1\n{ROOT[:-4]}\n",
        f"{LOG}\n1\n{ROOT[:-2]}F=\n",
        f"{LOG}\n1\nroot\n",
        f"\n{LOG}\n1\n{ROOT}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint(text: str) -> None:
    with pytest.raises(Invalid, match="CHECKPOINT_UNREADABLE"):
        checkpoints.read(signed(text), LOG, PUBLIC)


def test_a_later_release_may_say_more() -> None:
    assert checkpoints.read(signed(POINT.text() + "more\n"), LOG, PUBLIC) == POINT


@pytest.mark.parametrize(
    "note", ["", "\n", "\n\n", POINT.text(), NOTE[:-1], NOTE + "\n", "x" * 20_000 + NOTE]
)
def test_what_is_no_note(note: str) -> None:
    with pytest.raises(Invalid, match="CHECKPOINT_UNREADABLE"):
        checkpoints.read(note, LOG, PUBLIC)


@pytest.mark.parametrize(
    "key", ["", "a+b", NEUMANN_KEY[:-1], NEUMANN_KEY.replace("c74f", "c74e"), "a+00+AA=="]
)
def test_a_key_that_was_mistyped(key: str) -> None:
    with pytest.raises(Invalid, match="LOG_KEY_UNREADABLE"):
        checkpoints.read_verifier_key(key)
