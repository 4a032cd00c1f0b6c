"""Time of attributions beside captum on the same network and weights, and of batches beside loops: seconds and ratios.

The network is that of Bjerrum, Glahder and Skov on 600 channels. Gradients of 1,000 spectra, and integrated gradients
(64 steps) of 100: ours on the Keras backend of the day (JAX, unless KERAS_BACKEND says otherwise) over captum's on a
torch module with the weights copied. Then occlusion (20 bands) and Shapley values (10 bands, exact) of a few spectra,
batched, over a loop of single predictions. What is compiled is compiled before the clock starts. Each repetition
runs every method once, one after the other, so that a busy machine slows all of them alike; the median counts.

torch and captum are not among the project's dependencies: `pip install torch captum`. Without them the comparison is
left out, and said so. `python benchmarks/attribution.py 3` takes fewer repetitions than 7.
"""

import sys
import time
from itertools import product
from statistics import median

import numpy as np

from deep_chemometrics.attribution import attribute
from deep_chemometrics.bands import bands, fill_bands
from deep_chemometrics.cnn import bjerrum
from deep_chemometrics.layers import keras

try:
    import captum.attr
    import torch
except ImportError:
    captum = None

N_CHANNELS, BATCH = 600, 128


def as_torch(network: keras.Model):
    "The same network as a torch module: spectra (n, 600) -> (n, 1)."
    w1, b1, w2, b2, w3, b3, w4, b4 = (torch.tensor(np.asarray(w)) for w in network.get_weights()[:8])

    class Network(torch.nn.Module):
        def forward(self, x):
            h = x[:, None]
            for w, b in ((w1, b1), (w2, b2)):
                kernel = w.permute(2, 1, 0)
                left = (kernel.shape[2] - 1) // 2
                h = torch.nn.functional.pad(h, (left, kernel.shape[2] - 1 - left))
                h = torch.relu(torch.nn.functional.conv1d(h, kernel, b))
            h = torch.relu(h.permute(0, 2, 1).flatten(1) @ w3 + b3)  # position by position, as Keras flattens
            return h @ w4 + b4

    return Network()


def timed(methods: dict, repetitions: int) -> tuple[dict, dict]:
    "Median seconds of each method, and its result; everything runs once before the clock starts."
    results, seconds = {name: method() for name, method in methods.items()}, {name: [] for name in methods}
    for _ in range(repetitions):
        for name, method in methods.items():
            start = time.perf_counter()
            method()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(times) for name, times in seconds.items()}, results


def beside_captum(network: keras.Model, X: np.ndarray, repetitions: int) -> None:
    "Gradients and integrated gradients, ours and captum's."
    module, few, start = as_torch(network), X[:100], X.mean(axis=0)
    saliency, path = captum.attr.Saliency(module), captum.attr.IntegratedGradients(module)
    x, x_few = torch.tensor(X, dtype=torch.float32), torch.tensor(few, dtype=torch.float32)
    baseline = torch.tensor(start, dtype=torch.float32)[None]

    def captum_gradients():
        parts = [saliency.attribute(part.requires_grad_(), target=0, abs=False) for part in x.clone().split(BATCH)]
        return torch.cat(parts).detach().numpy()

    def captum_path():
        done = path.attribute(
            x_few, baseline, 0, n_steps=64, method="riemann_middle", internal_batch_size=max(BATCH, len(few))
        )
        return done.detach().numpy()

    quiet = dict(batch_size=BATCH, progress=False)
    tasks = {
        "gradient, 1,000 spectra": (lambda: attribute(network, X, "gradient", **quiet), captum_gradients),
        "integrated gradients, 100": (lambda: attribute(network, few, baseline=start, **quiet), captum_path),
    }
    print(f"\n{'':28} {'ours':>8} {'captum':>8} {'ratio':>6}   largest difference, in parts of the largest value")
    for task, (ours, theirs) in tasks.items():
        seconds, results = timed({"ours": ours, "captum": theirs}, repetitions)
        difference = np.abs(results["ours"] - results["captum"]).max() / np.abs(results["captum"]).max()
        ratio = seconds["ours"] / seconds["captum"]
        print(f"{task:28} {seconds['ours']:6.3f} s {seconds['captum']:6.3f} s {ratio:6.2f}   {difference:.0e}")


def beside_loops(network: keras.Model, X: np.ndarray, repetitions: int) -> None:
    "Occlusion and Shapley values in batches, and with one prediction at a time."
    start, twenty, ten = X.mean(axis=0), bands(N_CHANNELS, n=20), bands(N_CHANNELS, n=10)
    predict = keras.Model.predict_on_batch

    def loop(X, patterns, b):
        for x, gone in product(X, patterns):
            predict(network, fill_bands(x[None], b, gone, "mean", start).astype("float32"))

    sets = (np.arange(2**10)[:, None] >> np.arange(10)) & 1 == 1
    quiet = dict(baseline=start, batch_size=BATCH, progress=False)
    tasks = {
        "occlusion, 20 x 20 bands": (
            lambda: attribute(network, X[:20], "occlusion", bands=twenty, **quiet),
            lambda: loop(X[:20], np.eye(21, 20, dtype=bool), twenty),
        ),
        "Shapley values, 2 x 10 bands": (
            lambda: attribute(network, X[:2], "shapley", bands=ten, **quiet),
            lambda: loop(X[:2], sets, ten),
        ),
    }
    print(f"\n{'spectra x bands':28} {'batched':>8} {'looped':>8} {'ratio':>6}")
    for task, (batched, looped) in tasks.items():
        seconds, _ = timed({"batched": batched, "looped": looped}, repetitions)
        ratio = seconds["batched"] / seconds["looped"]
        print(f"{task:28} {seconds['batched']:6.3f} s {seconds['looped']:6.3f} s {ratio:6.2f}")


def main(repetitions: int) -> None:
    X = np.random.default_rng(0).normal(size=(1000, N_CHANNELS)).cumsum(axis=1) / 10  # smooth, like spectra
    network = bjerrum(N_CHANNELS, seed=0)
    print(f"Keras on {keras.backend.backend()}; median of {repetitions}")
    if captum is None:
        print("no captum: `pip install torch captum` to compare with it")
    else:
        beside_captum(network, X, repetitions)
    beside_loops(network, X, max(repetitions // 3, 1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
