"""Plausible wrong answers of chapter 7: a forgotten inner derivative, a velocity that is not kept, a linear network."""

WRONG = {
    "gradient": [
        "def loss(w, v, X, y):\n    return np.mean((v * np.tanh(X @ w) - y) ** 2)\n"
        "def gradient(w, v, X, y):\n"
        "    h = np.tanh(X @ w)\n"
        "    error = v * h - y\n"
        "    return 2 * X.T @ (error * v) / len(y), 2 * np.mean(error * h)\n",
        "def loss(w, v, X, y):\n    return np.mean((v * np.tanh(X @ w) - y) ** 2)\n"
        "def gradient(w, v, X, y):\n"
        "    h = np.tanh(X @ w)\n"
        "    error = v * h - y\n"
        "    return X.T @ (error * v * (1 - h**2)) / len(y), np.mean(error * h)\n",
    ],
    "momentum": [
        "def descend(slope, start, rate, steps, momentum=0.9):\n"
        "    position = np.array(start, dtype=float)\n"
        "    for _ in range(steps):\n"
        "        position = position - rate * slope(position)\n"
        "    return position\n",
        "def descend(slope, start, rate, steps, momentum=0.9):\n"
        "    position = np.array(start, dtype=float)\n"
        "    for _ in range(steps):\n"
        "        velocity = -rate * slope(position)\n"
        "        position = position + momentum * velocity\n"
        "    return position\n",
    ],
    "keras": [
        "def trained_network(X, y, seed=0):\n"
        "    keras.utils.set_random_seed(seed)\n"
        "    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(32), keras.layers.Dense(1)])\n"
        "    network.compile(keras.optimizers.Adam(0.01), loss='mse')\n"
        "    network.fit(X, y, batch_size=16, epochs=30, verbose=0)\n"
        "    return network\n",
    ],
}
