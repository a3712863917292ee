"""Files that come with the package: the built browser faces, configuration, help."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def faces_folder() -> Path | None:
    """Return the folder of the built faces: inside a wheel, or of a source checkout; None when not built."""
    package = Path(str(files("tapledger")))
    for folder in (package / "_assets" / "kiosk_ui", package.parents[1] / "kiosk_ui" / "dist"):
        if (folder / "kiosk.html").is_file():
            return folder
    return None


def config_folder() -> Path:
    """Return the folder of the example configuration."""
    package = Path(str(files("tapledger")))
    installed = package / "_assets" / "config"
    return installed if installed.is_dir() else package.parents[1] / "config"


def docs_folder() -> Path:
    """Return the folder of the documentation that the console shows."""
    package = Path(str(files("tapledger")))
    installed = package / "_assets" / "docs"
    return installed if installed.is_dir() else package.parents[1] / "docs"
