"""Plausible wrong answers of chapter 9: no warm-up, a look ahead, spectra shuffled instead of samples."""

WRONG = {
    "schedule": [
        "def rate_at(step, rate, steps, warm_up):\n    return rate * 0.5 * (1 + np.cos(np.pi * step / steps))\n",
        "def rate_at(step, rate, steps, warm_up):\n"
        "    if step < warm_up:\n"
        "        return rate * step / warm_up\n"
        "    return rate * 0.5 * (1 + np.cos(np.pi * step / steps))\n",
    ],
    "patience": [
        "def early_stop(losses, patience):\n"
        "    best = int(np.argmin(losses)) + 1\n"
        "    return best, min(best + patience, len(losses))\n",
        "def early_stop(losses, patience):\n"
        "    for epoch in range(1, len(losses)):\n"
        "        if epoch >= patience and losses[epoch] > losses[epoch - 1]:\n"
        "            return int(np.argmin(losses[: epoch + 1])) + 1, epoch + 1\n"
        "    return int(np.argmin(losses)) + 1, len(losses)\n",
    ],
    "split": [
        "def split_by_sample(sample, fraction=0.2, seed=0):\n"
        "    rows = np.random.default_rng(seed).permutation(len(sample))\n"
        "    n = round(fraction * len(sample))\n"
        "    return rows[n:], rows[:n]\n",
        "def split_by_sample(sample, fraction=0.2, seed=0):\n"
        "    names = np.unique(sample)\n"
        "    validates = np.isin(sample, names[: round(fraction * len(names))])\n"
        "    return np.flatnonzero(~validates), np.flatnonzero(validates)\n",
    ],
}
