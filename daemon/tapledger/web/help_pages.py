"""``GET /help/devices/problems.md``: the story of every reason, from the documentation, with anchors."""

from __future__ import annotations

import html
import re

from aiohttp import web

from tapledger import assets
from tapledger.errors import NotFound

PATH = "/help/devices/problems.md"
_HEADING = re.compile(r"(#{1,3}) (.+)")
_CODE = re.compile(r"`([^`]+)`")


def routes() -> list[web.RouteDef]:
    async def problems(_request: web.Request) -> web.StreamResponse:
        page = assets.docs_folder() / "devices" / "problems.md"
        try:
            text = page.read_text(encoding="utf-8")
        except OSError as error:
            raise NotFound("PAGE_UNKNOWN") from error
        return web.Response(text=_drawn(text), content_type="text/html", charset="utf-8")

    return [web.get(PATH, problems)]


def _drawn(text: str) -> str:
    """Draw what the page uses of Markdown: headings, which are anchors, paragraphs and code."""
    parts = "\n".join(_part(part) for part in text.split("\n\n") if part.strip())
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Devices</title>\n{parts}\n</html>\n'
    )


def _part(part: str) -> str:
    heading = _HEADING.fullmatch(part.strip())
    if heading is None:
        paragraph = _CODE.sub(r"<code>\1</code>", html.escape(part.strip()))
        return f"<p>{paragraph}</p>"
    level, title = len(heading[1]), html.escape(heading[2])
    return f'<h{level} id="{title}">{title}</h{level}>'
