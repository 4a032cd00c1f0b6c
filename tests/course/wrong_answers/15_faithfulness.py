"""Plausible wrong answers of chapter 15: an order without direction, one band at a time, correlations with signs."""

WRONG = {
    "order": [
        "def order_of(sums, change):\n    return np.argsort(-np.abs(sums), axis=1)\n",
        "def order_of(sums, change):\n    return np.argsort(-sums, axis=1)\n",
    ],
    "curve": [
        "def deletion_curve(predict, X, order, mask, baseline):\n"
        "    full = predict(X)\n"
        "    sign = np.sign(full - predict(baseline[None]))\n"
        "    curve = [0.0]\n"
        "    for k in range(order.shape[1]):\n"
        "        without = np.where(mask[order[:, k]], baseline, X)\n"
        "        curve.append(np.mean(sign * (full - predict(without))))\n"
        "    return np.array(curve)\n",
        "def deletion_curve(predict, X, order, mask, baseline):\n"
        "    full = predict(X)\n"
        "    without = X.copy()\n"
        "    curve = [0.0]\n"
        "    for k in range(order.shape[1]):\n"
        "        without = np.where(mask[order[:, k]], baseline, without)\n"
        "        curve.append(np.mean(full - predict(without)))\n"
        "    return np.array(curve)\n",
    ],
    "shuffled": [
        "def shuffled_correlation(coefficients, shuffled, deviations, parts):\n"
        "    one = parts.sums(coefficients * deviations)\n"
        "    other = parts.sums(shuffled * deviations)\n"
        "    return np.mean([spearmanr(a, b).statistic for a, b in zip(one, other)])\n",
        "def shuffled_correlation(coefficients, shuffled, deviations, parts):\n"
        "    return spearmanr(np.abs(coefficients), np.abs(shuffled)).statistic\n",
    ],
}
