"""Set before anything imports scipy: with this scikit-learn's check_estimator skips none of its checks."""

import os

os.environ.setdefault("SCIPY_ARRAY_API", "1")
