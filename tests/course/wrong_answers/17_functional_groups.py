"""Plausible wrong answers of chapter 17: precision and recall exchanged, accuracy, test molecules, a pair reversed."""

F1_CHOICE = (
    "def choose_thresholds(P, Y):\n"
    "    tried = np.arange(1, 20) / 20\n"
    "    f1 = np.array([scores(P >= t, Y)[2] for t in tried])\n"
    "    return tried[f1.argmax(axis=0)]\n"
)
WRONG = {
    "scores": [
        "def scores(predicted, present):\n"
        "    hits = (predicted & present).sum(axis=0)\n"
        "    recall = hits / np.maximum(predicted.sum(axis=0), 1)\n"
        "    precision = hits / np.maximum(present.sum(axis=0), 1)\n"
        "    f1 = 2 * hits / np.maximum(predicted.sum(axis=0) + present.sum(axis=0), 1)\n"
        "    return precision, recall, f1\n",
        "def scores(predicted, present):\n"
        "    hits = (predicted & present).sum(axis=0)\n"
        "    precision = hits / np.maximum(predicted.sum(axis=0), 1)\n"
        "    recall = hits / np.maximum(present.sum(axis=0), 1)\n"
        "    return precision, recall, (precision + recall) / 2\n",
    ],
    "thresholds": [
        F1_CHOICE + "thresholds = choose_thresholds(P, Y[test])\n",
        "def choose_thresholds(P, Y):\n"
        "    tried = np.arange(1, 20) / 20\n"
        "    accuracy = np.array([((P >= t) == Y).mean(axis=0) for t in tried])\n"
        "    return tried[::-1][accuracy[::-1].argmax(axis=0)]\n"
        "thresholds = choose_thresholds(P_train, Y[train])\n",
    ],
    "implied": [
        "def implied(Y, groups):\n"
        "    n = len(groups)\n"
        "    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]\n"
        "    return {(groups[b], groups[a]) for a, b in pairs if Y[Y[:, a], b].all()}\n",
        "def implied(Y, groups):\n"
        "    n = len(groups)\n"
        "    pairs = [(a, b) for a in range(n) for b in range(n)]\n"
        "    return {(groups[a], groups[b]) for a, b in pairs if Y[Y[:, a], b].all()}\n",
    ],
}
