"""What head office tells every shop beside members: the programme, the articles, and whom to trust."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty.program import Program
from tapledger.wire.messages import EVERYWHERE
from tapledger.wire.news import CatalogueNews, DevicesNews, NodeNews, ProgramNews
from tapledger_central.store import Transaction, news, nodes
from tapledger_central.store.news import Item
from tapledger_central.store.nodes import Node

CURRENT = "current"
"""Key of the one programme, and of the one list of articles, that count."""
DEVICES = "devices"

_decode = msgspec.msgpack.Decoder(ProgramNews).decode
_encode = msgspec.msgpack.Encoder().encode


def program(tx: Transaction, told: ProgramNews, now: dt.datetime) -> None:
    """Tell every shop the programme that counts from its ``active_from`` on."""
    _everywhere(tx, Item("program", CURRENT, _encode(told)), now)


def told_program(tx: Transaction) -> Program | None:
    """Return the programme that central tells; None when every shop has one of its own."""
    body = news.told(tx, EVERYWHERE, "program", CURRENT)
    if body is None:
        return None
    return msgspec.json.decode(_decode(body).content, type=Program)


def catalogue(tx: Transaction, told: CatalogueNews, now: dt.datetime) -> None:
    """Tell every shop the articles."""
    _everywhere(tx, Item("catalogue", CURRENT, _encode(told)), now)


def node(tx: Transaction, told: Node, now: dt.datetime) -> None:
    """Tell every shop of a computer: its key, and whether what it signed is to be believed."""
    body = NodeNews(name=told.name, shop=told.shop, public_key=told.public_key, status=told.status)
    _everywhere(tx, Item("node", told.node, _encode(body)), now)


def change_status(tx: Transaction, name: str, status: str, now: dt.datetime) -> bool:
    """Make a node ``active``, ``quarantined`` or ``revoked``, and tell so; False when there is none."""
    if not nodes.set_status(tx, name, status):
        return False
    known = nodes.find(tx, name)
    assert known is not None
    node(tx, known, now)
    return True


def devices(tx: Transaction, node: Node, told: DevicesNews, now: dt.datetime) -> None:
    """Tell one computer its devices; nobody else hears it."""
    item = Item(DEVICES, node.node, _encode(told), only_for=node.node)
    news.publish(tx, node.scope, [item], int(now.timestamp() * 1000))


def told_devices(tx: Transaction, node: Node) -> DevicesNews:
    """Return the devices that a computer was told last; without any text when it was told none."""
    body = news.told(tx, node.scope, DEVICES, node.node)
    return DevicesNews(text="") if body is None else msgspec.msgpack.decode(body, type=DevicesNews)


def _everywhere(tx: Transaction, item: Item, now: dt.datetime) -> None:
    news.publish_everywhere(tx, item, int(now.timestamp() * 1000))
