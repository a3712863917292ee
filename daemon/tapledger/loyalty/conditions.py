"""When, for whom and for what a rule of the programme holds: shared by every section of program.toml."""

from __future__ import annotations

import datetime as dt

import msgspec

Names = dict[str, str]
"""A name by language; ``name_in`` falls back to English, then to any."""


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which articles a rule is about; empty lists mean all."""

    categories: list[str] = []
    skus: list[str] = []
    except_categories: list[str] = []
    except_skus: list[str] = []


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """When and for whom a rule holds; everything that is given must be true."""

    tiers: list[str] = []
    segments: list[str] = []
    """Tags of the member, as central's segments give them."""
    campaign: str = ""
    """Only for members of the campaign's audience that are not held out."""
    members_only: bool = False
    window: str = ""
    """Id of a ``[[windows]]``: weekdays, dates, holidays, hours."""
    birthday: bool = False
    """Inside the member's birthday window of ``[birthday]``."""
    from_: dt.datetime | None = None
    """Local time of the programme's zone; the first instant at which it holds."""
    to: dt.datetime | None = None
    """Local time; the first instant at which it holds no more."""
