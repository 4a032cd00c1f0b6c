"""Plausible wrong answers of chapter 18: no root, means forgotten, the nearest instead of the
farthest sample, instruments exchanged, a model without EPO, a slope always or never."""

WRONG = {
    "bias": [
        "def bias_and_error(predicted, reference):\n"
        "    e = np.asarray(predicted) - np.asarray(reference)\n"
        "    return e.mean(), e.std(ddof=1)\n",
        "def bias_and_error(predicted, reference):\n"
        "    e = np.asarray(reference) - np.asarray(predicted)\n"
        "    return e.mean(), e.std(ddof=1) / np.sqrt(len(e))\n",
    ],
    "pds": [
        "def piecewise(one, two, new_two, half=3, penalty=1e-3):\n    return new_two\n",
        "def piecewise(one, two, new_two, half=3, penalty=1e-3):\n"
        "    corrected = np.empty_like(new_two)\n"
        "    for j in range(one.shape[1]):\n"
        "        window = slice(max(0, j - half), j + half + 1)\n"
        "        W = two[:, window]\n"
        "        b = np.linalg.solve(W.T @ W + penalty * np.eye(W.shape[1]), W.T @ one[:, j])\n"
        "        corrected[:, j] = new_two[:, window] @ b\n"
        "    return corrected\n",
    ],
    "kennard": [
        "def kennard_stone(X, k):\n    return list(range(k))\n",
        "def kennard_stone(X, k):\n"
        "    D = np.linalg.norm(X[:, None] - X[None], axis=2)\n"
        "    return [int(i) for i in np.argsort(-D.mean(axis=1))[:k]]\n",
    ],
    "standardise": [
        "def standardised(one, two, new_two, k):\n"
        "    rows = select_samples(one, k)\n"
        "    return DirectStandardization().fit(one[rows], X_source=two[rows]).transform(new_two)\n",
        "def standardised(one, two, new_two, k):\n"
        "    return DirectStandardization().fit(two[:1], X_source=one[:1]).transform(new_two) * 0 + new_two\n",
    ],
    "orthogonalise": [
        "def without_difference(X, y, one, two, new_two, n=1):\n"
        "    return LinearRegression().fit(X, y).predict(new_two)\n",
        "def without_difference(X, y, one, two, new_two, n=1):\n"
        "    epo = EPO(n).fit(two, X_source=one)\n"
        "    return LinearRegression().fit(X, y).predict(epo.transform(new_two))\n",
    ],
    "slope": [
        "def corrected(model, X, y, low, high):\n    return SlopeBias(model, slope=True).fit(X, y)\n",
        "def corrected(model, X, y, low, high):\n    return SlopeBias(model).fit(X, y)\n",
    ],
}
