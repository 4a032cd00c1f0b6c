"""Plausible wrong answers of chapter 8: a reversed kernel, a forgotten bias, strides that are ignored."""

WRONG = {
    "convolve": [
        "def convolve(x, kernel, stride=1):\n    return np.convolve(x, kernel, mode='valid')[::stride]\n",
        "def convolve(x, kernel, stride=1):\n"
        "    return np.array([kernel @ x[j : j + len(kernel)] for j in range(len(x) - len(kernel) + 1)])\n",
    ],
    "count": [
        "def count_weights(p, filters, width, units):\n"
        "    return filters * width + filters * (p - width + 1) * units + units\n",
        "def count_weights(p, filters, width, units):\n"
        "    return filters * (width + 1) + filters * p * units + units + units + 1\n",
    ],
    "field": [
        "def field_of(layers):\n    return 1 + sum(width - 1 for width, stride in layers)\n",
        "def field_of(layers):\n    return sum(width for width, stride in layers)\n",
    ],
}
