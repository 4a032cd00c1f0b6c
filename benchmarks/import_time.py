"""Seconds to `import deep_chemometrics`, each in a fresh process, beside `import numpy`."""

import statistics
import subprocess
import sys

REPETITIONS = 7
CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds(module: str) -> float:
    command = [sys.executable, "-c", CODE.format(module)]
    times = [
        float(subprocess.run(command, capture_output=True, check=True, text=True).stdout) for _ in range(REPETITIONS)
    ]
    return statistics.median(times[1:])  # the first one warms the disk


if __name__ == "__main__":
    numpy, ours = seconds("numpy"), seconds("deep_chemometrics")
    print(f"import numpy              {numpy:.3f} s")
    print(f"import deep_chemometrics  {ours:.3f} s")
    print(f"ratio                     {ours / numpy:.2f}")
