"""What every test of the rules also proves: each event and each refusal it sees can be told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tapledger import texts
from tapledger.errors import TapledgerError
from tapledger.languages import LANGUAGES
from tapledger.loyalty import members
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import KINDS, EventBody
from tapledger.loyalty.members import Member
from tests.loyalty.lives import machine_in

_told: set[tuple[str, frozenset[str]]] = set()
"""Codes with the names of their figures that have been told before: once is enough."""


def _tell(code: str, data: dict[str, int | str]) -> None:
    """Say a code in every language, strictly: a figure that its sentence lacks is an error here."""
    seen = (code, frozenset(data))
    if seen in _told:
        return
    for language in LANGUAGES:
        figures = texts.figures(language, data)
        keys = [key for key in (f"reason.{code}", f"problem.{code}") if key in texts.catalogue(language)]
        assert keys, f"{code} has no sentence in {language}"
        texts.say(language, keys[0], **figures)
    _told.add(seen)


@pytest.fixture(autouse=True, scope="module")
def machine_elsewhere() -> Iterator[None]:
    """Let the machine stand where it is another day at noon: only the zone of the programme counts."""
    with machine_in("Pacific/Pago_Pago"):
        yield


@pytest.fixture(autouse=True)
def everything_can_be_told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Watch events as they are folded, and errors as they are made."""
    fold, make = members.fold, TapledgerError.__init__

    def watched_fold(member: Member | None, body: EventBody) -> Member:
        assert body.kind in KINDS, body.kind
        for why in body.reasons:
            assert isinstance(why, Reason)
            _tell(why.code, why.data)
        return fold(member, body)

    def watched_make(self: TapledgerError, code: str, /, **data: str | int) -> None:
        make(self, code, **data)
        _tell(code, data)

    monkeypatch.setattr(members, "fold", watched_fold)
    monkeypatch.setattr(TapledgerError, "__init__", watched_make)
    yield
