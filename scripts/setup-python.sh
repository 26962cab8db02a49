#!/bin/sh
# Makes .venv with the Python packages that the interoperability tests compare with. Does nothing when it is already
# right, or when ELBO_PYTHON names an interpreter to use instead.
set -eu
cd "$(dirname "$0")/.."
[ -z "${ELBO_PYTHON:-}" ] || exit 0
cmp -s test/requirements.txt .venv/requirements.txt && exit 0

if python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check -r test/requirements.txt; then
  cp test/requirements.txt .venv/requirements.txt
else
  echo "setup-python: no usable Python (see above); tests that compare with it will be skipped" >&2
  [ "${CI:-}" != true ]
fi
