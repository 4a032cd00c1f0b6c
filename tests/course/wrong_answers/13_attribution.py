"""Plausible wrong answers of chapter 13: coefficients times spectra, the gradient at the end only, one order only."""

WRONG = {
    "contributions": [
        "def contributions(coefficients, X, reference):\n    return coefficients * X\n",
        "def contributions(coefficients, X, reference):\n    return coefficients * (X - X.mean(axis=0))\n",
    ],
    "integrated": [
        "def integrated_gradients(gradient, x, baseline, steps=64):\n    return (x - baseline) * gradient(x)\n",
        "def integrated_gradients(gradient, x, baseline, steps=64):\n"
        "    middle = (np.arange(steps) + 0.5) / steps\n"
        "    slopes = [gradient(a * x) for a in middle]\n"
        "    return x * np.mean(slopes, axis=0)\n",
    ],
    "shapley": [
        "def shapley_of_two(full, only_a, only_b, none):\n    return full - only_b, full - only_a\n",
        "def shapley_of_two(full, only_a, only_b, none):\n    return only_a - none, only_b - none\n",
    ],
}
