"""Whom and which card a request names, by whatever staff have at hand; it proves nothing about a read."""

from __future__ import annotations

from collections.abc import Iterator

from tapledger.database import Transaction
from tapledger.errors import Invalid, NotFound, Refused
from tapledger.membership import identity
from tapledger.membership.desk.asking import OfMember
from tapledger.membership.identity import KINDS, MAX_NAMESAKES, Presented
from tapledger.membership.shop import Shop
from tapledger.store import history, members

EVIDENCE = "desk"
TYPED = Presented("phone", "", 0, EVIDENCE)
"""How a member is identified whom staff name: as sure as a number that anybody can say."""


def by_number(kind: str, number: str) -> Presented:
    """Return a card or code whose number staff typed, as readers write it."""
    return Presented(kind, number.upper() if kind == "uid" else number, 0, EVIDENCE)


def _readings(text: str) -> Iterator[Presented]:
    """Yield every credential that a text can be."""
    for kind in KINDS:
        value = text.strip()
        if kind == "phone":
            try:
                value = identity.normal_phone(value)
            except Invalid:
                continue
        shown = by_number(kind, value)
        for number in range(1, 1 + (MAX_NAMESAKES if identity.has_short_uid(shown) else 1)):
            yield identity.namesake(shown, number)


def _owners(tx: Transaction, shop: Shop, text: str) -> list[tuple[Presented, str]]:
    """Return each credential that a text is here, with the member whom it names now."""
    found = []
    for shown in _readings(text):
        owner = members.owner(tx, identity.index(shop, shown.kind, shown.value))
        stored = None if owner is None else members.load(tx, owner.member)
        if stored is not None:
            found.append((shown, stored.member.id))
    return found


def _now(tx: Transaction, shop: Shop, text: str) -> str | None:
    if members.load_alias(tx, text) is not None:
        return text
    named = {member for _, member in _owners(tx, shop, text)}
    if len(named) > 1:
        raise Refused("MEMBER_AMBIGUOUS")
    return next(iter(named), None)


async def member(shop: Shop, asked: OfMember) -> str:
    """Return the pseudonym of a request's member; raise ``NotFound``, or ``Refused`` when several are named.

    A repeat of a command that took the name away, such as a merge or a new phone number, means whom it meant.
    """

    def work(tx: Transaction) -> str:
        named = _now(tx, shop, asked.member)
        before = history.of_operation(tx, asked.key)
        if before is not None and before.member and asked.member not in (named, before.member):
            stored = members.load(tx, before.member)
            if named is None or (stored is not None and stored.member.id == named):
                return before.member
        if named is None:
            raise NotFound("MEMBER_UNKNOWN")
        return named

    return await shop.store.transact(work)


async def other(shop: Shop, text: str) -> str:
    """Return the pseudonym of a second member that a request names."""
    named = await shop.store.transact(lambda tx: _now(tx, shop, text))
    if named is None:
        raise NotFound("MEMBER_UNKNOWN")
    return named


async def shown(shop: Shop, text: str) -> Presented:
    """Return the credential that a text is, for commands that begin with one; raise as ``member`` does."""

    def work(tx: Transaction) -> Presented:
        owners = _owners(tx, shop, text)
        if len({member for _, member in owners}) > 1:
            raise Refused("MEMBER_AMBIGUOUS")
        if not owners:
            raise NotFound("MEMBER_UNKNOWN")
        return owners[0][0]

    return await shop.store.transact(work)


async def card(shop: Shop, member_id: str, text: str) -> str:
    """Return the index of a member's card, by the index itself or by the card's number."""

    def work(tx: Transaction) -> str:
        stored = members.load(tx, member_id)
        theirs = set() if stored is None else {one.index for one in stored.member.credentials}
        numbers = [identity.index(shop, one.kind, one.value) for one in _readings(text)]
        return next((index for index in (text, *numbers) if index in theirs), text)

    return await shop.store.transact(work)
