"""Training the network of Bjerrum et al. (2017): seconds an epoch, price of augmentation, time to accuracy, memory.

1. An epoch of `CNNRegressor.fit`, at batches of 16 and 128, beside the same network (noise, dropout, Adam, cosine,
   shuffling, validation after every epoch, best weights kept) in a loop of plain JAX written by hand, and beside
   `keras.Model.fit` on spectra scaled beforehand.
2. The same with augmentation on the fly, without and with scatter correction.
3. Time to accuracy, for `CNNRegressor(augmentation=True)` and for the published recipe (Bjerrum, Glahder, Skov 2017,
   arXiv:1710.01927): 100 copies made beforehand, Adadelta with learning rate 0.01, halved after five epochs that did
   not help, batches of 16, 50 epochs. (The paper uses its test set for that, here it is a fifth of the training
   tablets.) Each in a process of its own, with its peak memory, compilation and the making of copies included: seconds
   until the validation RMSE first comes to 1.05 times that of its own last epoch, and for the recipe also to that
   target of CNNRegressor. The recipe in full takes a quarter to half an hour; cut short (--recipe) its last error is
   higher and reached earlier, so that the factor is a lower bound. Both choose a fifth of the tablets for validation
   at random, not the same fifth.

In 1 and 2 the contenders run in turn, *an epoch each*, so that a busy machine slows all of them alike; the first two
epochs, with the compilation, are not counted. The ratio is the median over the rounds of the ratio within a round, its
range the middle half. The time of an epoch runs from the end of one to the end of the next: callbacks and validation
are in it. Beside the time on the wall stands the work, the time of all processors on it, which other programs disturb
less. Compilation is the work of building the model and of the first epoch beyond that of the median one. For ratios
that repeat best run it on one thread, with NPROC=1, OMP_NUM_THREADS=1 and XLA_FLAGS=--xla_cpu_multi_thread_eigen=false.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

os.environ["KERAS_BACKEND"] = "jax"  # plain JAX is the yardstick

import jax
import jax.numpy as jnp
import numpy as np

from deep_chemometrics.augmentation import augment_scatter
from deep_chemometrics.data import load_tablets
from deep_chemometrics.networks import CNNRegressor, bjerrum
from deep_chemometrics.networks.backend import keras

RATE, WIDTH, NOISE, DROPOUT, SKIP = 1e-3, 32, 0.05, 0.5, 2


def tablets(n: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    "Spectra and assays of the tablets to train on (instrument 1, split test), or `n` copies of them on 600 channels."
    train = load_tablets().where(instrument=1, role="train")
    y = train.y["assay"].to_numpy()
    if n is None:
        return train.X, y
    X, y = copied(train.resample(np.linspace(600, 1792, 600)).X, y, -(-n // len(y)))
    order = np.random.default_rng(0).permutation(len(y))[:n]
    return X[order], y[order]


def copied(X: np.ndarray, y: np.ndarray, copies: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    "Augmented copies of spectra, those of one spectrum side by side, and their targets."
    return augment_scatter(X, copies=copies, random_state=seed), np.repeat(y, copies, axis=0)


def split(X: np.ndarray, y: np.ndarray, seed: int = 0, fraction: float = 0.2) -> tuple[np.ndarray, ...]:
    "Training and validation part, scaled, float32, as the estimator does it."
    order = np.random.default_rng(seed).permutation(len(y))
    part, held_out = np.split(order, [len(y) - round(fraction * len(y))])
    X = ((X - X[part].mean()) / X[part].std()).astype("float32")
    y = ((y - y[part].mean()) / y[part].std()).astype("float32")[:, None]
    return X[part], y[part], X[held_out], y[held_out]


class Laps(keras.callbacks.Callback):
    "Calls `lap` at the end of every epoch, when all its numbers are computed."

    def __init__(self, lap):
        super().__init__()
        self.lap = lap

    def on_epoch_end(self, epoch, logs=None):
        jax.block_until_ready([v.value for v in self.model.variables])
        self.lap()


clock, stock_fit = threading.local(), keras.Model.fit


def clocked_fit(model, *args, callbacks=(), **options):
    "`keras.Model.fit` with the clock of this thread as the last callback."
    return stock_fit(model, *args, callbacks=[*callbacks, Laps(clock.lap)], **options)


def now() -> np.ndarray:
    "Seconds of the clock on the wall and of this process's work."
    return np.array([time.perf_counter(), time.process_time()])


def in_turn(contenders: dict) -> dict[str, np.ndarray]:
    """Seconds of each epoch of each contender, on the wall and of work: an array (epochs, 2) each.

    They run in turn, an epoch each, in threads that wait for one another.
    """
    gates = {name: threading.Semaphore(0) for name in contenders}
    seconds = {name: [] for name in contenders}
    running = list(contenders)

    def hand_on(name):
        gates[running[(running.index(name) + 1) % len(running)]].release()

    def run(name):
        gates[name].acquire()
        start = now()

        def lap():
            nonlocal start
            seconds[name].append(now() - start)
            hand_on(name)
            gates[name].acquire()
            start = now()

        clock.lap = lap
        try:
            contenders[name](lap)
        finally:
            hand_on(name)
            running.remove(name)

    with ThreadPoolExecutor(len(contenders)) as pool:
        tasks = [pool.submit(run, name) for name in contenders]
        gates[running[0]].release()
    for task in tasks:
        task.result()
    return {name: np.array(times) for name, times in seconds.items()}


def convolve(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC"))


def network(weights, x, key=None):
    "The network of Bjerrum et al. (2017) on a batch (n, channels); with a `key` as in training."
    a, b, c, d, e, f, g, h = weights
    if key is not None:
        noise, drop = jax.random.split(key)
        x = x + NOISE * jax.random.normal(noise, x.shape)
    x = jax.nn.relu(convolve(x[..., None], a) + b)
    x = jax.nn.relu(convolve(x, c) + d)
    x = x.reshape(len(x), -1)
    if key is not None:
        x = jnp.where(jax.random.bernoulli(drop, 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0)
    return jax.nn.relu(x @ e + f) @ g + h


def rate_at(step, steps: int):
    "Rises for a twentieth of the steps, then sinks along a cosine."
    rise = max(1, steps // 20)
    return RATE * jnp.where(step < rise, step / rise, 0.5 * (1 + jnp.cos(jnp.pi * (step - rise) / steps)))


def plain_jax(data, epochs: int, size: int, lap) -> None:
    "The loop without Keras."
    X, y, X_held_out, y_held_out = map(jnp.asarray, data)
    per_epoch = -(-len(X) // size)
    steps = epochs * per_epoch
    shapes = [(WIDTH, 1, 8), (8,), (WIDTH, 8, 16), (16,), (16 * X.shape[1], 128), (128,), (128, 1), (1,)]
    start = keras.initializers.GlorotUniform(0)
    weights = [jnp.asarray(start(s)) if len(s) > 1 else jnp.zeros(s) for s in shapes]
    state = weights, [jnp.zeros(s) for s in shapes], [jnp.zeros(s) for s in shapes], jnp.zeros((), int), jnp.zeros(())

    def loss(weights, x, y, key=None):
        return jnp.mean((network(weights, x, key) - y) ** 2)

    def step(state, X, y, rows):
        weights, first, second, i, total = state
        error, slopes = jax.value_and_grad(loss)(weights, X[rows], y[rows], jax.random.fold_in(jax.random.key(0), i))
        first = [0.9 * m + 0.1 * g for m, g in zip(first, slopes)]
        second = [0.999 * v + 0.001 * g**2 for v, g in zip(second, slopes)]
        rate = rate_at(i, steps) * jnp.sqrt(1 - 0.999 ** (i + 1)) / (1 - 0.9 ** (i + 1))
        weights = [w - rate * m / (jnp.sqrt(v) + 1e-7) for w, m, v in zip(weights, first, second)]
        return weights, first, second, i + 1, total + error

    step, evaluate = jax.jit(step, donate_argnums=0), jax.jit(loss)
    rng, least, best = np.random.default_rng(0), np.inf, None
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for i in range(per_epoch):
            state = step(state, X, y, np.take(order, np.arange(i * size, (i + 1) * size), mode="wrap"))
        if (error := float(evaluate(state[0], X_held_out, y_held_out))) < least:
            least, best = error, [np.array(w) for w in state[0]]
        jax.block_until_ready(state)
        lap()
    assert best is not None and least < 1, "the loop has to learn, or its time says nothing"


def plain_keras(data, epochs: int, size: int) -> None:
    "`keras.Model.fit` on spectra scaled beforehand."
    X, y, *held_out = data
    steps = epochs * -(-len(X) // size)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=RATE, warmup_steps=max(1, steps // 20))
    model = bjerrum(X.shape[1], seed=0)
    model.compile(keras.optimizers.Adam(rate), "mse")
    clocked_fit(model, X, y, validation_data=held_out, epochs=epochs, batch_size=size, verbose=0)


def ours(X, y, epochs: int, size: int = 16, seed: int = 0, **options) -> CNNRegressor:
    return CNNRegressor("bjerrum", epochs=epochs, batch_size=size, random_state=seed, verbose=0, **options).fit(X, y)


def shown(seconds: dict, yardsticks: dict[str, dict[str, str]]) -> None:
    "Print a line a contender, and its ratios to others with their goals."
    print(f"  {'':28} {'wall':>7} {'work':>9} {'compiling':>11}   ratio on the wall (middle half), of work, x")
    for name, times in seconds.items():
        wall, work = np.median(times[SKIP:], axis=0)
        line = f"  {name:28} {wall:7.3f} s {work:7.3f} s {times[0, 1] - work:9.1f} s"
        for other, goal in yardsticks.get(name, {}).items():
            ratios = (times / seconds[other])[SKIP:]
            low, middle, high = np.percentile(ratios[:, 0], [25, 50, 75])
            print(f"{line}   {middle:.2f} ({low:.2f} to {high:.2f}), {np.median(ratios[:, 1]):.2f} x {other}{goal}")
            line = " " * len(line)
        if name not in yardsticks:
            print(line, flush=True)


def epochs_compared(X: np.ndarray, y: np.ndarray, size: int, epochs: int) -> None:
    "Print the times of an epoch at batches of `size` spectra."
    data = split(X, y)
    print(f"\n{len(data[0])} + {len(data[2])} spectra of {X.shape[1]} channels, batches of {size}: an epoch")
    both = dict(augmentation=True, scatter_correction="emsc")
    contenders = {
        "plain JAX": lambda lap: plain_jax(data, epochs, size, lap),
        "keras.Model.fit": lambda lap: plain_keras(data, epochs, size),
        "CNNRegressor": lambda lap: ours(X, y, epochs, size),
        "with augmentation": lambda lap: ours(X, y, epochs, size, augmentation=True),
        "with augmentation and EMSC": lambda lap: ours(X, y, epochs, size, **both),
    }
    yardsticks = {
        "keras.Model.fit": {"plain JAX": ""},
        "CNNRegressor": {"plain JAX": " (goal 1.1)", "keras.Model.fit": ""},
        "with augmentation": {"CNNRegressor": " (goal 1.05)"},
        "with augmentation and EMSC": {"CNNRegressor": " (goal 1.05)"},
    }
    shown(in_turn(contenders), yardsticks)


def recipe(X, y, epochs: int, seed: int) -> list[float]:
    "The published recipe; the validation loss of each epoch."
    X, y, *held_out = split(X, y, seed)
    model = bjerrum(X.shape[1], seed=seed)
    model.compile(keras.optimizers.Adadelta(0.01), "mse")
    halve = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=5, min_lr=1e-6)
    options = dict(epochs=epochs, batch_size=16, callbacks=[halve], verbose=0)
    errors = clocked_fit(model, *copied(X, y, 100, seed), validation_data=held_out, **options).history["val_loss"]
    assert min(errors) < 0.8 * np.mean(held_out[1] ** 2), "it has to learn, or its time says nothing"
    return errors


def alone(which: str, epochs: int, seed: int) -> None:
    "Run by `accuracy_compared` in a process of its own: one training, its seconds, errors and memory as JSON."
    X, y = tablets()
    laps, start = [], now()
    clock.lap = lambda: laps.append((now() - start).tolist())
    if which == "recipe":
        errors = np.sqrt(recipe(X, y, epochs, seed)) * y.std()
    else:
        errors = ours(X, y, epochs, seed=seed, augmentation=True).history_["val_rmse"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (30 if sys.platform == "darwin" else 20)
    print(json.dumps({"laps": laps, "errors": list(errors), "memory": memory}))


def reached(errors: np.ndarray, laps: np.ndarray, target: float) -> tuple[np.ndarray, str]:
    "Seconds (wall, work) until the error first came to the target, or of the whole training, and the same in words."
    there = np.flatnonzero(errors <= target)
    wall, work = seconds = laps[there[0] if len(there) else -1]
    words = f"to {target:.2f} mg in {wall:.1f} s, {work:.1f} s of work"
    return seconds, f"{words}, epoch {there[0] + 1}" if len(there) else f"not {words}"


def accuracy_compared(epochs: int, recipe_epochs: int, seed: int) -> None:
    "Print seconds to accuracy and memory of `CNNRegressor` and of the recipe."
    y = tablets()[1]
    mean = f"always predicting the mean: {y.std():.1f} mg"
    print(f"\nTime to accuracy on {len(y)} tablets, seed {seed}, validation RMSE; {mean}")
    seconds = []
    for which, n, full in (("CNNRegressor", epochs, 100), ("recipe", recipe_epochs, 50)):
        command = [sys.executable, __file__, "--alone", which, "--epochs", str(n), "--seed", str(seed)]
        found = json.loads(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        )
        errors, laps = np.array(found["errors"]), np.array(found["laps"])
        wall, work = laps[-1]
        print(f"  {which}: {n} of {full} epochs, {wall:.1f} s, {work:.1f} s of work; peak {found['memory']:.2f} GiB;")
        print(f"    least {errors.min():.2f} mg, last {errors[-1]:.2f}; 1.05 x last: ", end="")
        spent, words = reached(errors, laps, 1.05 * errors[-1])
        print(words, flush=True)
        seconds.append(spent)
        if which == "CNNRegressor":
            target = 1.05 * errors[-1]
    common, words = reached(errors, laps, target)
    print(f"    to the target of CNNRegressor: {words}")
    least = "" if recipe_epochs >= 50 else "at least (cut short) "
    for goal, spent in (("its own target", seconds[1]), ("that of CNNRegressor", common)):
        wall, work = spent / seconds[0]
        print(f"  to {goal} the recipe takes {least}{wall:.1f} x as long, {work:.1f} x the work (goal: 10)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="epochs of each contender on the tablets (0: leave out)")
    parser.add_argument(
        "--large", type=int, default=4_600, help="spectra of the large set, the published one had 46000"
    )
    parser.add_argument("--large-rounds", type=int, default=8, help="epochs of each contender on it (0: leave out)")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 128], help="sizes of the batches")
    parser.add_argument("--epochs", type=int, default=100, help="of CNNRegressor, for time to accuracy (0: leave out)")
    parser.add_argument("--recipe", type=int, default=50, help="epochs of the recipe; 50 take half an hour")
    parser.add_argument("--seed", type=int, default=0, help="of validation part, weights and copies, for the same")
    parser.add_argument("--alone", choices=["CNNRegressor", "recipe"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    keras.Model.fit = clocked_fit
    if options.alone:
        alone(options.alone, options.epochs, options.seed)
        return
    print(f"keras {keras.__version__}, jax {jax.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for n, rounds in ((None, options.rounds), (options.large, options.large_rounds)):
        for size in options.batches if rounds else ():
            epochs_compared(*tablets(n), size, rounds + SKIP)
    if options.epochs:
        accuracy_compared(options.epochs, options.recipe, options.seed)


if __name__ == "__main__":
    main()
