"""Whom each credential names: read and written for all events of a transaction at once."""

from __future__ import annotations

from collections.abc import Collection

from tapledger_central.store import Transaction, members


class Claims:
    """The owners of credentials as they change. One transaction at a time has claims (``news.lock``)."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._written: dict[str, str | None] = {}
        self._owners: dict[str, str | None] = {}

    def read(self, credentials: Collection[str]) -> None:
        """Look up the owners of credentials that will be asked for."""
        unknown = [one for one in dict.fromkeys(credentials) if one not in self._owners]
        if unknown:
            found: dict[str, str | None] = {**dict.fromkeys(unknown), **members.owners(self._tx, unknown)}
            self._written.update(found)
            self._owners.update(found)

    def owner(self, credential: str) -> str | None:
        self.read([credential])
        return self._owners[credential]

    def claim(self, credential: str, member: str) -> str:
        """Give a credential to a member unless it has an owner; return the owner."""
        owner = self.owner(credential)
        if owner is None:
            owner = self._owners[credential] = member
        return owner

    def release(self, credential: str, member: str) -> None:
        """Let another member have a credential that this one gave up; one of somebody else stays theirs."""
        if self.owner(credential) == member:
            self._owners[credential] = None

    def write(self) -> None:
        changed = {one: owner for one, owner in self._owners.items() if owner != self._written[one]}
        gone = {one: owner for one in changed if (owner := self._written[one]) is not None}
        members.write_claims(
            self._tx, gone, {one: owner for one, owner in changed.items() if owner is not None}
        )
        self._written.update(changed)
