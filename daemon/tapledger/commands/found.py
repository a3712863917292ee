"""Founds a real shop: its configuration, its keys and the one-time code for its owner. No demo data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tomlkit

from tapledger import assets
from tapledger.clock import Clock
from tapledger.errors import Conflict, Invalid
from tapledger.identifiers import Randomness
from tapledger.languages import Language
from tapledger.loyalty import codes
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import sign_in
from tapledger.membership.shop import Shop
from tapledger.store import keyring
from tapledger.store.store import FILE_NAME as STORE_FILE
from tapledger.store.store import Store

CONFIG_FILE = "daemon.toml"
CATALOGUE_HEADER = "sku,name,price,tax,category,flags\n"


@dataclass(frozen=True, slots=True)
class Founding:
    """What the owner decides before there is a shop."""

    folder: Path
    name: str
    currency: str
    timezone: str
    language: Language
    port: int = 7380
    central_url: str = ""


@dataclass(frozen=True, slots=True)
class Founded:
    config: Path
    node: str
    setup_code: str
    """Shown once; with it the owner makes the first account at the till."""


async def found(founding: Founding, clock: Clock, randomness: Randomness) -> Founded:
    """Make the shop's files; raise ``Conflict`` when the folder holds a shop already, and touch nothing."""
    _check(founding)
    folder = founding.folder
    for name in (CONFIG_FILE, STORE_FILE, keyring.FILE_NAME):
        if (folder / name).exists():
            raise Conflict("STORE_EXISTS", path=str(folder / name))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = keyring.make(randomness(keyring.RANDOMNESS))
    keyring.create(folder, keys)
    (folder / "program.toml").write_text(_program(founding), encoding="utf-8")
    (folder / "catalogue.csv").write_text(CATALOGUE_HEADER, encoding="utf-8")
    store = await Store.open(folder, keys)
    try:
        shop = Shop(store, _EMPTY, Catalogue(), clock, randomness, founding.name, founding.language)
        code = codes.printed(codes.voucher_code(randomness(256)))
        await sign_in.keep_setup_code(shop, code)
    finally:
        await store.close()
    config = folder / CONFIG_FILE
    config.write_text(_config(founding), encoding="utf-8")
    return Founded(config, keys.node, code)


_EMPTY = Program(version="", currency="", timezone="UTC", tiers=[], rewards=[])


def _check(founding: Founding) -> None:
    if not founding.name.strip():
        raise Invalid("SHOP_NAME_EMPTY")
    if not re.fullmatch(r"[A-Z]{3}", founding.currency):
        raise Invalid("CURRENCY_UNKNOWN", currency=founding.currency)
    try:
        ZoneInfo(founding.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid("TIMEZONE_UNKNOWN", timezone=founding.timezone) from error


def _program(founding: Founding) -> str:
    """Return the annotated programme with this shop's currency and zone, and no rewards yet."""
    document = tomlkit.parse((assets.config_folder() / "program.toml").read_text(encoding="utf-8"))
    document["version"] = "1"
    document["currency"] = founding.currency
    document["timezone"] = founding.timezone
    document["rewards"] = tomlkit.array()
    return tomlkit.dumps(document)


def _config(founding: Founding) -> str:
    document = tomlkit.parse((assets.config_folder() / CONFIG_FILE).read_text(encoding="utf-8"))
    document["shop"] = {"name": founding.name, "language": founding.language}
    document["store"] = {"folder": "."}
    document["web"] = {"port": founding.port}
    if founding.central_url:
        document["central"] = {"url": founding.central_url}
    document["devices"] = tomlkit.array()
    return tomlkit.dumps(document)
