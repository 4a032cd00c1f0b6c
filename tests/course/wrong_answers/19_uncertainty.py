"""Plausible wrong answers of chapter 19: the plain quantile, equal widths, the errors of instrument 1, scans counted as
samples, the wrong limits, a model that is trained again."""

WRONG = {
    "width": [
        "def half_width(errors, level):\n    return np.quantile(errors, level)\n",
        "def half_width(errors, level):\n"
        "    rank = int(np.ceil((len(errors) + 1) * level))\n"
        "    return np.inf if rank > len(errors) else np.sort(errors)[min(rank, len(errors) - 1)]\n",
    ],
    "normalised": [
        "def normalised_widths(kept_errors, kept_difficulty, new_difficulty, level):\n"
        "    return np.full(len(new_difficulty), half_width(kept_errors, level))\n",
    ],
    "repair": [
        "def repaired(tablets):\n"
        "    train = tablets.where(instrument=1, role='train')\n"
        "    test = tablets.where(instrument=2, role='test')\n"
        "    emsc = EMSC(order=2).fit(train.X)\n"
        "    pls = PLSRegressionCV(rule='one_se', random_state=0).fit(emsc.transform(train.X), train.y['assay'])\n"
        "    kept = np.abs(pls.predict(emsc.transform(train.X)) - train.y['assay'].to_numpy())\n"
        "    errors = np.abs(pls.predict(emsc.transform(test.X)) - test.y['assay'].to_numpy())\n"
        "    h = half_width(kept, 0.9)\n"
        "    return h, np.mean(errors <= h)\n"
        "h, coverage = repaired(load_tablets())\n",
    ],
    "least": [
        "def least_kept(level):\n    return int(np.ceil(1 / (1 - level)))\n",
    ],
    "covered": [
        "def covered(model, X, y, level=0.9):\n"
        "    lower, upper = model.predict_interval(X).T\n"
        "    return np.mean((lower <= y) & (y <= upper)), np.mean(upper - lower)\n",
        "def covered(model, X, y, level=0.9):\n"
        "    lower, upper = model.predict_interval(X, level).T\n"
        "    return np.mean(y <= upper), np.mean(upper - lower)\n",
    ],
    "replicates": [
        "def with_replicates(X, y, sample):\n    return ConformalRegressor(LinearRegression(), 'split').fit(X, y)\n",
    ],
    "moved": [
        "def moved(model, X, y):\n"
        "    new = ConformalRegressor(LinearRegression()).fit(X[:20], y[:20])\n"
        "    return new, np.mean(new.predict(X) - model.predict(X))\n",
        "def moved(model, X, y):\n    return model, 0.0\n",
    ],
}
