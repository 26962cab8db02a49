"""The same training step in PyTorch eager, as a peer that step.ts drives: a JSON command a line in, a JSON answer a line out.

open   {data, threads}            reads the IDX pictures
check  {model, folder, manifest}  loss and gradient norm at weights, pictures and noise given as float32 files
block  {model, warm, steps}       milliseconds of each step, warm ones left out
"""

import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

BATCH = 128


class Mlp(nn.Module):
    latent = 20

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
        self.decoder = nn.Sequential(
            nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28))
        )


class Conv(nn.Module):
    latent = 32

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(3136, 256), nn.ReLU(), nn.Linear(256, 64),
        )
        self.decoder = nn.Sequential(
            nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 3136), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1),
        )


def negative_elbo(model, x, noise):
    mean, log_var = model.encoder(x).chunk(2, 1)
    logits = model.decoder(mean + torch.exp(0.5 * log_var) * noise)
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum()
    return (reconstruction + kl) / x.shape[0]


class Trainer:
    def __init__(self, kind, pictures):
        self.model = kind()
        self.pictures = pictures
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.at = len(pictures)

    def step(self):
        if self.at + BATCH > len(self.pictures):
            self.order, self.at = torch.randperm(len(self.pictures)), 0
        rows = self.pictures[self.order[self.at : self.at + BATCH]]
        self.at += BATCH
        x = torch.bernoulli(rows.float().div_(255))
        noise = torch.randn(BATCH, self.model.latent)
        loss = negative_elbo(self.model, x, noise)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def block(self, warm, steps):
        times = []
        for _ in range(warm + steps):
            started = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - started) * 1e3)
        return {"ms": times[warm:]}


def to_torch(name, shape, values):
    """A tensor of ours, channels last and [in, out], in PyTorch's layout."""
    array = torch.from_numpy(values.reshape(shape))
    if array.dim() < 2:
        if name == "decoder.spread.bias":
            return array.reshape(7, 7, 64).permute(2, 0, 1).reshape(-1)
        return array
    if name in ("encoder.0.weight", "encoder.1.weight"):  # [k·k·in, out]
        return array.reshape(4, 4, -1, shape[1]).permute(3, 2, 0, 1)
    if name in ("decoder.0.weight", "decoder.1.weight"):  # [k·k·out, in]
        return array.reshape(4, 4, -1, shape[1]).permute(3, 2, 0, 1)
    if name == "encoder.dense.weight":
        return array.reshape(7, 7, 64, -1).permute(3, 2, 0, 1).reshape(shape[1], -1)
    if name == "decoder.spread.weight":
        return array.reshape(shape[0], 7, 7, 64).permute(3, 1, 2, 0).reshape(-1, shape[0])
    return array.t()


# Our names in the order of the modules here.
LAYERS = {
    "mlp": ["encoder.0", "posterior", "decoder.0", "decoder.output"],
    "conv": [
        "encoder.0", "encoder.1", "encoder.dense", "posterior",
        "decoder.dense", "decoder.spread", "decoder.1", "decoder.0",
    ],
}


def check(name, kind, folder, shapes):
    model = kind()
    read = lambda key: np.fromfile(os.path.join(folder, key), dtype=np.float32)
    layers = [m for m in model.modules() if hasattr(m, "weight")]
    dense = name == "mlp"
    with torch.no_grad():
        for layer, ours in zip(layers, LAYERS[name]):
            for part in ("weight", "bias"):
                key = f"{ours}.{part}"
                given = torch.from_numpy(read(key).reshape(shapes[key]))
                value = (given.t() if given.dim() > 1 else given) if dense else to_torch(key, shapes[key], read(key))
                getattr(layer, part).copy_(value)
    x = torch.from_numpy(read("x").reshape(BATCH, 1, 28, 28))
    noise = torch.from_numpy(read("noise").reshape(BATCH, -1))
    loss = negative_elbo(model, x, noise)
    loss.backward()
    norm = sum(p.grad.square().sum().item() for p in model.parameters()) ** 0.5
    return {"loss": loss.item(), "norm": norm}


def answer(state, command):
    if command["do"] == "open":
        torch.set_num_threads(command["threads"])
        raw = np.fromfile(command["data"], dtype=np.uint8)[16:].reshape(-1, 1, 28, 28)
        state["pictures"] = torch.from_numpy(raw.copy())
        blas = os.path.realpath("/usr/lib/x86_64-linux-gnu/libblas.so.3")
        return {"torch": torch.__version__, "blas": blas}
    kind = {"mlp": Mlp, "conv": Conv}[command["model"]]
    if command["do"] == "check":
        return check(command["model"], kind, command["folder"], command["shapes"])
    trainer = state.setdefault(command["model"], None) or Trainer(kind, state["pictures"])
    state[command["model"]] = trainer
    return trainer.block(command["warm"], command["steps"])


def main():
    torch.manual_seed(0)
    state = {}
    for line in sys.stdin:
        print(json.dumps(answer(state, json.loads(line))), flush=True)


main()
