"""Plausible wrong answers of chapter 3: no centring, no unit length, ddof, sign of the bias, the training error."""

WRONG = {
    "first": [
        "def first_latent_variable(X, y):\n    w = X.T @ y\n    w = w / np.linalg.norm(w)\n    return w, X @ w\n",
        "def first_latent_variable(X, y):\n"
        "    Xc = X - X.mean(axis=0)\n"
        "    w = Xc.T @ (y - y.mean())\n"
        "    return w, Xc @ w\n",
    ],
    "errors": [
        "def error_table(measured, predicted):\n"
        "    e = np.asarray(predicted) - np.asarray(measured)\n"
        "    return {'rmsep': np.sqrt(np.mean(e**2)), 'bias': e.mean(), 'sep': e.std()}\n",
        "def error_table(measured, predicted):\n"
        "    e = np.asarray(measured) - np.asarray(predicted)\n"
        "    return {'rmsep': np.sqrt(np.mean(e**2)), 'bias': e.mean(), 'sep': e.std(ddof=1)}\n",
    ],
    "ridge": [
        "def pls_and_ridge(train, test):\n"
        "    found = []\n"
        "    for model in (PLSRegressionCV(rule='one_se', random_state=0), RidgeCV(penalties)):\n"
        "        model.fit(train.X, y)\n"
        "        found.append(error_table(y, np.ravel(model.predict(train.X)))['rmsep'])\n"
        "    return found\n"
        "pls_error, ridge_error = pls_and_ridge(train, test)\n",
        "def pls_and_ridge(train, test):\n"
        "    found = []\n"
        "    for model in (PLSRegressionCV(rule='one_se', random_state=0), RidgeCV(penalties)):\n"
        "        model.fit(test.X, test.y['assay'])\n"
        "        found.append(error_table(test.y['assay'], np.ravel(model.predict(test.X)))['rmsep'])\n"
        "    return found\n"
        "pls_error, ridge_error = pls_and_ridge(train, test)\n",
    ],
}
