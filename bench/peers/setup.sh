#!/bin/sh
# Installs what the peers need outside the tree, once: several GB, since PyTorch's wheel brings libraries for GPUs.
set -eu
home="${ELBO_PEERS:-$HOME/.cache/elbo-peers}"
mkdir -p "$home/js"
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet torch==2.15.0 jax==0.10.2 numpy
cd "$home/js"
[ -f package.json ] || echo '{"private": true}' > package.json
npm install --silent --no-fund @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 @jax-js/jax@0.1.25
echo "peers are in $home"
