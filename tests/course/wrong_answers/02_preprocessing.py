"""Plausible wrong answers of chapter 2: the wrong axis, a reference that saw the test set, no interferent."""

MSC_PARTS = """
def msc_reference(X):
    return X.mean(axis=0)
def msc_correct(X, reference):
    corrected = np.empty_like(X)
    for i, spectrum in enumerate(X):
        gain, offset = np.polyfit(reference, spectrum, 1)
        corrected[i] = {formula}
    return corrected
def correct_test(X_train, X_test):
    return {use}
"""
WRONG = {
    "snv": [
        "def snv(X):\n    return (X - X.mean(axis=0)) / X.std(axis=0)\n",
        "def snv(X):\n    return (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)\n",
    ],
    "msc": [
        MSC_PARTS.format(
            formula="(spectrum - offset) / gain", use="msc_correct(X_test, msc_reference(np.vstack([X_train, X_test])))"
        ),
        MSC_PARTS.format(formula="(spectrum - offset) / gain", use="msc_correct(X_test, msc_reference(X_test))"),
        MSC_PARTS.format(formula="spectrum / gain - offset", use="msc_correct(X_test, msc_reference(X_train))"),
    ],
    "vapour": [
        "def without_vapour(X_train, X, vapour):\n    return EMSC(order=2).fit(X_train).transform(X)\n",
        "def without_vapour(X_train, X, vapour):\n    return EMSC(order=2).fit(X_train).transform(X - 0.3 * vapour)\n",
        "def without_vapour(X_train, X, vapour):\n    return EMSC(2, interferents=vapour).fit(X).transform(X)\n",
    ],
}
