"""What every Python peer does alike: JSON commands a line in, JSON answers a line out, arrays as files.

open   {threads, mode}                  versions
load   {workload, folder}               reads `pixels` (uint8) or `rows` and `rows.mask` (float32); answers {}
check  {workload, folder, shapes}       loss and gradient norm at weights, x, mask and noise given as float32 files
block  {workload, warm, steps}          milliseconds of each whole step, warm ones left out
infer  {workload, what, count, warm, steps}   milliseconds of each `encode` or `decode` of `count` examples

A workload describes a VAE: shape, parts [{likelihood, start, size, field}], masked, latent, network {kind, …}, batch,
samples (importance samples of z), pixels ('binary', 'grey' or null). Parameters have our names and our layouts:
matrices [in, out], convolutions [k·k·in, out], transposed ones [k·k·out, in], pictures channels last.
"""

import json
import math
import os
import sys
import time

import numpy as np

KERNEL = 4  # of convolutions that halve a picture


def read(folder, key, dtype=np.float32):
    path = os.path.join(folder, key)
    return np.fromfile(path, dtype=dtype) if os.path.exists(path) else None


def load(workload, folder):
    """The training data: (pixels or rows, mask)."""
    if workload["pixels"]:
        return read(folder, "pixels", np.uint8).reshape(-1, *workload["shape"]), None
    rows = read(folder, "rows").reshape(-1, *workload["shape"])
    mask = read(folder, "rows.mask").reshape(-1, len(workload["parts"])) if workload["masked"] else None
    return rows, mask


def examples(workload, folder):
    """x, mask and noise [samples, batch, latent] of a check."""
    batch = workload["batch"]
    x = read(folder, "x").reshape(batch, *workload["shape"])
    mask = read(folder, "mask").reshape(batch, -1) if workload["masked"] else None
    return x, mask, read(folder, "noise").reshape(workload["samples"], batch, workload["latent"])


def permutations(rows, batch):
    """Row numbers of full batches, in a new order each epoch."""
    random = np.random.default_rng(0)
    while True:
        order = random.permutation(rows)
        for at in range(0, rows - batch + 1, batch):
            yield order[at : at + batch]


def timed(step, warm, steps):
    times = []
    for _ in range(warm + steps):
        started = time.perf_counter()
        step()
        times.append((time.perf_counter() - started) * 1e3)
    return {"ms": times[warm:]}


def serve(open_, trainer):
    """`open_(command)` answers; `trainer(workload, folder)` gives an object with `step()` and `check(folder, shapes)`."""
    trainers = {}
    for line in sys.stdin:
        command = json.loads(line)
        name = command.get("workload", {}).get("name")
        try:
            if command["do"] == "open":
                answer = open_(command)
            elif command["do"] == "load":
                trainers = {name: trainer(command["workload"], command["folder"])}  # one at a time
                answer = {}
            elif command["do"] == "check":
                answer = trainers[name].check(command["folder"], command["shapes"])
            else:
                run = trainers[name].step if command["do"] == "block" else trainers[name].infer(command["what"], command["count"])
                answer = timed(run, command["warm"], command["steps"])
        except Exception as error:  # said to the driver, which names the peer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


LOG_2PI = math.log(2 * math.pi)
LEAST_LOG_VAR = -12.0
LOG_VAR_SPEED = 10.0
