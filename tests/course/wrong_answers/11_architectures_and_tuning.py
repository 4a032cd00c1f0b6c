"""Plausible wrong answers of chapter 11: linear draws, the wrong half kept, a network that grows, no fresh samples."""

WRONG = {
    "logs": [
        "def log_uniform(low, high, n, seed=0):\n    return np.random.default_rng(seed).uniform(low, high, size=n)\n",
        "def log_uniform(low, high, n, seed=0):\n    return np.geomspace(low, high, 10)[np.arange(n) % 10]\n",
    ],
    "halving": [
        "def halving(curves, rungs):\n"
        "    alive = np.arange(len(curves))\n"
        "    trained = 0\n"
        "    for rung in rungs:\n"
        "        trained += len(alive) * rung\n"
        "        order = np.argsort(curves[alive, rung - 1])\n"
        "        alive = alive[order[: -(-len(alive) // 2)]]\n"
        "    trained += len(alive) * curves.shape[1]\n"
        "    return alive[np.argmin(curves[alive, -1])], trained\n",
        "def halving(curves, rungs):\n"
        "    alive = np.arange(len(curves))\n"
        "    trained = 0\n"
        "    before = 0\n"
        "    for rung in rungs:\n"
        "        trained += len(alive) * (rung - before)\n"
        "        before = rung\n"
        "        order = np.argsort(curves[alive, -1])\n"
        "        alive = alive[order[: -(-len(alive) // 2)]]\n"
        "    trained += len(alive) * (curves.shape[1] - before)\n"
        "    return alive[np.argmin(curves[alive, -1])], trained\n",
    ],
    "builder": [
        "def tiny(n_channels, n_targets=1, *, seed=None):\n"
        "    keras.utils.set_random_seed(0 if seed is None else seed)\n"
        "    return keras.Sequential([keras.Input((n_channels,)), keras.layers.Reshape((n_channels, 1)),\n"
        "        keras.layers.Conv1D(4, 9, activation='relu'), keras.layers.Flatten(),\n"
        "        keras.layers.Dense(8, activation='relu'), keras.layers.Dense(n_targets)])\n",
        "def tiny(n_channels, n_targets=1, *, seed=None):\n"
        "    keras.utils.set_random_seed(0)\n"
        "    return keras.Sequential([keras.Input((n_channels,)), keras.layers.Reshape((n_channels, 1)),\n"
        "        keras.layers.Conv1D(4, 9, strides=max(1, n_channels // 40), activation='relu'),\n"
        "        keras.layers.Flatten(), keras.layers.Dense(8, activation='relu'), keras.layers.Dense(n_targets)])\n",
    ],
    "bias": [
        "def bias_of_choice(squared, n, draws=500, seed=0):\n"
        "    rng = np.random.default_rng(seed)\n"
        "    reported = []\n"
        "    fresh = []\n"
        "    for _ in range(draws):\n"
        "        order = rng.permutation(squared.shape[1])\n"
        "        scores = np.sqrt(squared[:, order[:n]].mean(axis=1))\n"
        "        reported.append(scores.min())\n"
        "        fresh.append(np.sqrt(squared[:, order[n:]].mean(axis=1)).min())\n"
        "    return np.mean(reported), np.mean(fresh)\n",
    ],
}
