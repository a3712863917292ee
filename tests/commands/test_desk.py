"""``tapledger desk`` and ``tapledger member`` as a technician types them, with and without a daemon."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapledger.errors import Invalid
from tapledger.membership.desk import registry
from tapledger.store import lock
from tests.commands.test_init import TAPLEDGER, init

PHONE = "13800001111"


def tapledger(config: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*TAPLEDGER, *words, "--config", config]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def answer(config: str, *words: str) -> dict[str, Any]:
    done = tapledger(config, *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A founded shop with one member, Li, who has 50 points."""
    config = str(json.loads(init(tmp_path_factory.mktemp("shop") / "one").stdout)["config"])
    answer(config, "desk", "join", "name=Li", f"phone={PHONE}")
    answer(config, "desk", "grant", f"member={PHONE}", "points=50", "why=a complaint")
    yield config


def test_a_command_is_given_and_shown(config: str) -> None:
    given = answer(config, "desk", "grant", f"member={PHONE}", "points=5", "why=again", "key=k-1")
    assert (given["key"], given["replayed"]) == ("k-1", False)
    again = tapledger(
        config, "desk", "grant", f"member={PHONE}", "points=5", "why=again", "key=k-1", "--language", "ja"
    )
    assert again.returncode == 0
    assert given["receipt"] in again.stdout and "記録済み" in again.stdout
    shown = answer(config, "member", "show", PHONE)["values"]
    assert (shown["name"], shown["points"], shown["status"]) == ("L**", 55, "active")
    taken = answer(config, "desk", "grant", f"member={shown['member']}", "points=-5", "why=a mistake")
    assert taken["says"]
    events = answer(config, "member", "history", PHONE, "--limit", "2")["values"]["events"]
    assert [(one["kind"], one["points"]) for one in events] == [("grant", -5), ("grant", 5)]


def test_beside_a_daemon_it_looks_and_does_not_record(config: str) -> None:
    with lock.take(Path(config).parent):
        assert answer(config, "member", "show", PHONE)["values"]["points"] == 50
        assert answer(config, "desk", "liability")["values"]["currency"] == "CNY"
        before = (Path(config).parent / "shop.db").read_bytes()
        refused = tapledger(config, "desk", "freeze", f"member={PHONE}")
        assert refused.returncode == 2
        assert "DESK_DAEMON_RUNS" in refused.stderr and "/api/desk/freeze" in refused.stderr
        assert (Path(config).parent / "shop.db").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sing"], "DESK_COMMAND_UNKNOWN"),
        (["show"], "DESK_REQUEST_INVALID"),
        (["show", PHONE], "DESK_WORD_INVALID"),
        (["show", "member=a", "member=b"], "DESK_WORD_INVALID"),
        (["show", b"member=\xff".decode("utf-8", "surrogateescape")], "DESK_WORD_INVALID"),
        (["show", f"member={PHONE}", "colour=red"], "DESK_REQUEST_INVALID"),
        (["history", f"member={PHONE}", "limit=many"], "DESK_REQUEST_INVALID"),
        (["history", f"member={PHONE}", f"limit={2**63}"], "DESK_REQUEST_INVALID"),
        (["show", "member=nobody"], "MEMBER_UNKNOWN"),
    ],
)
def test_what_is_typed_wrong_is_told(config: str, words: list[str], code: str) -> None:
    done = tapledger(config, "desk", *words)
    assert done.returncode == 2
    assert f"[{code}]" in done.stderr and "Traceback" not in done.stderr


def test_the_list_names_every_command(config: str) -> None:
    listed = tapledger(config, "desk", "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(registry.COMMANDS)
    assert len(registry.described()) == len(listed)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bottles", {"items": '[{"sku": "beer", "quantity": "1.5%s"}]'}),
        ("birthday", {"member": "a", "on": "02-28%s"}),
        ("top-up", {"member": "a", "amount_minor": "5", "tender": "cash%s"}),
        ("show", {"member": "a", "key": "k%s"}),
        ("share-uid", {"member": "a", "uid": "0A0B0C0D%s"}),
    ],
)
def test_a_form_ends_where_its_text_ends(name: str, words: dict[str, str]) -> None:
    command = registry.find(name)
    assert registry.read_words(command, {key: word.replace("%s", "") for key, word in words.items()})
    line_end = {key: word.replace("%s", "\\n" if key == "items" else "\n") for key, word in words.items()}
    with pytest.raises(Invalid, match="DESK_REQUEST_INVALID"):
        registry.read_words(command, line_end)


def _texts(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every text and list in a JSON schema."""
    if isinstance(schema, dict):
        if schema.get("type") in ("string", "array"):
            yield path, schema
        for name, one in schema.items():
            yield from _texts(one, f"{path}.{name}")
    elif isinstance(schema, list):
        for one in schema:
            yield from _texts(one, path)


def test_every_text_and_list_that_a_command_takes_has_a_limit() -> None:
    found = [one for command in registry.described() for one in _texts(command["schema"], command["command"])]
    assert len(found) > 100
    limits = {"maxLength", "maxItems", "pattern"}
    endless = [path for path, one in found if not limits & one.keys()]
    assert endless == ["tier.$defs.Tier.properties.locked_until.anyOf"], "a time, which is no free text"


def test_lists_are_typed_by_commas_or_as_json() -> None:
    survey, back = registry.find("answer-survey"), registry.find("return")
    asked = registry.read_words(survey, {"member": "a", "survey": "s", "answers": "1,3"})
    assert asked == survey.asks(member="a", survey="s", answers=(1, 3))  # type: ignore[call-arg]
    lines = '[{"line": 2, "quantity": "0.5"}]'
    asked = registry.read_words(back, {"receipt": "n-1-2", "lines": lines, "shop_fault": "true"})
    read: Any = asked
    assert (read.lines[0].line, read.lines[0].quantity, read.shop_fault) == (2, "0.5", True)
    for wrong in ("[", "1", "[[[", '[{"line": 0}]'):
        with pytest.raises(Invalid, match="DESK_REQUEST_INVALID"):
            registry.read_words(back, {"receipt": "n-1-2", "lines": wrong})
