"""PyTorch, eager or compiled (see protocol.py): functions over a dictionary of parameters, in PyTorch's own layouts."""

import math

import numpy as np
import torch
from protocol import KERNEL, LEAST_LOG_VAR, LOG_2PI, LOG_VAR_SPEED, examples, load, permutations, read, serve
from torch.nn import functional as F

OPTIONS = {"mode": "eager", "layout": torch.contiguous_format}


def linear(p, name, x):
    return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def conv(p, name, x, **options):
    return F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], **options)


def group_norm(p, name, x):
    return F.group_norm(x, max(1, x.shape[1] // 8), p[f"{name}.scale"], p[f"{name}.shift"])


def residual_blocks(p, name, x, network):
    for i in range(network["blocks"]):
        at = f"{name}.blocks.{i}"
        inner = group_norm(p, f"{at}.norm", x) if network["norm"] else x
        h = conv(p, f"{at}.in", F.relu(inner), padding=1)
        x = x + conv(p, f"{at}.out", F.relu(h), padding=1)
    return x


def encode(p, workload, x, mask):
    network = workload["network"]
    if network["kind"] == "mlp":
        h = x.flatten(1) if mask is None else torch.cat([x, mask], 1)
        for i in range(len(network["hidden"])):
            h = F.relu(linear(p, f"encoder.{i}", h))
    else:
        h = x
        for i in range(len(network["channels"])):
            h = conv(p, f"encoder.{i}", h, stride=2, padding=1)
            h = F.relu(group_norm(p, f"encoder.{i}.norm", h) if network["norm"] else h)
            h = residual_blocks(p, f"encoder.{i}", h, network)
        h = F.relu(linear(p, "encoder.dense", h.flatten(1)))
    return linear(p, "posterior", h).chunk(2, 1)


def decode(p, workload, z):
    network = workload["network"]
    if network["kind"] == "mlp":
        for i in range(len(network["hidden"])):
            z = F.relu(linear(p, f"decoder.{i}", z))
        return linear(p, "decoder.output", z)
    h = F.relu(linear(p, "decoder.dense", z))
    h = F.relu(linear(p, "decoder.spread", h))
    top = network["channels"][-1]
    side = workload["shape"][0] >> len(network["channels"])
    h = h.view(-1, top, side, side).contiguous(memory_format=OPTIONS["layout"])
    for i in reversed(range(len(network["channels"]))):
        at = f"decoder.{i}"
        h = residual_blocks(p, at, h, network)
        h = F.conv_transpose2d(h, p[f"{at}.weight"], p[f"{at}.bias"], stride=2, padding=1)
        if i > 0:
            h = F.relu(group_norm(p, f"{at}.norm", h) if network["norm"] else h)
    return h


def learned_log_var(raw):
    return LEAST_LOG_VAR + F.softplus(LOG_VAR_SPEED * raw - LEAST_LOG_VAR)


def normal_log_prob(x, mean, log_var):
    return -0.5 * ((x - mean).square() * torch.exp(-log_var) + log_var + LOG_2PI)


def log_px(p, workload, y, x, mask):
    """y [S·B, …] of S samples, x [B, …] → log p(x|z) [S, B]"""
    samples, batch = workload["samples"], x.shape[0]
    kind = workload["parts"][0]["likelihood"]
    if workload["pixels"]:
        y = y.reshape(samples, *x.shape)
        if kind == "bernoulli":
            target = x.expand_as(y)
            return -F.binary_cross_entropy_with_logits(y, target, reduction="none").flatten(2).sum(2)
        log_var = learned_log_var(p["likelihood.shared.logVar"])
        return normal_log_prob(x, y, log_var).flatten(2).sum(2)
    total = 0.0
    for i, part in enumerate(workload["parts"]):
        columns = slice(part["start"], part["start"] + part["size"])
        if part["likelihood"] == "categorical":
            each = (x[:, columns] * F.log_softmax(y[:, columns], 1)).sum(1)
        else:
            log_var = learned_log_var(p[f"likelihood.field.{part['field']}.logVar"])
            each = normal_log_prob(x[:, columns], y[:, columns], log_var).sum(1)
        total = total + (each if mask is None else each * mask[:, i])
    return total.reshape(samples, batch)


def negative_bound(p, workload, x, mask, noise):
    """−ELBO with the KL in closed form; with several samples, −IWAE (Burda et al. 2016)."""
    mean, log_var = encode(p, workload, x, mask)
    z = mean + torch.exp(0.5 * log_var) * noise
    reconstruction = log_px(p, workload, decode(p, workload, z.flatten(0, 1)), x, mask)
    if workload["samples"] == 1:
        kl = 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum(1)
        return (kl - reconstruction[0]).mean()
    log_pz = normal_log_prob(z, 0.0, torch.zeros(())).sum(2)
    log_qz = normal_log_prob(z, mean, log_var).sum(2)
    weights = reconstruction + log_pz - log_qz
    return -(torch.logsumexp(weights, 0) - math.log(workload["samples"])).mean()


def to_torch(workload, name, values, shape):
    """A parameter of ours in PyTorch's layout."""
    array = torch.from_numpy(values.reshape(shape).copy())
    network = workload["network"]
    if network["kind"] == "conv":
        side = workload["shape"][0] >> len(network["channels"])
        if name == "encoder.dense.weight":  # rows h, w, c → c, h, w
            return array.reshape(side, side, -1, shape[1]).permute(3, 2, 0, 1).reshape(shape[1], -1).contiguous()
        if name == "decoder.spread.weight":
            return array.reshape(shape[0], side, side, -1).permute(3, 1, 2, 0).reshape(-1, shape[0]).contiguous()
        if name == "decoder.spread.bias":
            return array.reshape(side, side, -1).permute(2, 0, 1).reshape(-1).contiguous()
        halving = name.count(".") == 2
        if array.dim() == 2 and name.split(".")[1].isdigit():  # [k·k·in, out] or [k·k·out, in], both → [1, 0, h, w]
            k = KERNEL if halving else 3
            return array.reshape(k, k, -1, shape[1]).permute(3, 2, 0, 1).contiguous(memory_format=OPTIONS["layout"])
    return array.t().contiguous() if array.dim() == 2 else array


class Trainer:
    def __init__(self, workload, folder):
        self.workload, self.folder = workload, folder
        data, mask = load(workload, folder)
        pictures = workload["pixels"] and workload["network"]["kind"] == "conv"
        self.data = torch.from_numpy(data)
        if pictures:
            self.data = self.data.permute(0, 3, 1, 2).contiguous(memory_format=OPTIONS["layout"])
        self.mask = None if mask is None else torch.from_numpy(mask)
        self.batches = permutations(len(data), workload["batch"])
        self.loss = lambda p, x, mask, noise: negative_bound(p, workload, x, mask, noise)
        self.p = None
        if OPTIONS["mode"] == "compile":
            self.loss = torch.compile(self.loss)

    def start(self, folder, shapes):
        self.p = {
            name: to_torch(self.workload, name, read(folder, name), shape).requires_grad_()
            for name, shape in shapes.items()
        }
        fused = {"fused": True} if int(torch.__version__.split(".")[0]) >= 2 else {}
        self.optimizer = torch.optim.Adam(self.p.values(), lr=1e-3, **fused)

    def check(self, folder, shapes):
        self.start(folder, shapes)
        x, mask, noise = examples(self.workload, folder)
        x = torch.from_numpy(x)
        if self.workload["network"]["kind"] == "conv":
            x = x.permute(0, 3, 1, 2).contiguous(memory_format=OPTIONS["layout"])
        mask = None if mask is None else torch.from_numpy(mask)
        loss = self.loss(self.p, x, mask, torch.from_numpy(noise))
        loss.backward()
        norm = sum(v.grad.double().square().sum().item() for v in self.p.values()) ** 0.5
        return {"loss": loss.item(), "norm": norm}

    def step(self):
        workload = self.workload
        at = torch.from_numpy(next(self.batches))
        x, mask = self.data[at], None if self.mask is None else self.mask[at]
        if workload["pixels"]:
            x = x.float().div_(255)
            if workload["pixels"] == "binary":
                x = torch.bernoulli(x)
        noise = torch.randn(workload["samples"], workload["batch"], workload["latent"])
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.p, x, mask, noise)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def infer(self, what, count):
        workload, p = self.workload, {name: v.detach() for name, v in self.p.items()}
        shape = [workload["latent"]] if what == "decode" else [*self.data.shape[1:]]
        x = torch.rand(count, *shape)
        functions = {
            "encode": lambda x: encode(p, workload, x, None),
            "decode": lambda z: torch.sigmoid(decode(p, workload, z)),
        }
        f = torch.compile(functions[what]) if OPTIONS["mode"] == "compile" else functions[what]

        def run():
            with torch.inference_mode():
                f(x)

        return run


def open_(command):
    torch.set_num_threads(command["threads"])
    torch.manual_seed(0)
    OPTIONS["mode"] = command["mode"]
    if command.get("channelsLast"):
        OPTIONS["layout"] = torch.channels_last
    return {"torch": torch.__version__}


serve(open_, Trainer)
