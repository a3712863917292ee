"""What one can ask of central: each route in one line, each handler unpacks, calls a room and packs."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs

import msgspec
import structlog
from yarl import URL

from tapledger.errors import Denied, Invalid, NotFound, TapledgerError, Unavailable
from tapledger.wire import problems, signing
from tapledger.wire.asking import Erasures, LeaseAnswer, LeaseAsked, Standing, Tail, Taken, Telemetry
from tapledger.wire.codec import check_version, pack, unpack
from tapledger.wire.messages import (
    MAX_BATCH_BYTES,
    MAX_FEED_ROWS,
    MAX_WAIT_S,
    VERSION,
    Batch,
    BatchAnswer,
    Enrol,
    FeedPage,
)
from tapledger.wire.proofs import LogCheckpoint, LogConsistency, LogInclusion
from tapledger.wire.requests import ANSWER_SIGNATURE
from tapledger_central import audit, placing
from tapledger_central.enrol import enrol
from tapledger_central.store import nodes, reports
from tapledger_central.store.nodes import Node
from tapledger_central.web import openapi
from tapledger_central.web.asking import Answered, Asked
from tapledger_central.web.guard import Admission, Guard

if TYPE_CHECKING:
    from tapledger_central.app import Central

MAX_ENROL_BYTES = 4096
MAX_SMALL_BYTES = 64 * 1024

T = TypeVar("T", bound=msgspec.Struct)

_log = structlog.get_logger("central")


@dataclass(frozen=True, slots=True)
class Caller:
    """A question of a node that has proved who it is. ``query`` has each parameter once."""

    node: Node
    query: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Route:
    """One thing to ask. ``path`` may hold ``{node}``: the node that signs. ``answer`` gives the message."""

    method: str
    path: str
    answer: Callable[[Handlers, Caller], Awaitable[msgspec.Struct]]
    summary: str
    gives: type[msgspec.Struct]
    """The answer as a node reads it."""
    takes: type[msgspec.Struct] | None = None
    max_body: int = 0
    query: tuple[str, ...] = ()
    """What may be said in the address, beside ``boot``."""
    wait: Callable[[Handlers, Caller], Awaitable[None]] | None = None
    """Comes back when there is something to tell, or when it has been long enough."""
    repeatable: bool = False
    """It changes nothing when it comes again, so its nonce need not be remembered."""
    for_suspended: bool = False
    """A node that is not trusted any more may ask it, too: what it recorded is evidence."""


class Handlers:
    """Answers everything that is asked of one tenant's central. ``origins`` are the addresses it has."""

    def __init__(self, central: Central, origins: Sequence[str]) -> None:
        self.central = central
        self.guard = Guard(central.store, central.keys, central.clock)
        self.admission = Admission()
        self._origins = {_authority(URL(origin)): origin for origin in origins}

    @property
    def hosts(self) -> list[str]:
        """The authorities under which this central is asked."""
        return list(self._origins)

    async def answer(self, asked: Asked) -> Answered:
        """Answer one request; every error of the product is a packed ``Refusal``."""
        nonce = ""
        try:
            origin = self._origins.get(asked.host.lower())
            if origin is None:
                raise Denied("HOST_WRONG")
            path, _, query_text = asked.target.partition("?")
            if (asked.method, path) == ("GET", openapi.HEALTH):
                return _health()
            if (asked.method, path) == ("GET", openapi.PATH):
                return Answered(200, openapi.text(ROUTES), "application/json")
            if (asked.method, path) == ("POST", openapi.ENROL):
                return await self._enrol(asked)
            route, named = match(asked.method, path)
            async with self.admission.slot():
                body = await asked.read(route.max_body)
                query = _query(query_text)
                boot = _boot(query.get("boot", ""))
                url = origin + asked.target
                signed = await self.guard.prove(asked, url, body)
                nonce = signed.nonce  # from here on, whatever is answered is signed
                node = await self.guard.enter(signed, boot, repeatable=route.repeatable)
                _check_who(route, node, named)
                caller = Caller(node, query, body)
                message = None if route.wait else await route.answer(self, caller)
            if message is None:
                message = await self._when_there_is_news(route, caller)
            return self._signed(nonce, 200, pack(message))
        except TapledgerError as error:
            _log.info("refused", method=asked.method, target=asked.target, code=error.code)
            answer = refused(error)
            return self._signed(nonce, answer.status, answer.body) if nonce else answer
        except Exception as error:
            _log.exception("a fault of ours", method=asked.method, target=asked.target)
            return refused(Unavailable("CENTRAL_FAULT", why=type(error).__name__))

    async def _enrol(self, asked: Asked) -> Answered:
        async with self.admission.slot():
            message = unpack(await asked.read(MAX_ENROL_BYTES), Enrol)
        central = self.central
        return Answered(200, pack(await enrol(central.store, central.keys, message, central.clock.now())))

    def _signed(self, nonce: str, status: int, body: bytes) -> Answered:
        """Sign an answer: a box that ends TLS before central must not be able to speak for it."""
        statement = signing.answer_statement(nonce, status, body)
        signature = signing.sign(self.central.keys.signing_key, statement).hex()
        return Answered(status, body, headers={ANSWER_SIGNATURE: signature})

    async def _when_there_is_news(self, route: Route, caller: Caller) -> msgspec.Struct:
        """Answer once it is worth it; who waits takes nobody's place."""
        if route.wait is not None:
            await route.wait(self, caller)
        async with self.admission.slot():
            # Whoever is revoked while they wait must not be told anything more.
            node = await self.central.store.transact(lambda tx: nodes.find(tx, caller.node.node))
            _check_who(route, node or caller.node, None)
            return await route.answer(self, caller)

    async def post_events(self, caller: Caller) -> msgspec.Struct:
        return await self.central.take(caller.node, unpack(caller.body, Batch))

    async def get_standing(self, caller: Caller) -> msgspec.Struct:
        return await placing.standing(self.central.store, caller.node, self.central.clock.now())

    async def get_events(self, caller: Caller) -> msgspec.Struct:
        epoch, after = number(caller.query, "epoch", 1), number(caller.query, "after", 0)
        return await placing.tail(self.central.store, caller.node, epoch, after)

    async def post_lease(self, caller: Caller) -> msgspec.Struct:
        return await self.central.lease(caller.node, _message(caller, LeaseAsked))

    async def post_telemetry(self, caller: Caller) -> msgspec.Struct:
        told, name, now_ms = _message(caller, Telemetry), caller.node.node, self._now_ms()
        await self.central.store.transact(lambda tx: reports.add(tx, name, told.reports, now_ms))
        return Taken()

    async def post_erasures(self, caller: Caller) -> msgspec.Struct:
        told, name, now_ms = _message(caller, Erasures), caller.node.node, self._now_ms()
        await self.central.store.transact(lambda tx: reports.erased(tx, name, told.members, now_ms))
        return Taken()

    def _now_ms(self) -> int:
        return int(self.central.clock.now().timestamp() * 1000)

    async def wait_for_news(self, caller: Caller) -> None:
        query = caller.query
        wait_s = number(query, "wait_s", 0, MAX_WAIT_S)
        v = number(query, "v", 1, MAX_FEED_ROWS)
        await self.central.news(caller.node, number(query, "cursor", 0), wait_s, v)

    async def get_feed(self, caller: Caller) -> msgspec.Struct:
        query = caller.query
        v = number(query, "v", 1, MAX_FEED_ROWS)
        check_version(v)
        limit = number(query, "limit", MAX_FEED_ROWS)
        return await self.central.page(caller.node, number(query, "cursor", 0), limit, v)

    async def get_checkpoint(self, caller: Caller) -> msgspec.Struct:
        return LogCheckpoint(text=await self.central.store.transact(audit.checkpoint))

    async def get_consistency(self, caller: Caller) -> msgspec.Struct:
        old, new = number(caller.query, "from", 0), number(caller.query, "to", 0)
        return LogConsistency(
            hashes=await self.central.store.transact(lambda tx: audit.consistency(tx, old, new))
        )

    async def get_inclusion(self, caller: Caller) -> msgspec.Struct:
        node, query = caller.query.get("node", ""), caller.query
        epoch, seq = number(query, "epoch", 0), number(query, "seq", 0)
        proof = await self.central.store.transact(lambda tx: audit.inclusion(tx, node, epoch, seq))
        return LogInclusion(index=proof.index, hashes=proof.hashes, text=proof.note)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/nodes/{node}/events", Handlers.post_events, "Take a batch of events",
          BatchAnswer, Batch, MAX_BATCH_BYTES, for_suspended=True, repeatable=True),
    Route("GET", "/v1/nodes/{node}/events", Handlers.get_events, "Give a node its own events back",
          Tail, query=("epoch", "after")),
    Route("GET", "/v1/nodes/{node}/standing", Handlers.get_standing, "Tell where a node's chains end",
          Standing),
    Route("POST", "/v1/nodes/{node}/leases", Handlers.post_lease, "Set aside what is about to be spent",
          LeaseAnswer, LeaseAsked, MAX_SMALL_BYTES),
    Route("POST", "/v1/nodes/{node}/telemetry", Handlers.post_telemetry, "Take what a node tells of itself",
          Taken, Telemetry, MAX_BATCH_BYTES),
    Route("POST", "/v1/nodes/{node}/erasures", Handlers.post_erasures, "Take receipts for erased members",
          Taken, Erasures, MAX_SMALL_BYTES),
    Route("GET", "/v1/feed", Handlers.get_feed, "Tell what changed after a version",
          FeedPage, query=("cursor", "limit", "wait_s", "v"), wait=Handlers.wait_for_news),
    Route("GET", "/v1/log/checkpoint", Handlers.get_checkpoint, "Tell the newest checkpoint of the log",
          LogCheckpoint),
    Route("GET", "/v1/log/consistency", Handlers.get_consistency, "Prove that the log only grew",
          LogConsistency, query=("from", "to")),
    Route("GET", "/v1/log/inclusion", Handlers.get_inclusion, "Prove that an event is in the log",
          LogInclusion, query=("node", "epoch", "seq")),
)  # fmt: skip


def match(method: str, path: str) -> tuple[Route, str | None]:
    """Return the route of a request and the node its path names; raise what fits when there is none."""
    template = template_of(path)
    for route in ROUTES:
        if (route.method, route.path) == (method, template):
            places = dict(zip(template.split("/"), path.split("/"), strict=True))
            return route, places.get("{node}")
    if template:
        raise Invalid("METHOD_WRONG")
    raise NotFound("ROUTE_UNKNOWN")


def template_of(path: str) -> str:
    """Return the path of the route that a request is for, with ``{node}`` in it; empty when there is none."""
    if path in openapi.OPEN:
        return path
    parts = path.split("/")
    for route in ROUTES:
        wanted = route.path.split("/")
        if len(wanted) == len(parts) and all(w in (p, "{node}") for w, p in zip(wanted, parts, strict=True)):
            return route.path
    return ""


def refused(error: TapledgerError) -> Answered:
    """Return an error as the answer that says it."""
    status = 405 if error.code == "METHOD_WRONG" else problems.status_of(error)
    retry_after_s = error.data.get("retry_after_s")
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Answered(status, pack(problems.refusal(error)), headers=headers)


def number(query: dict[str, str], name: str, default: int, most: int = 2**53) -> int:
    """Return a whole number of a query; raise ``Invalid`` for anything else."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > most:
        raise Invalid("FEED_QUERY_INVALID", limit=MAX_FEED_ROWS)
    return int(text)


def _message(caller: Caller, kind: type[T]) -> T:
    """Return the message of a request; raise ``Invalid`` for one that cannot be understood."""
    message = unpack(caller.body, kind)
    check_version(getattr(message, "v", VERSION))
    return message


def _check_who(route: Route, node: Node, named: str | None) -> None:
    if named is not None and named != node.node:
        raise Denied("NODE_WRONG", node=named)
    if node.status != nodes.ACTIVE and not route.for_suspended:
        raise Denied("NODE_SUSPENDED", status=node.status)


def _boot(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{0,32}", text):
        raise Invalid("BOOT_INVALID")
    return text


def _query(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _health() -> Answered:
    """Say that central answers; open to everybody, so it says nothing else."""
    body = json.dumps({"status": "ok", "protocol": VERSION}).encode()
    return Answered(200, body, "application/json")


def _authority(url: URL) -> str:
    return (url.host_port_subcomponent or "").lower()
