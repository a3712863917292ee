"""Every use case that records, at its limits: a typed refusal that changes nothing, or what is right."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tapledger import membership, texts
from tapledger.errors import Conflict, TapledgerError
from tapledger.lab.scenario.auditing import audit
from tapledger.languages import LANGUAGES
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.membership.coupons import issue_coupon
from tapledger.membership.merging import merge_members
from tapledger.membership.privacy import erase_member
from tapledger.membership.shop import MAX_TEXT, Shop
from tapledger.membership.standing import change_standing
from tests.limits.accepted import ACCEPTED
from tests.limits.cases import CASES, NOT_RECORDING, Case
from tests.limits.ground import Ground
from tests.limits.leaves import bent
from tests.limits.situations import SITUATIONS
from tests.lives.life import fingerprint

NAMES = [case.name for case in CASES]
WRITES = re.compile(r"\.(record|post|save|put|add|ring|reveal|discard|settle|close|append)\(")
NO_KEY = ("pending.confirm_pending", "pending.void_pending", "occasions.give_due", "coupons.scan_code")
"""Named by what they are about, or recorded only when there is something new."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("ground"))
    asyncio.run(made.open())
    yield made
    asyncio.run(made.close())


def told(error: TapledgerError) -> str:
    """Return the code of a refusal; every language must have a sentence and a next step for it."""
    for language in LANGUAGES:
        assert all(texts.problem(language, error))
    return error.code


async def outcome(ground: Ground, before: str, attempt: Callable[[], Awaitable[Any]]) -> str:
    """Return ``done`` or the code of the refusal, which must have changed nothing."""
    try:
        await attempt()
    except TapledgerError as error:
        assert await fingerprint(ground.shop) == before, f"{error.code} changed something"
        return told(error)
    return "done"


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_the_call_that_the_others_differ_from_works(case: Case, ground: Ground) -> None:
    with ground.sandbox():
        await case.use(ground.shop, **case.asked(ground))
        assert await audit(ground.world) == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_every_value_at_its_limits(case: Case, ground: Ground) -> None:
    right: defaultdict[str, set[str]] = defaultdict(set)
    before = await fingerprint(ground.shop)
    for path, limit, make in bent(case.asked(ground)):
        with ground.sandbox():

            async def attempt(make: Callable[[], Any] = make) -> None:
                await case.use(ground.shop, **make())

            if await outcome(ground, before, attempt) == "done":
                right[_field(path)].add(limit)
    for field, limits in right.items():
        assert limits <= ACCEPTED.get(field, frozenset()), f"{field} may not be {limits}"


def _field(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path).rpartition(".")[2]


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in NO_KEY], ids=str)
async def test_the_same_key_is_the_same_command_and_no_other(case: Case, ground: Ground) -> None:
    with ground.sandbox():
        asked = case.asked(ground)
        first = await case.use(ground.shop, **asked)
        before = await fingerprint(ground.shop)
        again = await case.use(ground.shop, **asked)
        assert await fingerprint(ground.shop) == before
        assert _event(again) == _event(first)
        with pytest.raises(Conflict) as error:
            await case.use(ground.shop, **case.other(ground))
        assert told(error.value) == "IDEMPOTENCY_MISMATCH"
        assert await fingerprint(ground.shop) == before


def _event(answer: Any) -> Any:
    for name in ("recorded", "sold"):
        answer = getattr(answer, name, answer)
    return getattr(answer, "hash", answer)


async def _frozen(ground: Ground) -> None:
    await change_standing(ground.shop, "freeze", ground.mine, "freeze", "s-1")


async def _cancelled(ground: Ground) -> None:
    await change_standing(ground.shop, "cancel", ground.mine, "cancel", "s-1")


async def _merged(ground: Ground) -> None:
    await merge_members(ground.shop, "merge", ground.mine, ground.spare, "s-1")


async def _erased(ground: Ground) -> None:
    await erase_member(ground.shop, "erase", ground.mine, Erase("s-1", "waiver-7"))


async def _clock_back(ground: Ground) -> None:
    ground.world.clock.instant -= dt.timedelta(hours=1)


async def _clock_far_back(ground: Ground) -> None:
    ground.world.clock.instant -= dt.timedelta(days=3)


CHANGES = {
    "frozen": _frozen,
    "cancelled": _cancelled,
    "merged": _merged,
    "erased": _erased,
    "an hour back": _clock_back,
    "three days back": _clock_far_back,
}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_what_becomes_of_it_in_every_situation(case: Case, ground: Ground) -> None:
    found = {}
    for name, change in CHANGES.items():
        now = ground.world.clock.instant
        asked = case.asked(ground)
        with ground.sandbox():
            await change(ground)
            before = await fingerprint(ground.shop)
            found[name] = await outcome(ground, before, lambda asked=asked: case.use(ground.shop, **asked))  # type: ignore[misc]
            if found[name] == "done":
                assert await audit(ground.world) == []
        ground.world.clock.instant = now
    expected = dict.fromkeys(CHANGES, "done") | SITUATIONS.get(case.name, {})
    assert found == expected


def test_every_use_case_that_records_is_in_the_table() -> None:
    found = set()
    for module in pkgutil.iter_modules(membership.__path__, "tapledger.membership."):
        room = importlib.import_module(module.name)
        for name, use in inspect.getmembers(room, inspect.iscoroutinefunction):
            takes = list(inspect.signature(use).parameters)
            if use.__module__ != module.name or name.startswith("_") or takes[:1] != ["shop"]:
                continue
            source = inspect.getsource(use)
            commands = {"key", "command", "joining"} & set(takes)
            if commands or WRITES.search(source):
                found.add(f"{module.name.removeprefix('tapledger.membership.')}.{name}")
    named = {*NAMES, *NOT_RECORDING}
    rooms = {name for name in named if "." not in name}
    missing = {name for name in found if name not in named and name.split(".")[0] not in rooms}
    assert not missing, "say in tests/limits/cases.py how they are called, or why they record nothing"
    assert not [name for name in NOT_RECORDING if name in NAMES]


def test_a_shop_is_what_use_cases_begin_with() -> None:
    for case in CASES:
        assert inspect.signature(case.use).parameters["shop"].annotation == Shop.__name__


async def test_a_text_of_just_the_limit_is_kept(ground: Ground) -> None:
    async def issue(source: str) -> Any:
        return await issue_coupon(ground.shop, f"key-{len(source)}", ground.mine, "ten", source, "s-1")

    with ground.sandbox():
        assert (await issue("x" * MAX_TEXT)).receipt
        before = await fingerprint(ground.shop)
        assert await outcome(ground, before, lambda: issue("x" * (MAX_TEXT + 1))) == "TEXT_TOO_LONG"
