"""Prints the JSON Schema of everything a browser may receive; ``npm run types`` in ``kiosk_ui`` reads it."""

from __future__ import annotations

import json
import sys

import msgspec

from tapledger.web.checkout_snapshots import Problem
from tapledger.web.device_snapshots import ClaimView, DeviceDetails, DeviceEventView, HealthView
from tapledger.web.snapshots import FACES

ANSWERS: tuple[type[msgspec.Struct], ...] = (Problem, DeviceDetails, DeviceEventView, HealthView, ClaimView)
"""What is answered and not pushed."""


def faces_schema() -> dict[str, object]:
    """Return one JSON Schema whose ``$defs`` hold every snapshot type, by its name in Python."""
    shown = [*FACES.values(), *ANSWERS]
    _, definitions = msgspec.json.schema_components(shown, ref_template="#/$defs/{name}")
    return {"title": "Anything", "anyOf": [_reference(one) for one in shown], "$defs": definitions}


def _reference(face: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{face.__name__}"}


if __name__ == "__main__":
    json.dump(faces_schema(), sys.stdout, ensure_ascii=False)
