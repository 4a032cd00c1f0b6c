"""Plausible wrong answers to the exercises of chapter 1: forgetting the per cent, the harmonic, the median."""

WRONG = {
    "absorbance": [
        "def to_absorbance(percent):\n    return -np.log10(percent)\n",
        "def to_absorbance(percent):\n    return -np.log(percent / 100)\n",
    ],
    "overtone": [
        "def transition_nm(fundamental, level, x=0.02):\n"
        "    return 1e7 / (level * fundamental)\n"
        "first_overtone = transition_nm(3350, level=2)\n",
        "def transition_nm(fundamental, level, x=0.02):\n"
        "    return 1e7 / (level * fundamental * (1 - (level + 1) * x))\n"
        "first_overtone = transition_nm(3350, level=2)\n",
    ],
    "noise": [
        "tablets = load_tablets().where(instrument=1, role='train')\n"
        "def noise_of_channels(X):\n    return np.mean(np.abs(np.diff(X, n=2, axis=1)), axis=0)\n"
        "def least_noisy_start(X, axis, n=50):\n    return 950.0\n",
        "tablets = load_tablets().where(instrument=1, role='train')\n"
        "def noise_of_channels(X):\n    return np.median(np.abs(np.diff(X, n=2, axis=0)), axis=1)\n"
        "def least_noisy_start(X, axis, n=50):\n    return 950.0\n",
    ],
}
