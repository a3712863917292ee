"""Requests in our own form are judged as the library judges them, whatever is done to them."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.errors import TapledgerError
from tapledger.wire import plain_signatures, requests
from tapledger.wire.requests import Request, sign_request, verify_request

NOW = dt.datetime(2026, 11, 2, 9, 30, tzinfo=dt.UTC)
NODE = "k7m2p9qx"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS = {NODE: KEY.public_key().public_bytes_raw()}
URLS = (
    "http://127.0.0.1:7400/v1/nodes/k7m2p9qx/events?boot=3f-1",
    "https://central.example/v1/feed?cursor=12&wait_s=25",
    "https://central.example:443/v1/feed",
    "http://[::1]:7400/v1/feed",
    "http://Central.Example/v1/feed",
)
ODD = ["", " ", "%41", '"', ";", ",", "\\", "é", "0", "A", "sig=", ":", "\t", "=", "?", "#x"]
CASES = 4000

Asked = tuple[str, str, dict[str, str], bytes, dt.datetime]


def asked(rnd: random.Random) -> Asked:
    """Return a good request."""
    body = rnd.choice([b"", b"x", rnd.randbytes(300)])
    request = Request("POST" if body else "GET", rnd.choice(URLS), {"Host": "h"})
    sign_request(request, body, NODE, rnd.choice([KEY, KEY, KEY, OTHER]), NOW, rnd.randbytes(16).hex())
    return request.method, request.url, request.headers, body, NOW


def spoiled(rnd: random.Random, good: Asked) -> Asked:
    """Return it with something else in one place."""
    method, url, headers, body, now = good
    headers = dict(headers)

    def altered(text: str) -> str:
        at = rnd.randrange(len(text) + 1)
        return text[:at] + rnd.choice(ODD) + text[at + rnd.choice([0, 1, 1, 5]) :]

    match rnd.randrange(9):
        case 0:
            method = rnd.choice(["GET", "POST", "PUT", "post", "OPTIONS"])
        case 1:
            url = altered(url)
        case 2:
            body = body[:-1] + rnd.randbytes(rnd.choice([0, 1]))
        case 3:
            now += dt.timedelta(seconds=rnd.choice([-31, -30, 0, 89, 90, 91, 10**6]))
        case 4:
            headers = {rnd.choice([name.lower(), name.upper()]): value for name, value in headers.items()}
        case 5:
            del headers[rnd.choice(sorted(headers))]
        case 6:
            name = rnd.choice(sorted(headers))
            headers[name.upper()] = rnd.choice([headers[name], altered(headers[name])])
        case _:
            name = rnd.choice([name for name in headers if name != "Host"])
            headers[name] = altered(headers[name])
    return method, url, headers, body, now


def judged(judge: Callable[[Asked], object], request: Asked) -> object:
    """Return what comes of a request."""
    try:
        return judge(request)
    except TapledgerError as error:
        return type(error), error.code, getattr(error, "nonce", None)


def by_us(request: Asked) -> object:
    method, url, headers, body, now = request
    return verify_request(method, url, headers, body, KEYS.get, now)


def by_library(request: Asked) -> object:
    method, url, headers, body, now = request
    return requests._verified_by_library(requests._Received(method, url, headers), body, KEYS.get, now)


def differences(seed: int) -> list[Asked]:
    """Return requests that are judged in two ways."""
    rnd, found = random.Random(seed), []
    for _ in range(CASES):
        request = asked(rnd)
        for _ in range(rnd.randrange(3)):
            request = spoiled(rnd, request)
        if judged(by_us, request) != judged(by_library, request):
            found.append(request)
    return found


def test_our_own_form_is_read_without_the_library() -> None:
    rnd, read = random.Random(1), 0
    for _ in range(100):
        method, url, headers, body, _ = asked(rnd)
        plain = plain_signatures.read(method, url, headers, body)
        assert (plain is not None) == (url in URLS[:2])
        read += plain is not None and plain.node == NODE
    assert read > 30


@pytest.mark.parametrize("seed", range(2))
def test_every_request_is_judged_as_the_library_does(seed: int) -> None:
    assert differences(seed) == []


ANY_HOST = plain_signatures._URL.pattern.replace("[a-z0-9.-]+", "[A-Za-z0-9.-]+")
TWINS: dict[str, tuple[Any, str, Any]] = {
    "any port": (plain_signatures, "_DEFAULT_PORTS", {"http": "no", "https": "no"}),
    "any host": (plain_signatures, "_URL", re.compile(ANY_HOST)),
    "anybody's signature": (plain_signatures.Plain, "is_by", lambda self, key: True),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_broken_twin_is_judged_otherwise(monkeypatch: pytest.MonkeyPatch, twin: str) -> None:
    monkeypatch.setattr(*TWINS[twin])
    assert differences(0) != []
