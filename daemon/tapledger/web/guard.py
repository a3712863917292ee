"""The guard in front of every route: only our own pages on this machine get further (security.md 2.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from tapledger.errors import Denied, Invalid

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE_METHODS = frozenset({"GET"})
MAX_BODY_BYTES = 64 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def check(request: web.Request, port: int) -> None:
    """Raise ``Denied`` or ``Invalid`` unless the request comes from a page of this server itself.

    Each check stops attacks that the others let through: Host stops DNS rebinding, Origin stops other pages'
    posts and WebSockets, Sec-Fetch-Site stops their images and plain GETs. Posts and WebSockets must name
    their origin; any other request need not, but when it does it must be ours.
    """
    hosts = {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
    if request.host not in hosts:
        raise Denied("HOST_FOREIGN")
    if request.method not in ("GET", "POST"):
        raise Denied("METHOD_FOREIGN")
    upgrade = "upgrade" in request.headers.get("Connection", "").lower()
    needs_origin = request.method not in SAFE_METHODS or upgrade or "Origin" in request.headers
    if needs_origin and request.headers.get("Origin") not in {f"http://{host}" for host in hosts}:
        raise Denied("ORIGIN_FOREIGN")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise Denied("ORIGIN_FOREIGN")
    if request.method == "POST" and request.content_type != "application/json":
        raise Invalid("BODY_NOT_JSON")


FOREIGN_STATUS = {"HOST_FOREIGN": 421, "METHOD_FOREIGN": 405}
