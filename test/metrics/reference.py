"""The numbers of references.test.ts. Made with numpy 2.4, scipy 1.17, scikit-image 0.26."""

import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def picture(height, width, channels, a):
    y, x, k = np.meshgrid(*map(np.arange, (height, width, channels)), indexing="ij")
    return np.floor(127.5 * (1 + np.sin(a + 0.7 * x + 0.3 * y * (1 + k) + 0.05 * x * y))).astype(np.uint8)


def ssim(a, b):
    settings = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
    return np.mean([structural_similarity(a[..., k], b[..., k], **settings) for k in range(a.shape[2])])


def points(n, d, a, s):
    i, j = np.meshgrid(np.arange(n), np.arange(d), indexing="ij")
    return s * np.sin(a + 1.3 * i * (j + 1) + 0.11 * i * i + j) + 0.2 * a * j


def frechet(x, y):
    shift = x.mean(0) - y.mean(0)
    a, b = np.cov(x.T), np.cov(y.T)
    return shift @ shift + np.trace(a + b - 2 * sqrtm(a @ b).real)


def overlap(real, made):
    inside, around = np.sort(cdist(real, real), 1), np.sort(cdist(made, made), 1)
    d = cdist(real, made)
    near = d <= inside[:, [5]]
    return {
        "precision": (d <= inside[:, [3]]).any(0).mean(),
        "recall": (d <= around[:, 3][None]).any(1).mean(),
        "density": near.sum(0).mean() / 5,
        "coverage": near.any(1).mean(),
    }


def discrepancy(x, y, kernel):
    n = len(x)
    h = kernel(x, x) + kernel(y, y) - kernel(x, y) - kernel(x, y).T
    np.fill_diagonal(h, 0)
    return h.sum() / (n * (n - 1))


def aggregate(n=7, w=3):
    i, j = np.meshgrid(np.arange(n), np.arange(w), indexing="ij")
    mean, log_var = np.sin(1 + i * 1.7 + j), -1 + 0.5 * np.cos(i + 2 * j)
    z = mean + np.exp(log_var / 2) * np.sin(3 * i + j + 1)
    each = -0.5 * (np.log(2 * np.pi) + log_var + (z[:, None] - mean) ** 2 / np.exp(log_var))
    whole = each.sum(2)
    others = whole.copy()
    np.fill_diagonal(others, -np.inf)
    own = np.diag(whole)
    information = own - logsumexp(whole, 1) + np.log(n)
    marginal = (np.einsum("iij->ij", each) - logsumexp(each, 1) + np.log(n)).sum(1)
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(1)
    return {
        "mutual information": information.mean(),
        "at most": (own - logsumexp(others, 1) + np.log(n - 1)).mean(),
        "marginal KL": (kl - information).mean(),
        "total correlation": (marginal - information).mean(),
        "dimension-wise KL": (kl - marginal).mean(),
        "log q(z) of row 2": logsumexp(whole, 1)[2] - np.log(n),
    }


a, b = picture(17, 20, 3, 0.0), picture(17, 20, 3, 0.4)
print("PSNR", peak_signal_noise_ratio(a, b, data_range=255), "SSIM", ssim(a, b))
print("SSIM of the least size", ssim(picture(11, 11, 1, 0.2), picture(11, 11, 1, 1.0)))
x, y = points(60, 4, 0.0, 1.0), points(60, 4, 0.9, 1.2)
print("Fréchet", frechet(x, y), overlap(x, y))
print("MMD cubic", discrepancy(x, y, lambda a, b: (a @ b.T / 4 + 1) ** 3))
print("MMD multiquadric", discrepancy(x, y, lambda a, b: 8 / (8 + cdist(a, b) ** 2)))
print(aggregate())
