"""Plausible wrong answers of chapter 12: a reversed kernel, the largest mean, a unit at its first channel."""

WRONG = {
    "activations": [
        "def activations_of(x, kernels, bias):\n"
        "    windows = np.lib.stride_tricks.sliding_window_view(x, len(kernels))\n"
        "    return np.maximum(windows @ kernels[::-1] + bias, 0)\n",
        "def activations_of(x, kernels, bias):\n"
        "    windows = np.lib.stride_tricks.sliding_window_view(x, len(kernels))\n"
        "    return np.maximum(windows @ kernels, 0) + bias\n",
    ],
    "active": [
        "def most_active(activations):\n    return int(activations.mean(axis=(0, 1)).argmax())\n",
        "def most_active(activations):\n    return int(activations.var(axis=(0, 1)).argmax())\n",
    ],
    "centre": [
        "def centre_of(i, axis, width, stride=1):\n    return axis[i * stride]\n",
        "def centre_of(i, axis, width, stride=1):\n    return axis[i * stride + width // 2]\n",
    ],
}
