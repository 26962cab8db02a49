"""JAX, the whole step (batch, noise, gradients, Adam) compiled as one (see protocol.py)."""

import math

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from protocol import KERNEL, LEAST_LOG_VAR, LOG_2PI, LOG_VAR_SPEED, examples, load, permutations, read, serve

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def linear(p, name, x):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def conv(p, name, x, kernel, stride=1):
    weight = p[f"{name}.weight"]
    weight = weight.reshape(kernel, kernel, x.shape[-1], -1)
    padding = [(1, 1), (1, 1)]
    return lax.conv_general_dilated(x, weight, (stride, stride), padding, dimension_numbers=DIMENSIONS) + p[f"{name}.bias"]


def conv_transpose(p, name, x):
    weight = p[f"{name}.weight"].reshape(KERNEL, KERNEL, -1, x.shape[-1])
    return lax.conv_transpose(x, weight, (2, 2), "SAME", dimension_numbers=DIMENSIONS, transpose_kernel=True) + p[f"{name}.bias"]


def group_norm(p, name, x):
    groups = max(1, x.shape[-1] // 8)
    g = x.reshape(*x.shape[:-1], groups, -1)
    mean = g.mean((1, 2, 4), keepdims=True)
    variance = jnp.square(g - mean).mean((1, 2, 4), keepdims=True)
    return ((g - mean) * lax.rsqrt(variance + 1e-5)).reshape(x.shape) * p[f"{name}.scale"] + p[f"{name}.shift"]


def residual_blocks(p, name, x, network):
    for i in range(network["blocks"]):
        at = f"{name}.blocks.{i}"
        inner = group_norm(p, f"{at}.norm", x) if network["norm"] else x
        h = conv(p, f"{at}.in", jax.nn.relu(inner), 3)
        x = x + conv(p, f"{at}.out", jax.nn.relu(h), 3)
    return x


def encode(p, workload, x, mask):
    network = workload["network"]
    if network["kind"] == "mlp":
        h = x.reshape(x.shape[0], -1)
        h = h if mask is None else jnp.concatenate([h, mask], 1)
        for i in range(len(network["hidden"])):
            h = jax.nn.relu(linear(p, f"encoder.{i}", h))
    else:
        h = x
        for i in range(len(network["channels"])):
            h = conv(p, f"encoder.{i}", h, KERNEL, 2)
            h = jax.nn.relu(group_norm(p, f"encoder.{i}.norm", h) if network["norm"] else h)
            h = residual_blocks(p, f"encoder.{i}", h, network)
        h = jax.nn.relu(linear(p, "encoder.dense", h.reshape(h.shape[0], -1)))
    return jnp.split(linear(p, "posterior", h), 2, 1)


def decode(p, workload, z):
    network = workload["network"]
    if network["kind"] == "mlp":
        for i in range(len(network["hidden"])):
            z = jax.nn.relu(linear(p, f"decoder.{i}", z))
        return linear(p, "decoder.output", z)
    h = jax.nn.relu(linear(p, "decoder.dense", z))
    h = jax.nn.relu(linear(p, "decoder.spread", h))
    side = workload["shape"][0] >> len(network["channels"])
    h = h.reshape(-1, side, side, network["channels"][-1])
    for i in reversed(range(len(network["channels"]))):
        at = f"decoder.{i}"
        h = conv_transpose(p, at, residual_blocks(p, at, h, network))
        if i > 0:
            h = jax.nn.relu(group_norm(p, f"{at}.norm", h) if network["norm"] else h)
    return h


def learned_log_var(raw):
    return LEAST_LOG_VAR + jax.nn.softplus(LOG_VAR_SPEED * raw - LEAST_LOG_VAR)


def normal_log_prob(x, mean, log_var):
    return -0.5 * (jnp.square(x - mean) * jnp.exp(-log_var) + log_var + LOG_2PI)


def log_px(p, workload, y, x, mask):
    """y [S·B, …] of S samples, x [B, …] → log p(x|z) [S, B]"""
    samples = workload["samples"]
    if workload["pixels"]:
        y = y.reshape(samples, x.shape[0], -1)
        x = x.reshape(x.shape[0], -1)
        if workload["parts"][0]["likelihood"] == "bernoulli":
            return (x * y - jax.nn.softplus(y)).sum(2)
        return normal_log_prob(x, y, learned_log_var(p["likelihood.shared.logVar"])).sum(2)
    total = 0.0
    for i, part in enumerate(workload["parts"]):
        columns = slice(part["start"], part["start"] + part["size"])
        if part["likelihood"] == "categorical":
            each = (x[:, columns] * jax.nn.log_softmax(y[:, columns])).sum(1)
        else:
            log_var = learned_log_var(p[f"likelihood.field.{part['field']}.logVar"])
            each = normal_log_prob(x[:, columns], y[:, columns], log_var).sum(1)
        total = total + (each if mask is None else each * mask[:, i])
    return total.reshape(samples, x.shape[0])


def negative_bound(p, workload, x, mask, noise):
    mean, log_var = encode(p, workload, x, mask)
    z = mean + jnp.exp(0.5 * log_var) * noise
    reconstruction = log_px(p, workload, decode(p, workload, z.reshape(-1, workload["latent"])), x, mask)
    if workload["samples"] == 1:
        kl = 0.5 * (jnp.square(mean) + jnp.exp(log_var) - log_var - 1).sum(1)
        return (kl - reconstruction[0]).mean()
    log_pz = normal_log_prob(z, 0.0, 0.0).sum(2)
    log_qz = normal_log_prob(z, mean, log_var).sum(2)
    weights = reconstruction + log_pz - log_qz
    return -(jax.nn.logsumexp(weights, 0) - math.log(workload["samples"])).mean()


def adam(p, g, m, v, t):
    """Kingma & Ba 2015, algorithm 1."""
    m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
    v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
    move = lambda p, m, v: p - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return jax.tree.map(move, p, m, v), m, v


class Trainer:
    def __init__(self, workload, folder):
        self.workload = workload
        data, mask = load(workload, folder)
        self.data = jnp.asarray(data)
        self.mask = None if mask is None else jnp.asarray(mask)
        self.batches = permutations(len(data), workload["batch"])
        self.loss = jax.jit(jax.value_and_grad(lambda p, x, mask, noise: negative_bound(p, workload, x, mask, noise)))

        def step(state, key, at, data, mask):
            p, m, v, t = state
            binary, draw = jax.random.split(jax.random.fold_in(key, t))
            x = data[at]
            if workload["pixels"]:
                x = x.astype(jnp.float32) / 255
                if workload["pixels"] == "binary":
                    x = jax.random.bernoulli(binary, x).astype(jnp.float32)
            noise = jax.random.normal(draw, (workload["samples"], workload["batch"], workload["latent"]))
            rows = None if mask is None else mask[at]
            loss, g = jax.value_and_grad(negative_bound)(p, workload, x, rows, noise)
            p, m, v = adam(p, g, m, v, t + 1.0)
            return (p, m, v, t + 1), loss

        self.train = jax.jit(step, donate_argnums=0)

    def check(self, folder, shapes):
        p = {name: jnp.asarray(read(folder, name).reshape(shape)) for name, shape in shapes.items()}
        x, mask, noise = examples(self.workload, folder)
        loss, g = self.loss(p, x, mask, noise)
        zeros = jax.tree.map(jnp.zeros_like, p)
        self.state = (p, zeros, jax.tree.map(jnp.zeros_like, p), jnp.zeros((), jnp.int32))
        self.key = jax.random.key(0)
        norm = sum(float(np.square(np.asarray(v, dtype=np.float64)).sum()) for v in g.values()) ** 0.5
        return {"loss": float(loss), "norm": norm}

    def step(self):
        self.state, loss = self.train(self.state, self.key, next(self.batches), self.data, self.mask)
        return float(loss)

    def infer(self, what, count):
        workload, p = self.workload, self.state[0]
        shape = [workload["latent"]] if what == "decode" else workload["shape"]
        x = np.random.default_rng(0).random((count, *shape), dtype=np.float32)
        functions = {
            "encode": lambda p, x: encode(p, workload, x, None),
            "decode": lambda p, z: jax.nn.sigmoid(decode(p, workload, z)),
        }
        f = jax.jit(functions[what])
        return lambda: jax.block_until_ready(f(p, x))


def open_(command):
    jax.config.update("jax_default_prng_impl", "rbg")  # the faster generator on processors
    return {"jax": jax.__version__}


serve(open_, Trainer)
