"""Plausible wrong answers of chapter 10: tiled labels, one gain for all, a reference disturbed as well."""

WRONG = {
    "copies": [
        "def augmented(X, y, copies, seed=0):\n"
        "    disturbed = augment_scatter(X, copies=copies, random_state=seed)\n"
        "    return disturbed, np.tile(y, copies), np.tile(np.arange(len(X)), copies)\n",
    ],
    "path": [
        "def augment_path(X, sigma, seed=0):\n    return X * np.exp(sigma * np.random.default_rng(seed).normal())\n",
        "def augment_path(X, sigma, seed=0):\n"
        "    return X * np.exp(sigma * np.random.default_rng(seed).normal(size=X.shape))\n",
    ],
    "survives": [
        "def left_after_snv(X):\n"
        "    found = {}\n"
        "    for name in ('offset', 'slope', 'gain'):\n"
        "        disturbed = augment_scatter(X, random_state=0)\n"
        "        found[name] = np.abs(SNV().fit_transform(disturbed) - SNV().fit_transform(X)).max()\n"
        "    return found\n",
    ],
}
