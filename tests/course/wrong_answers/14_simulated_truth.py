"""Plausible wrong answers of chapter 14: a pure spectrum, sums with signs, a change not divided."""

WRONG = {
    "best": [
        "def best_vector(pure):\n    return pure[0] / (pure[0] @ pure[0])\n",
        "def best_vector(pure):\n    return np.linalg.pinv(pure)[:, -1]\n",
    ],
    "mass": [
        "def mass_over_chance(values, mask):\n"
        "    share = values[:, mask].sum(axis=1) / values.sum(axis=1)\n"
        "    return share.mean() / mask.mean()\n",
        "def mass_over_chance(values, mask):\n"
        "    size = np.abs(values)\n"
        "    return (size[:, mask].sum(axis=1) / size.sum(axis=1)).mean()\n",
    ],
    "addition": [
        "def standard_additions(predict, X, pure, amount=0.1):\n"
        "    return np.array([np.mean(predict(X + amount * spectrum) - predict(X)) for spectrum in pure])\n",
        "def standard_additions(predict, X, pure, amount=0.1):\n"
        "    return np.array([np.mean(predict(amount * spectrum[None])) for spectrum in pure]) / amount\n",
    ],
}
