"""``/openapi.json`` says what there is: each route, what it reads, and schemas that are all there."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tapledger.wire.codec import CONTENT_TYPE
from tapledger.wire.messages import Batch, FeedPage
from tapledger_central.web import openapi
from tapledger_central.web.handlers import ROUTES, Route
from tests.central.world import World

OPEN = {("get", openapi.HEALTH), ("get", openapi.PATH), ("post", openapi.ENROL)}
READ = re.compile(r'(?:number\([\w.]+, |query\.get\()"(\w+)"')
UNPACKED = re.compile(r"(?:unpack\(caller\.body|_message\(caller), (\w+)\)")

DOCUMENT: dict[str, Any] = json.loads(openapi.text(ROUTES))


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): said
        for path, methods in DOCUMENT["paths"].items()
        for method, said in methods.items()
    }


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_has_every_route_and_no_other() -> None:
    routes = {(route.method.lower(), route.path) for route in ROUTES}
    assert set(operations()) == routes | OPEN
    assert DOCUMENT["openapi"].startswith("3.1") and DOCUMENT["info"]["title"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_says_what_its_handler_reads(route: Route) -> None:
    source = inspect.getsource(route.answer) + (inspect.getsource(route.wait) if route.wait else "")
    assert set(READ.findall(source)) == set(route.query)
    assert UNPACKED.findall(source) == ([] if route.takes is None else [route.takes.__name__])
    assert (route.takes is None) == (route.max_body == 0)
    said = operations()[(route.method.lower(), route.path)]
    places = {(one["name"], one["in"]) for one in said["parameters"]}
    in_path = {(name, "path") for name in re.findall(r"{(\w+)}", route.path)}
    assert places == in_path | {(name, "query") for name in (*route.query, "boot")}
    assert all(one["required"] == (one["in"] == "path") for one in said["parameters"])
    answered = said["responses"]["200"]["content"][CONTENT_TYPE]["schema"]
    assert answered == {"$ref": f"#/components/schemas/{route.gives.__name__}"}
    assert ("requestBody" in said) == (route.takes is not None)
    assert said["security"] == [{"signed": []}]


def test_every_reference_leads_somewhere_and_every_refusal_has_its_shape() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)
    for place, said in operations().items():
        assert said["summary"] and said["responses"]["default"] == {"$ref": "#/components/responses/refused"}
        assert (said["security"] == []) == (place in OPEN)
    refused = DOCUMENT["components"]["responses"]["refused"]
    assert refused["content"][CONTENT_TYPE]["schema"] == {"$ref": "#/components/schemas/Refusal"}
    assert set(DOCUMENT["components"]["schemas"]["Refusal"]["properties"]) == {"v", "code", "data"}


@pytest.mark.parametrize("kind", [Batch, FeedPage])
def test_schemas_have_every_field_of_a_message(kind: type[msgspec.Struct]) -> None:
    assert set(DOCUMENT["components"]["schemas"][kind.__name__]["properties"]) == set(kind.__struct_fields__)


async def test_anybody_may_read_it(world: World) -> None:
    async with world.session.get(f"{world.address}{openapi.PATH}") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert json.loads(await answer.read()) == DOCUMENT
    async with world.session.post(f"{world.address}{openapi.PATH}") as answer:
        assert answer.status == 405
    async with world.session.get(f"{world.address}{openapi.PATH}", headers={"Host": "evil.test"}) as answer:
        assert answer.status == 403
