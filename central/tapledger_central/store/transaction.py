"""What every room of central works with: a transaction of one tenant, on whichever engine keeps the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa

T = TypeVar("T")

Values = Mapping[str, Any]
Result: TypeAlias = "sa.CursorResult[*tuple[Any, ...]]"
Row: TypeAlias = "sa.Row[*tuple[Any, ...]]"


class Transaction:
    """An open transaction; rooms above ``store`` pass it on and never look inside."""

    __slots__ = ("connection", "tenant")

    def __init__(self, connection: sa.Connection, tenant: str) -> None:
        self.connection = connection
        self.tenant = tenant

    @property
    def is_postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    def execute(self, statement: sa.TextClause, values: Values | Sequence[Values] = ()) -> Result:
        """Run a statement with the tenant added to its values; a list of them runs it once for each."""
        if isinstance(values, Mapping):
            return self.connection.execute(statement, {**values, "tenant": self.tenant})
        if values:
            return self.connection.execute(statement, [{**one, "tenant": self.tenant} for one in values])
        return self.connection.execute(statement, {"tenant": self.tenant})


class CentralStore(Protocol):
    """The rows of one tenant. ``transact`` is the only way in."""

    tenant: str

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction and return what it returns, after the commit is durable.

        ``work`` must be repeatable: it may be run again from the start after it was rolled back, and must not
        touch anything but the transaction. Any exception rolls everything back and is raised here. Faults of
        the storage become ``Unavailable``, damage becomes ``Corrupt``.
        """
        ...

    async def close(self) -> None: ...
