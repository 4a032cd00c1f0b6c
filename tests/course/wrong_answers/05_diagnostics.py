"""Plausible wrong answers of chapter 5: the plane of the wrong spectra, T2 instead of Q, no refusal."""

WRONG = {
    "distances": [
        "def pca_distances(X_train, X, n_components):\n"
        "    pca = PCA(n_components).fit(X)\n"
        "    scores = pca.transform(X)\n"
        "    residual = X - pca.inverse_transform(scores)\n"
        "    return (scores**2 / pca.explained_variance_).sum(axis=1), (residual**2).sum(axis=1)\n",
        "def pca_distances(X_train, X, n_components):\n"
        "    pca = PCA(n_components).fit(X_train)\n"
        "    scores = pca.transform(X)\n"
        "    residual = X - pca.inverse_transform(scores)\n"
        "    return (scores**2).sum(axis=1), (residual**2).sum(axis=1)\n",
    ],
    "spike": [
        "def find_spike(X_train, X):\n    return int(np.argmax(pca_distances(X_train, X, 10)[0]))\n",
        "def find_spike(X_train, X):\n    return int(np.argmax(np.abs(X.mean(axis=1) - X.mean())))\n",
    ],
    "refuse": [
        "def careful_predictions(X_train, y_train, X):\n"
        "    return PLSRegressionCV(random_state=0).fit(X_train, y_train).predict(X)\n",
        "def careful_predictions(X_train, y_train, X):\n"
        "    predicted = PLSRegressionCV(random_state=0).fit(X_train, y_train).predict(X).copy()\n"
        "    domain = ApplicabilityDomain(random_state=0).fit(X)\n"
        "    predicted[domain.predict(X) == -1] = np.nan\n"
        "    return predicted\n",
    ],
}
