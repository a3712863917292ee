"""Central's settings, read from one TOML file; a key that is not known is an error, not a guess."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from yarl import URL

from tapledger.errors import Invalid


def _loopback(host: str) -> str:
    try:
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise ValueError(
        "must be a loopback address: keys travel at enrolment, so put a TLS proxy before central"
    )


def _origin(text: str) -> str:
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.raw_path != "/" or url.query_string:
        raise ValueError("must look like https://central.example, without a path")
    return str(url.origin())


class CentralSettings(BaseModel):
    """What an operator may choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_folder: Path
    """Where the database and the key file are. A relative path counts from the settings file's folder."""
    database_url: str = ""
    """PostgreSQL, as the application's role: ``postgresql://…``. Empty: a file in ``data_folder``."""
    database_owner_url: str = ""
    """The same database as the role that owns the tables; only ``tapledger central migrate`` uses it."""
    database_role: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = "tapledger"
    """The application's role, which ``migrate`` makes when there is none and lets use the tables."""
    listen_host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    listen_port: Annotated[int, Field(ge=0, le=65535)] = 7400
    """0 takes any free port."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where ``GET /metrics`` is, on the loopback alone; 0 is nowhere."""
    origins: Annotated[list[Annotated[str, AfterValidator(_origin)]], Field(max_length=16)] = []
    """How shops reach central when a proxy stands before it; requests for any other host are refused."""


def load(path: Path) -> CentralSettings:
    """Read settings; raise ``Invalid`` that says where and why."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = CentralSettings.model_validate(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("SETTINGS_UNREADABLE", path=str(path), why=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid("SETTINGS_INVALID", path=str(path), where=where, why=first["msg"]) from error
    return settings.model_copy(update={"data_folder": path.parent / settings.data_folder})
