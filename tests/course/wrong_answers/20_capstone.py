"""Plausible wrong answers of chapter 20: rows instead of groups, the best only, the training mean, wrong rows."""

WRONG = {
    "split": [
        "def test_mask(groups, part, seed):\n"
        "    rows = np.random.default_rng(seed).permutation(len(groups))\n"
        "    mask = np.zeros(len(groups), bool)\n"
        "    mask[rows[: round(part * len(groups))]] = True\n"
        "    return mask\n",
        "def test_mask(groups, part, seed):\n"
        "    names = np.unique(groups)\n"
        "    return np.isin(groups, names[: round(part * len(names))])\n",
    ],
    "interval": [
        "def rmsep_interval(errors, groups, draws=2000, seed=0):\n"
        "    drawn = np.random.default_rng(seed).integers(len(errors), size=(draws, len(errors)))\n"
        "    return np.percentile(np.sqrt((errors[drawn] ** 2).mean(axis=1)), [2.5, 97.5])\n",
    ],
    "choice": [
        "def choose(names, error, low):\n    return min(names, key=error.get)\n",
        "def choose(names, error, low):\n"
        "    best = min(names, key=error.get)\n"
        "    for name in names:\n"
        "        if name == best or low[name] > 0:\n"
        "            return name\n",
    ],
    "challenge": [
        "def submission(training, test):\n"
        "    predicted = np.full(len(test), training['content'].mean())\n"
        "    return pd.DataFrame({'sample': test['sample'], 'predicted': predicted})\n",
        "def submission(training, test):\n"
        "    channels = [c for c in test.columns if c not in ('sample', 'instrument')]\n"
        "    model = PLSRegressionCV(random_state=0)\n"
        "    model.fit(training[channels].to_numpy(), training['content'].to_numpy())\n"
        "    predicted = np.ravel(model.predict(test[channels].to_numpy()))\n"
        "    return pd.DataFrame({'sample': np.arange(len(test)), 'predicted': predicted})\n",
    ],
}
