"""The same models in PyTorch: python peer.py vae|vampPrior|iaf <folder of IDX files> <seed> [epochs]. Prints one JSON line.

784-300-300-40 with ReLU, batches of 100, Adam at 0.001 along a cosine, the KL warmed up over the first fifth, the epoch with
the best bound on the last 1,200 training pictures, log p(x) of the test pictures with 1,000 samples.
"""

import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
HIDDEN, LATENT, BATCH, COMPONENTS, HELD, SAMPLES = 300, 40, 100, 500, 1200, 1000
LOG_2PI = math.log(2 * math.pi)


def pictures(path):
    return torch.tensor(np.fromfile(path, np.uint8)[16:].reshape(-1, 784) > 127, dtype=torch.float32)


def body(inputs):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())


def log_normal(z, mean, log_var):
    return -0.5 * (LOG_2PI + log_var + (z - mean) ** 2 / log_var.exp()).sum(-1)


class Masked(nn.Linear):
    def __init__(self, before, after, strict):
        super().__init__(len(before), len(after))
        mask = before[None, :] < after[:, None] if strict else before[None, :] <= after[:, None]
        self.register_buffer("mask", mask.float())

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


class Step(nn.Module):
    """One inverse autoregressive step (Kingma et al. 2016, algorithm 1), its network MADE with a context."""

    def __init__(self, reverse, width=64):
        super().__init__()
        places = torch.arange(1, LATENT + 1)
        places = places.flip(0) if reverse else places
        own = torch.arange(width) * LATENT // width
        self.first, self.context = Masked(places, own, False), nn.Linear(HIDDEN, width, bias=False)
        self.second, self.last = Masked(own, own, False), Masked(own, places.repeat(2), True)

    def forward(self, z, h):
        t = F.elu(self.second(F.elu(self.first(z) + self.context(h))))
        m, s = self.last(t).chunk(2, -1)
        s = s + 2
        return torch.sigmoid(s) * z + torch.sigmoid(-s) * m, F.logsigmoid(s).sum(-1)


class Model(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.encoder, self.heads = body(784), nn.Linear(HIDDEN, 2 * LATENT)
        self.decoder = nn.Sequential(body(LATENT), nn.Linear(HIDDEN, 784))
        if kind == "vampPrior":
            self.pseudo = nn.Parameter(0.05 + 0.01 * torch.randn(COMPONENTS, 784))
        if kind == "iaf":
            self.steps = nn.ModuleList(Step(i % 2 == 1) for i in range(4))

    def log_prior(self, z):
        if self.kind != "vampPrior":
            return log_normal(z, torch.zeros(()), torch.zeros(()))
        mean, log_var = self.heads(self.encoder(F.hardtanh(self.pseudo, 0, 1))).chunk(2, -1)
        inverse = (-log_var).exp()  # Σ (z − μ)² / σ² as three products
        squares = z**2 @ inverse.T - 2 * z @ (mean * inverse).T + (mean**2 * inverse).sum(-1)
        each = -0.5 * (squares + (LOG_2PI + log_var).sum(-1)) - math.log(COMPONENTS)
        return torch.logsumexp(each, -1)

    def forward(self, x, samples=1):
        """log p(x|z) and log q(z|x) − log p(z), [samples · B]."""
        h = self.encoder(x)
        mean, log_var = self.heads(h).chunk(2, -1)
        repeat = lambda t: t.repeat(samples, 1)
        mean, log_var = repeat(mean), repeat(log_var)
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        log_q = log_normal(z, mean, log_var)
        if self.kind == "iaf":
            h = repeat(h)
            for step in self.steps:
                z, log_det = step(z, h)
                log_q = log_q - log_det
        logits = self.decoder(z)
        log_px = -F.binary_cross_entropy_with_logits(logits, repeat(x), reduction="none").sum(-1)
        return log_px, log_q - self.log_prior(z)


def bound(model, x):
    with torch.no_grad():
        parts = [model(rows) for rows in x.split(500)]
    return sum((log_px - kl).sum().item() for log_px, kl in parts) / len(x)


def log_likelihood(model, x, samples=SAMPLES, at_once=50):
    total = 0.0
    with torch.no_grad():
        for rows in x.split(20):
            weights = []
            for _ in range(samples // at_once):
                log_px, kl = model(rows, at_once)
                weights.append((log_px - kl).view(at_once, -1))
            total += (torch.logsumexp(torch.cat(weights), 0) - math.log(samples)).sum().item()
    return total / len(x)


def main(kind, folder, seed, epochs=60):
    torch.manual_seed(seed)
    all_rows = pictures(f"{folder}/train-images-idx3-ubyte")
    train, held, test = all_rows[:-HELD], all_rows[-HELD:], pictures(f"{folder}/t10k-images-idx3-ubyte")
    model = Model(kind)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    steps = epochs * math.ceil(len(train) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best, kept, step, started = -math.inf, None, 0, time.time()
    for epoch in range(1, epochs + 1):
        for rows in train[torch.randperm(len(train))].split(BATCH):
            step += 1
            log_px, kl = model(rows)
            loss = (min(1.0, step / (0.2 * steps)) * kl - log_px).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        found = bound(model, held)
        if step >= 0.2 * steps and found > best:
            best, kept = found, {name: t.clone() for name, t in model.state_dict().items()}
        if epoch % 10 == 0:
            print(f"epoch {epoch}: validation -ELBO {-found:.2f}", file=sys.stderr)
    seconds = time.time() - started
    model.load_state_dict(kept)
    result = {"negativeElbo": -bound(model, test), "logLikelihood": log_likelihood(model, test)}
    print(json.dumps({"peer": f"PyTorch {torch.__version__}", "model": kind, "seconds": seconds, **result}))


main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
