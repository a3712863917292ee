"""What every room of central works with: a transaction of one tenant, on whichever engine keeps the rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa

T = TypeVar("T")

Values = Mapping[str, Any]
Result: TypeAlias = "sa.CursorResult[*tuple[Any, ...]]"
Row: TypeAlias = "sa.Row[*tuple[Any, ...]]"


class ByKeys:
    """A look-up of a tenant's rows by many keys. Its columns, and what must hold beside the key, call a
    row ``t``.

    Each key is looked up by itself, and the engine has no choice in it. What PostgreSQL believes of a table
    that has just grown made it read all members of the tenant for sixty of them.
    """

    __slots__ = ("postgresql", "sqlite")

    def __init__(self, columns: str, table: str, key: str, where: str = "", order: str = "") -> None:
        where = f" AND {where}" if where else ""
        order = f" ORDER BY {order}" if order else ""
        self.postgresql = sa.text(
            f"SELECT {columns} FROM unnest(CAST(:keys AS text[])) AS wanted (key)"  # noqa: S608
            f" CROSS JOIN LATERAL (SELECT * FROM {table} t WHERE t.tenant = :tenant"
            f" AND t.{key} = wanted.key{where} OFFSET 0) t{order}"
        )
        self.sqlite = sa.text(
            f"SELECT {columns} FROM json_each(:keys) AS wanted CROSS JOIN {table} t"  # noqa: S608
            f" WHERE t.tenant = :tenant AND t.{key} = wanted.value{where}{order}"
        )


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

    def look_up(self, statement: ByKeys, keys: Collection[str], values: Values | None = None) -> Result:
        """Return the rows of keys, which are all different."""
        values, names = values or {}, list(keys)
        if self.is_postgresql:
            return self.execute(statement.postgresql, {**values, "keys": names})
        return self.execute(statement.sqlite, {**values, "keys": json.dumps(names)})


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
