"""The schema: kept up to date, taken over from the first release, and fit for a sharded engine."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from tapledger.database import Database as SqliteFile
from tapledger.database import InlineExecutor, ThreadExecutor
from tapledger.errors import Corrupt
from tapledger.loyalty.members import Member
from tapledger.store import keyring as keyrings
from tapledger.wire.codec import decode_event, link
from tapledger_central.applier import Applier
from tapledger_central.intake import take
from tapledger_central.store import FILE_NAME, Transaction, inbox, members, news, nodes, open_store, schema
from tapledger_central.store.postgres import make_engine
from tests.central.chains import Chain, earn, join
from tests.central.world import START, HandClock
from tests.postgres import Database

FIRST_RELEASE = Path(__file__).parent / "first_release.sql"
DISTRIBUTED = {"node", "member", "scope"}
OWN_COLUMN = {"claim": "credential", "lease": "lease"}
"""Tables that are looked up by something else, by which they are then distributed."""
REFERENCE = {"enrolment_code", "shop"}
"""Small tables: on a sharded engine, each is a copy on every worker."""
ONE_SHARD = re.compile(r"log_(?!chain)\w+")
"""The log is one list: all of a tenant's is in one place."""
KEYRING = keyrings.make(bytes([1]) * 96)


def test_every_step_has_a_number_of_its_own_that_its_file_tells() -> None:
    steps = [
        str(node.value.value)
        for path in (schema.FOLDER / "versions").glob("v*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "revision"
        and isinstance(node.value, ast.Constant)
    ]
    assert sorted(steps) == [f"{number:04}" for number in range(1, int(schema.LATEST) + 1)]


# ---- a file of the first release -------------------------------------------------------------------------
def first_release(path: Path, chain: Chain) -> None:
    """Write the file that the first release would have after this chain."""
    database = SqliteFile.open(path, [(1, FIRST_RELEASE.read_text())], InlineExecutor())
    from tapledger.loyalty.members import fold

    state: Member | None = None
    for raw in chain.raws:
        state = fold(state, decode_event(raw).body)
    assert state is not None
    key = KEYRING.signing_key.public_key().public_bytes_raw()

    def fill(connection: sa.Connection) -> None:
        run = connection.exec_driver_sql
        run("INSERT INTO node VALUES (?, 'North', 'till', ?, 'active', 5)", (KEYRING.node, key))
        digest = bytes(32)
        for seq, raw in enumerate(chain.raws, 1):
            digest = link(digest, raw)
            place = (KEYRING.node, 1, seq, digest, decode_event(raw).hlc, "m-1", "", 7, raw)
            run("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", place)
        hlc = decode_event(chain.raws[-1]).hlc
        run("INSERT INTO head VALUES (?, 1, ?, ?, ?)", (KEYRING.node, len(chain.raws), digest, hlc))
        settled = members._encode({f"{KEYRING.node}/1": len(chain.raws)})
        row = ("all", "m-1", 4, hlc, KEYRING.node, 1, len(chain.raws), settled, members._encode(state))
        run("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        run("UPDATE scope SET version = 4")
        run("INSERT INTO profile VALUES ('m-1', 'd', ?, ?, 1, 1, ?)", (hlc, KEYRING.node, b"sealed"))
        run("INSERT INTO claim VALUES ('tenant', 'card-1', 'm-1')")
        run(
            "INSERT INTO difference (code, node, epoch, seq, detail, found_ms) VALUES ('X', ?, 1, 1, '', 9)",
            (KEYRING.node,),
        )

    database.transact_now(fill)
    database._dispose()


async def test_a_file_of_the_first_release_is_taken_over(tmp_path: Path) -> None:
    chain = Chain(KEYRING)
    chain.add(join("m-1", "card-1"))
    chain.add(earn("m-1", 7))
    first_release(tmp_path / FILE_NAME, chain)
    store = await open_store(tmp_path, "tenant")

    def read(tx: Transaction) -> None:
        applied = members.load(tx, "m-1")
        assert applied is not None and sum(lot.remaining for lot in applied.state.lots) == 7
        assert members.owners(tx, ["card-1"]) == {"card-1": "m-1"}
        ((version, item),), more = news.page(tx, "all", "x", 0, 10, 10**6)
        assert (version, item.key, item.digest, item.sealed, more) == (4, "m-1", "d", b"sealed", False)
        assert inbox.behind(tx, ("", 0), 10) == []

    await store.transact(read)
    node = await store.transact(lambda tx: nodes.find(tx, KEYRING.node))
    assert node is not None and node.shop == "North"
    chain.add(earn("m-1", 5, 2))
    assert (await take(store, node, chain.batch(), START)).ack == 3
    assert await Applier(store, HandClock()).caught_up()
    after = await store.transact(lambda tx: members.load(tx, "m-1"))
    assert after is not None and sum(lot.remaining for lot in after.state.lots) == 12
    await store.close()
    with pytest.raises(Corrupt, match="STORE_NEWER"):
        SqliteFile.open(tmp_path / FILE_NAME, [(1, FIRST_RELEASE.read_text())], InlineExecutor())


async def test_a_file_of_a_later_release_is_not_touched(tmp_path: Path) -> None:
    store = await open_store(tmp_path, "tenant")
    await store.transact(
        lambda tx: tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    )
    await store.close()
    with pytest.raises(Corrupt, match="STORE_NEWER"):
        await open_store(tmp_path, "tenant", executor=ThreadExecutor("test"))


# ---- rules of a sharded engine ---------------------------------------------------------------------------
def unfit(connection: sa.Connection) -> list[str]:
    """Return what would not do on Citus: keys without tenant and distribution column, and machinery."""
    found = []
    inspector = sa.inspect(connection)
    for table in schema.tables(connection):
        if table == "alembic_version":
            continue
        unique: list[Sequence[str | None]] = [inspector.get_pk_constraint(table)["constrained_columns"]]
        unique += [one["column_names"] for one in inspector.get_unique_constraints(table)]
        unique += [one["column_names"] for one in inspector.get_indexes(table) if one["unique"]]
        for key in unique:
            if list(key[:1]) != ["tenant"]:
                found.append(f"{table}: {key} does not begin with the tenant")
            wanted = {OWN_COLUMN[table]} if table in OWN_COLUMN else DISTRIBUTED
            if table in REFERENCE or ONE_SHARD.fullmatch(table):
                continue
            if not set(key[1:2]) & wanted:
                found.append(f"{table}: {key} has no distribution column")
        found += [f"{table}.{one['name']} numbers itself" for one in inspector.get_columns(table)
                  if one.get("identity") or "nextval" in str(one.get("default"))]  # fmt: skip
    if connection.dialect.name == "postgresql":
        asked = {
            "trigger": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
            "function": "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
            "sequence": "SELECT relname FROM pg_class WHERE relkind = 'S'",
        }
        for what, query in asked.items():
            found += [f"{what} {row[0]}" for row in connection.exec_driver_sql(query)]
    return found


def test_the_schema_would_do_on_a_sharded_engine(postgres_central: Database) -> None:
    engine = make_engine(postgres_central.owner)
    with engine.begin() as connection:
        assert unfit(connection) == []
        connection.exec_driver_sql("CREATE TABLE bad (tenant TEXT, node TEXT, id BIGSERIAL PRIMARY KEY)")
        found = unfit(connection)
        assert len(found) >= 3 and all("bad" in one for one in found), (
            "a table that breaks the rules is found"
        )
        connection.rollback()
    engine.dispose()


def test_nothing_waits_for_notifications_and_no_statement_is_without_its_tenant() -> None:
    for path in schema.FOLDER.parent.glob("*.py"):
        source = path.read_text()
        assert not re.search(r"\b(LISTEN|NOTIFY|nextval)\b", source), path.name
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "sa.text":
                said = ast.unparse(node.args[0])
                if re.search(r"\b(FROM|INTO|UPDATE) [a-z]", said) and path.name not in (
                    "schema.py",
                    "postgres.py",
                ):
                    assert "tenant" in said or "{" in said, f"{path.name}: {said}"


IN_ONE = re.compile(r"RETURNING.*\bSELECT\b|\bWITH \w+ AS \(\s*(INSERT|UPDATE|DELETE)")


async def test_filing_touches_rows_of_one_node_only(tmp_path: Path, database_url: str) -> None:
    store = await open_store(tmp_path, "tenant", database_url)
    key = KEYRING.signing_key.public_key().public_bytes_raw()
    await store.transact(lambda tx: nodes.add(tx, KEYRING.node, "North", "till", key, 0))
    node = await store.transact(lambda tx: nodes.find(tx, KEYRING.node))
    assert node is not None
    chain = Chain(KEYRING)
    chain.add(join("m-1", "card-1"))
    said: list[tuple[str, object]] = []
    listener = lambda _c, _cursor, statement, values, *_: said.append((statement, values))  # noqa: E731
    sa.event.listen(sa.Engine, "before_cursor_execute", listener)
    try:
        await take(store, node, chain.batch(), START)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listener)
        await store.close()
    assert IN_ONE.search("INSERT INTO head VALUES (1) RETURNING seq, (SELECT status FROM node)")
    assert IN_ONE.search("WITH moved AS (UPDATE head SET seq = 2) INSERT INTO inbox SELECT 1")
    filing = [(statement, values) for statement, values in said if "set_config" not in statement]
    assert len(filing) >= 4
    for statement, values in filing:
        tables = set(re.findall(r"(?:FROM|INTO|UPDATE|JOIN) (\w+)", statement)) - {"unnest", "SET"}
        assert tables - {"shop"} in ({"node"}, {"head"}, {"inbox"}), statement
        assert KEYRING.node in repr(values), "every statement names the node"
        assert not IN_ONE.search(statement), "what Citus refuses: a question, or a change, inside a change"
