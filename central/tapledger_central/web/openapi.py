"""``/openapi.json``: every route with its parameters and messages, made from the routes themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from tapledger.loyalty.members import Member
from tapledger.wire import problems, requests
from tapledger.wire.codec import CONTENT_TYPE
from tapledger.wire.messages import MAX_FEED_ROWS, MAX_WAIT_S, VERSION, Enrol, Enrolled, Refusal
from tapledger.wire.requests import ANSWER_SIGNATURE

if TYPE_CHECKING:
    from tapledger_central.web.handlers import Route

PATH = "/openapi.json"
HEALTH, ENROL = "/v1/health", "/v1/enrol"
OPEN = frozenset({HEALTH, PATH, ENROL})
"""What anybody may ask, signed or not."""
TEMPLATE = "#/components/schemas/{name}"
ABOUT = (
    "Messages are msgpack maps in a zstd frame; the schemas are those of the maps, with bytes where JSON"
    " would have base64. Every request but health, enrolment and this one is signed (RFC 9421), and so is its"
    " answer. docs/sync-protocol.md says what the messages mean."
)
PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "boot": ("Which start of the node's daemon asks", {"type": "string", "pattern": "^[0-9a-f]{0,32}$"}),
    "cursor": ("The last version that the node has taken", {"type": "integer", "minimum": 0}),
    "limit": ("Rows at most", {"type": "integer", "minimum": 1, "maximum": MAX_FEED_ROWS}),
    "wait_s": ("How long to wait for news", {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S}),
    "v": ("The version that the node speaks", {"type": "integer", "minimum": 1}),
    "epoch": ("The chain of the node that is meant", {"type": "integer", "minimum": 0}),
    "after": ("The last event that the node has", {"type": "integer", "minimum": 0}),
    "from": ("Entries of the older log", {"type": "integer", "minimum": 0}),
    "to": ("Entries of the newer log", {"type": "integer", "minimum": 0}),
    "node": ("The node that recorded the event", {"type": "string"}),
    "seq": ("The event's number in its chain", {"type": "integer", "minimum": 0}),
}
"""What may stand in a query, by name: what it means, and its schema."""


@cache
def text(routes: Sequence[Route]) -> bytes:
    """Return the document as JSON; it is the same as long as the process runs."""
    return json.dumps(document(routes), indent=1, sort_keys=True).encode()


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI description of routes, and of what anybody may ask."""
    kinds = [kind for route in routes for kind in (route.takes, route.gives) if kind is not None]
    kinds = list(dict.fromkeys([*kinds, Enrol, Enrolled, Refusal, Member]))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=TEMPLATE)
    known = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {
        HEALTH: {"get": _open("Tell that central answers", "application/json", {"type": "object"})},
        PATH: {"get": _open("Tell what can be asked", "application/json", {"type": "object"})},
        ENROL: {
            "post": {
                **_open("Make a computer known by a one-time code", CONTENT_TYPE, known[Enrolled]),
                "requestBody": _content(known[Enrol]),
            }
        },
    }
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "tapledger central", "version": str(VERSION), "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "signed": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": f"RFC 9421 by Ed25519, {requests.MAX_SKEW_S} s old at most, a nonce each",
                }
            },
            "responses": {"refused": {"description": _statuses(), **_content(known[Refusal])}},
        },
    }


def _operation(route: Route, known: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    named = [_parameter("node", "path")] if "{node}" in route.path else []
    said: dict[str, Any] = {
        "summary": route.summary,
        "security": [{"signed": []}],
        "parameters": [*named, *(_parameter(name, "query") for name in (*route.query, "boot"))],
        "responses": {
            "200": {
                "description": route.summary,
                "headers": {
                    ANSWER_SIGNATURE: {
                        "description": "Central's Ed25519 signature over the answer, in hex",
                        "schema": {"type": "string"},
                    }
                },
                **_content(known[route.gives]),
            },
            "default": {"$ref": "#/components/responses/refused"},
        },
    }
    if route.takes is not None:
        said["requestBody"] = {"required": True, **_content(known[route.takes])}
    return said


def _parameter(name: str, place: str) -> dict[str, Any]:
    about, schema = PARAMETERS[name]
    if place == "path":
        about = "The node that signs"
    return {"name": name, "in": place, "required": place == "path", "description": about, "schema": schema}


def _open(summary: str, content_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    answered = {"description": summary, "content": {content_type: {"schema": schema}}}
    refused = {"$ref": "#/components/responses/refused"}
    return {"summary": summary, "security": [], "responses": {"200": answered, "default": refused}}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {CONTENT_TYPE: {"schema": schema}}}


def _statuses() -> str:
    said = ", ".join(f"{status} {kind.__name__}" for kind, status in problems.STATUS.items())
    return f"Why central did not take it; the status says what to do about it: {said}; 405 for a wrong method"
