"""Set up what is missing for `make run` or `make test`, and nothing else.

``python3 tools/prepare.py run|test [--json]``, with Python 3.11 and its standard library only. Each step is
keyed by a hash of what it is made from (.prepared/*.stamp), so a second call costs a fraction of a second.
Exit 0: ready, perhaps with a sentence about what is left out. Exit 1: not ready, the last lines say why.
With CI=true, ``test`` leaves nothing out: a package that cannot be installed is a failure.
"""

from __future__ import annotations

import argparse
import os
import sys

from browser_faces import build_faces, faces_are_current, machine_has_node
from progress import Progress, StepFailed, alone
from python_environment import NODE_IN_VENV, build_environment
from system_packages import FOR_RUN, FOR_TEST, install_missing


def prepare(purpose: str, progress: Progress) -> None:
    """Bring the tree to the state that ``purpose`` ("run" or "test") needs."""
    strict = purpose == "test" and os.environ.get("CI") == "true"
    install_missing(progress, FOR_TEST if purpose == "test" else FOR_RUN, required=strict)
    needs_node = purpose == "test" or not faces_are_current()
    bring_node = NODE_IN_VENV.exists() or (needs_node and not machine_has_node())
    build_environment(progress, with_node=bring_node, devices_required=strict)
    build_faces(progress)


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up what is missing.")
    parser.add_argument("purpose", choices=["run", "test"])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of progress")
    arguments = parser.parse_args()
    progress = Progress(quiet=arguments.json)
    failure = ""
    try:
        with alone():
            prepare(arguments.purpose, progress)
    except StepFailed as failed:
        failure = str(failed)
        print(failed.log_tail(), file=sys.stderr)
        print(f"Set-up stopped: {failure}", file=sys.stderr)
        if failed.log is not None:
            print(f"The whole log: {failed.log}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nSet-up interrupted; the same command goes on where it stopped.", file=sys.stderr)
        return 130
    if arguments.json:
        print(progress.as_json(failure))
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
