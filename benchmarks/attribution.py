"""Time of attributions beside captum on the same network and weights, and of batches beside loops: seconds and ratios.

The network is that of Bjerrum, Glahder and Skov on 600 channels. Gradients of 1,000 spectra, and integrated gradients
(64 steps) of 100: ours on the Keras backend of the day (JAX, unless KERAS_BACKEND says otherwise) over captum's on a
torch module with the weights copied. Then occlusion (20 bands) and Shapley values (10 bands, exact) of a few spectra,
batched, over a loop of single predictions. What is compiled is compiled before the clock starts. Each repetition
runs every method once, one after the other, so that a busy machine slows all of them alike; the median counts. Beside
the time on the wall stands the work, the time of all processors on it, which other programs disturb less. For ratios
that repeat best run it on one thread, with NPROC=1, OMP_NUM_THREADS=1 and XLA_FLAGS=--xla_cpu_multi_thread_eigen=false.

torch and captum are not among the project's dependencies: `pip install torch captum`. Without them the comparison is
left out, and said so. `python benchmarks/attribution.py 3` takes fewer repetitions than 7.
"""

import sys
import time
from itertools import product

import numpy as np

from deep_chemometrics.explanation import attribute, bands
from deep_chemometrics.explanation.segments import fill_bands
from deep_chemometrics.networks import bjerrum
from deep_chemometrics.networks.backend import keras

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


def now() -> np.ndarray:
    "Seconds of the clock on the wall and of this process's work."
    return np.array([time.perf_counter(), time.process_time()])


def timed(methods: dict, repetitions: int) -> tuple[dict, dict]:
    "Median seconds (wall, work) of each method, and its result; everything runs once before the clock starts."
    results, seconds = {name: method() for name, method in methods.items()}, {name: [] for name in methods}
    for _ in range(repetitions):
        for name, method in methods.items():
            start = now()
            method()
            seconds[name].append(now() - start)
    return {name: np.median(times, axis=0) for name, times in seconds.items()}, results


def compare(task: str, methods: dict, repetitions: int) -> dict:
    "Print a line: seconds of two methods and their ratio, on the wall and of work. Returns the results."
    seconds, results = timed(methods, repetitions)
    first, second = seconds.values()
    numbers = "".join(f" {a:8.3f} {b:8.3f} {a / b:6.2f} " for a, b in zip(first, second))
    print(f"{task:28}{numbers}", end="", flush=True)
    return results


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

    options = dict(batch_size=BATCH, progress=False)
    tasks = {
        "gradient, 1,000 spectra": (lambda: attribute(network, X, "gradient", **options), captum_gradients),
        "integrated gradients, 100": (lambda: attribute(network, few, baseline=start, **options), captum_path),
    }
    head = f" {'ours':>8} {'captum':>8} {'ratio':>6} "
    print(f"\n{'seconds on the wall; of work':28}{head}{head} largest difference, in parts of the largest value")
    for task, (ours, theirs) in tasks.items():
        results = compare(task, {"ours": ours, "captum": theirs}, repetitions)
        print(f"  {np.abs(results['ours'] - results['captum']).max() / np.abs(results['captum']).max():.0e}")


def beside_loops(network: keras.Model, X: np.ndarray, repetitions: int) -> None:
    "Occlusion and Shapley values in batches, and with one prediction at a time."
    start, twenty, ten = X.mean(axis=0), bands(N_CHANNELS, n=20), bands(N_CHANNELS, n=10)
    predict = keras.Model.predict_on_batch

    def loop(X, patterns, b):
        for x, removed in product(X, patterns):
            predict(network, fill_bands(x[None], b, removed, "mean", start).astype("float32"))

    sets = (np.arange(2**10)[:, None] >> np.arange(10)) & 1 == 1
    options = dict(baseline=start, batch_size=BATCH, progress=False)
    tasks = {
        "occlusion, 20 x 20 bands": (
            lambda: attribute(network, X[:20], "occlusion", bands=twenty, **options),
            lambda: loop(X[:20], np.eye(21, 20, dtype=bool), twenty),
        ),
        "Shapley values, 2 x 10 bands": (
            lambda: attribute(network, X[:2], "shapley", bands=ten, **options),
            lambda: loop(X[:2], sets, ten),
        ),
    }
    head = f" {'batched':>8} {'looped':>8} {'ratio':>6} "
    print(f"\n{'spectra x bands':28}{head}{head}")
    for task, (batched, looped) in tasks.items():
        compare(task, {"batched": batched, "looped": looped}, repetitions)
        print()


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
