"""daemon.toml as checked values. An unknown key is an error that names the nearest known one.

Every setting has its line in docs/settings.md (kept by tests/test_docs.py).
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from tapledger.errors import Invalid
from tapledger.languages import Language

MAX_PORT = 65535


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Section)


class ShopSettings(Section):
    name: str = Field(min_length=1, max_length=60)
    language: Language = "zh-Hans"


class StoreSettings(Section):
    folder: Path
    """Where the ledger and the keys are."""
    ballast_mb: int = Field(default=64, ge=0, le=4096)
    """Room on the disk that is held for the ledger; 0: none."""


class FilesSettings(Section):
    program: Path
    catalogue: Path


class WebSettings(Section):
    port: int = Field(default=7380, ge=0, le=65535)
    """On 127.0.0.1 only; 0 picks a free one."""


class CentralSettings(Section):
    url: str = ""
    """Empty: this shop stands alone."""
    poll_s: float = Field(default=2.0, gt=0, le=3600)
    retry_max_s: float = Field(default=300.0, ge=1, le=3600)
    """However long central has been out of reach, it is tried again within this."""
    hub: str = ""
    """Address of the shop's hub, through which central is asked; empty: central is asked itself."""
    hub_node: str = ""
    """The hub's name: the one node whose leases this one may take a part of."""

    @model_validator(mode="after")
    def _hub_has_a_name(self) -> Self:
        if bool(self.hub) != bool(self.hub_node) or (self.hub and not self.url):
            raise ValueError("url, hub and hub_node belong together")
        return self


class HubSettings(Section):
    listen: str = Field(default="", pattern=r"^(|(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z.-]+):[0-9]{1,5})$")
    """Address and port in the shop's network; empty: this computer is no hub."""

    @field_validator("listen")
    @classmethod
    def _is_a_port(cls, listen: str) -> str:
        if listen and int(listen.rpartition(":")[2]) > MAX_PORT:
            raise ValueError("the port is no port")
        return listen

    @property
    def place(self) -> tuple[str, int]:
        """Return the host and port to listen at."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class KioskSettings(Section):
    balance_s: float = Field(default=20, ge=1, le=300)
    list_s: float = Field(default=30, ge=1, le=300)
    warning_s: float = Field(default=10, ge=1, le=60)
    """How long the countdown shows before a session ends by itself."""
    form_s: float = Field(default=60, ge=1, le=300)
    goodbye_s: float = Field(default=2, gt=0, le=30)
    trouble_s: float = Field(default=5, gt=0, le=60)
    mode: Literal["service", "register", "gate"] = "service"
    gate: str = ""
    """Of a door: the entitlement, or the event, that a tap uses."""
    place: str = ""
    """Of a door: where it is, for the ledger."""
    touch_points: int = Field(default=500, ge=0)
    """A dearer reward asks for more than a touch: the card again, or a PIN."""
    feedback: bool = True
    speaks: bool = False
    """Screens can be read aloud, by espeak-ng."""

    @model_validator(mode="after")
    def _gate_is_named(self) -> Self:
        if (self.mode == "gate") != bool(self.gate):
            raise ValueError("mode gate and kiosk.gate belong together")
        return self


class TillSettings(Section):
    drawer: bool = False
    """A cash drawer hangs on the receipt printer."""


class ReceiptSettings(Section):
    folder: str = ""
    """Templates of the shop's own; empty: only those that are shipped."""
    logo: str = ""
    """A PNG picture that stands above every slip; empty: none."""
    roll_m: int = Field(default=0, ge=0, le=1000)
    """Length of a new paper roll; 0: it is learned."""


class BackupSettings(Section):
    folder: str = ""
    """Empty: the daemon makes none by itself."""
    every_hours: float = Field(default=24, gt=0, le=744)
    keep: int = Field(default=7, ge=1, le=1000)
    """The newest so many."""


class DeviceSettings(Section):
    role: Literal[
        "kiosk-reader",
        "till-reader",
        "till-scanner",
        "kiosk-scanner",
        "receipt-printer",
        "cash-drawer",
        "till-light",
        "kiosk-light",
        "customer-display",
    ]
    driver: str
    options: dict[str, str | int | float | bool | dict[str, str]] = {}
    """The driver's own; ``match`` names the device by what it is (docs/devices/identity.md)."""


def _one_device_a_role(devices: list[DeviceSettings]) -> list[DeviceSettings]:
    roles = [device.role for device in devices]
    if len(set(roles)) != len(roles):
        raise ValueError("two devices have the same role")
    return devices


Devices = Annotated[list[DeviceSettings], AfterValidator(_one_device_a_role)]


class DeviceList(Section):
    """What head office tells one computer (``central devices``)."""

    devices: Devices = []


class Settings(Section):
    shop: ShopSettings
    store: StoreSettings
    files: FilesSettings
    web: WebSettings = WebSettings()
    central: CentralSettings = CentralSettings()
    hub: HubSettings = HubSettings()
    kiosk: KioskSettings = KioskSettings()
    till: TillSettings = TillSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    backup: BackupSettings = BackupSettings()
    devices: Devices = []

    @model_validator(mode="after")
    def _hub_asks_central_itself(self) -> Self:
        if self.hub.listen and (self.central.hub or not self.central.url):
            raise ValueError("a hub needs central.url and has no hub of its own")
        return self


def read(path: Path) -> Settings:
    """Read a configuration; relative paths count from its folder. Raises ``Invalid`` that says why."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Invalid("CONFIG_MISSING", path=str(path)) from error
    except UnicodeDecodeError as error:
        raise Invalid("CONFIG_INVALID", path=str(path), why=str(error)) from error
    settings = _checked(Settings, text, str(path))
    base = path.parent
    paper = {name: getattr(settings.receipts, name) for name in ("folder", "logo")}
    return settings.model_copy(
        update={
            "receipts": settings.receipts.model_copy(
                update={name: str(base / file) for name, file in paper.items() if file}
            ),
            "backup": settings.backup.model_copy(
                update={"folder": str(base / settings.backup.folder)} if settings.backup.folder else {}
            ),
            "store": settings.store.model_copy(update={"folder": base / settings.store.folder}),
            "files": FilesSettings(
                program=base / settings.files.program, catalogue=base / settings.files.catalogue
            ),
        }
    )


def read_devices(text: str, where: str) -> list[DeviceSettings]:
    """Read the devices that head office tells a computer; raises ``Invalid`` that says why."""
    return _checked(DeviceList, text, where).devices


def _checked(shape: type[S], text: str, where: str) -> S:
    try:
        return shape.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Invalid("CONFIG_INVALID", path=where, why=str(error)) from error
    except ValidationError as error:
        raise Invalid("CONFIG_INVALID", path=where, why="; ".join(_sentences(error))) from error


def _sentences(error: ValidationError) -> Iterator[str]:
    known = sorted({name for model in Section.__subclasses__() for name in model.model_fields})
    for fault in error.errors():
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(fault["loc"][-1]), known, 1)
            yield f"{where}: not a setting" + (f"; did you mean {near[0]}?" if near else "")
        else:
            yield f"{where}: {fault['msg']}"
