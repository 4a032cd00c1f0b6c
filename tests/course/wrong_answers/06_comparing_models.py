"""Plausible wrong answers of chapter 6: unpaired draws, a one-sided test, the mean instead of the least."""

WRONG = {
    "bootstrap": [
        "def paired_interval(a, b, seed=0):\n"
        "    rng = np.random.default_rng(seed)\n"
        "    one = rng.integers(len(a), size=(2000, len(a)))\n"
        "    two = rng.integers(len(a), size=(2000, len(a)))\n"
        "    d = np.sqrt(np.mean(a[one] ** 2, axis=1)) - np.sqrt(np.mean(b[two] ** 2, axis=1))\n"
        "    return np.percentile(d, [2.5, 97.5])\n",
        "def paired_interval(a, b, seed=0):\n"
        "    draws = np.random.default_rng(seed).integers(len(a), size=(2000, len(a)))\n"
        "    d = np.sqrt(np.mean(b[draws] ** 2, axis=1)) - np.sqrt(np.mean(a[draws] ** 2, axis=1))\n"
        "    return np.percentile(d, [2.5, 97.5])\n",
    ],
    "flips": [
        "def sign_flip_p(a, b, seed=0):\n"
        "    d = a**2 - b**2\n"
        "    signs = np.random.default_rng(seed).choice([-1, 1], size=(999, len(d)))\n"
        "    return (1 + (signs @ d >= d.sum()).sum()) / 1000\n",
        "def sign_flip_p(a, b, seed=0):\n"
        "    d = a**2 - b**2\n"
        "    signs = np.random.default_rng(seed).choice([-1, 1], size=(999, len(d)))\n"
        "    return (np.abs(signs @ d) >= np.abs(d.sum())).mean()\n",
    ],
    "luck": [
        "def best_of(n_models, seed=0):\n"
        "    return (1 + 0.1 * np.random.default_rng(seed).normal(size=(5000, n_models))).mean()\n",
        "def best_of(n_models, seed=0):\n"
        "    return (1 + 0.1 * np.random.default_rng(seed).normal(size=(5000, n_models))).min(axis=0).mean()\n",
    ],
}
