"""A whole job in PyTorch, as a script of one's own would do it: read the data, train with validation, save. Eager.

torch_job.py digits <folder of IDX files> <out>     784-400-20, 10 epochs, batches of 128
torch_job.py table <CSV file> <out>                 128-128-128, 100 epochs, batches of 500
"""

import csv
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HELD_BACK = 0.1


def digits(folder):
    """Pixels of the 60,000, as probabilities, and how to draw from them and score them."""
    raw = np.fromfile(f"{folder}/train-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 784)
    data = torch.from_numpy(raw.copy())
    draw = lambda rows: torch.bernoulli(rows.float() / 255)
    score = lambda y, x: F.binary_cross_entropy_with_logits(y, x, reduction="sum")
    return data, draw, score, []


def table(path):
    """Numbers standardised, words one-hot; a missing value is zeros and is not scored."""
    with open(path, newline="") as file:
        names, *rows = list(csv.reader(file))
    parts, columns, start, log_vars = [], [], 0, []
    for name, values in zip(names, zip(*rows)):
        try:
            numbers = np.array([float(v) for v in values])
            columns.append(((numbers - numbers.mean()) / numbers.std())[:, None])
            log_vars.append(nn.Parameter(torch.zeros(1)))
            parts.append((start, start + 1, log_vars[-1]))
        except ValueError:
            words = sorted(set(values) - {"?"})
            code = {word: i for i, word in enumerate(words)}
            one_hot = np.zeros((len(values), len(words)))
            for i, v in enumerate(values):
                if v != "?":
                    one_hot[i, code[v]] = 1
            columns.append(one_hot)
            parts.append((start, start + len(words), None))
        start = parts[-1][1]
    data = torch.from_numpy(np.concatenate(columns, 1).astype(np.float32))

    def score(y, x):
        total = 0.0
        for first, last, log_var in parts:
            if log_var is None:
                total = total - (x[:, first:last] * F.log_softmax(y[:, first:last], 1)).sum()
            else:
                squares = (x[:, first:last] - y[:, first:last]).square()
                total = total + 0.5 * (squares * torch.exp(-log_var) + log_var + 1.8378770664).sum()
        return total

    return data, lambda rows: rows, score, log_vars


def mlp(sizes):
    layers = [nn.Linear(sizes[0], sizes[1])]
    for a, b in zip(sizes[1:], sizes[2:]):
        layers += [nn.ReLU(), nn.Linear(a, b)]
    return nn.Sequential(*layers)


JOBS = {"digits": (digits, [400], 20, 10, 128), "table": (table, [128, 128], 128, 100, 500)}


def main(name, source, out):
    torch.manual_seed(0)
    read, hidden, latent, epochs, batch = JOBS[name]
    data, draw, score, learned = read(source)
    encoder = mlp([data.shape[1], *hidden, 2 * latent])
    decoder = mlp([latent, *reversed(hidden), data.shape[1]])
    parameters = [*encoder.parameters(), *decoder.parameters(), *learned]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)

    def negative_elbo(rows):
        x = draw(rows)
        mean, log_var = encoder(x).chunk(2, 1)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        kl = 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum()
        return (score(decoder(z), x) + kl) / len(x)

    held = int(HELD_BACK * len(data))
    order = torch.randperm(len(data))
    validation, train = data[order[:held]], data[order[held:]]
    for _ in range(epochs):
        for at in torch.randperm(len(train)).split(batch):
            loss = negative_elbo(train[at])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            value = sum(negative_elbo(some).item() * len(some) for some in validation.split(batch)) / held
    torch.save({"encoder": encoder.state_dict(), "decoder": decoder.state_dict(), "learned": learned}, out)
    print(f"validation -ELBO {value:.2f}")


main(*sys.argv[1:])
