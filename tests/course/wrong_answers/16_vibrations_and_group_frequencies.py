"""Plausible wrong answers of chapter 16: masses added, no 2 pi, no mass weighting, precision and recall."""

WRONG = {
    "constant": [
        "def force_constant(wavenumber, m1, m2):\n"
        "    return (m1 + m2) * constants.atomic_mass * (CENTIMETRES * wavenumber) ** 2\n",
        "def force_constant(wavenumber, m1, m2):\n"
        "    mu = m1 * m2 / (m1 + m2) * constants.atomic_mass\n"
        "    return mu * (100 * constants.c * wavenumber) ** 2\n",
    ],
    "chain": [
        "def chain(masses, force_constants):\n"
        "    m = np.array(masses) * constants.atomic_mass\n"
        "    K = np.zeros((len(m), len(m)))\n"
        "    for i, k in enumerate(force_constants):\n"
        "        K[i : i + 2, i : i + 2] += k * np.array([[1, -1], [-1, 1]])\n"
        "    squares, vectors = np.linalg.eigh(K / m)\n"
        "    return np.sqrt(np.abs(squares[1:])) / CENTIMETRES, vectors.T[1:] ** 2\n",
        "def chain(masses, force_constants):\n"
        "    m = np.array(masses) * constants.atomic_mass\n"
        "    K = np.zeros((len(m), len(m)))\n"
        "    for i, k in enumerate(force_constants):\n"
        "        K[i : i + 2, i : i + 2] += k * np.array([[1, -1], [-1, 1]])\n"
        "    squares, vectors = np.linalg.eigh(K / np.sqrt(np.outer(m, m)))\n"
        "    return np.sqrt(squares[1:]) / CENTIMETRES, vectors[1:] ** 2\n",
    ],
    "backwards": [
        "def precision_and_recall(lines, low=1680, high=1750):\n"
        "    ketone = lines.groups['ketone'].to_numpy()\n"
        "    pairs = zip(lines.each(lines.frequency), lines.each(lines.intensity))\n"
        "    strongest = np.array([f[a.argmax()] for f, a in pairs])\n"
        "    inside = (strongest >= low) & (strongest <= high)\n"
        "    both = (inside & ketone).sum()\n"
        "    return both / ketone.sum(), both / inside.sum()\n"
        "precision, recall = precision_and_recall(lines)\n",
        "def precision_and_recall(lines, low=1680, high=1750):\n"
        "    ketone = lines.groups['ketone'].to_numpy()\n"
        "    found = [((f >= low) & (f <= high)).any() for f in lines.each(lines.frequency)]\n"
        "    inside = np.array(found)\n"
        "    both = (inside & ketone).sum()\n"
        "    return both / inside.sum(), both / ketone.sum()\n"
        "precision, recall = precision_and_recall(lines)\n",
    ],
}
