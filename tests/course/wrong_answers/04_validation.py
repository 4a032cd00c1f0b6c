"""Plausible wrong answers of chapter 4: training errors, leaks, and folds that split a farm."""

WRONG = {
    "loop": [
        "def cross_validated(model, X, y, folds):\n    return np.ravel(model.fit(X, y).predict(X))\n",
        "def cross_validated(model, X, y, folds):\n"
        "    predicted = np.empty(len(y))\n"
        "    for fit, left in folds.split(X):\n"
        "        predicted[left] = np.ravel(model.fit(X[left], y[left]).predict(X[left]))\n"
        "    return predicted\n",
    ],
    "leak": [
        "honest = leaky\n",
        "def honest(X, y):\n"
        "    folds = KFold(10, shuffle=True, random_state=0)\n"
        "    predicted = np.full(len(y), y.mean())\n"
        "    return np.sqrt(np.mean((predicted - y) ** 2))\n",
    ],
    "nested": [
        "def nested_predictions(X, y):\n"
        "    folds = KFold(5, shuffle=True, random_state=0)\n"
        "    size = int(rmsecv(X, y, max_components=10, cv=folds).rmsecv.argmin()) + 1\n"
        "    return cross_validated(PLSRegression(size, scale=False), X, y, folds)\n",
        "def nested_predictions(X, y):\n"
        "    folds = KFold(5, shuffle=True, random_state=0)\n"
        "    return cross_validated(PLSRegression(1, scale=False), X, y, folds)\n",
    ],
    "farms": [
        "def farm_folds(X, farm):\n    return list(KFold(5).split(X))\n",
        "def farm_folds(X, farm):\n    return list(KFold(5, shuffle=True, random_state=0).split(X))\n",
    ],
}
