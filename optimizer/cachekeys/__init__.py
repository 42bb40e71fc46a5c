"""Cache keys, as far as they can be told without building: which instructions a changed file or line runs again.

BuildKit's are in `buildkit.py`; those of other builders in the module with their name. All are compared by `predict`.
"""

from dockopt.optimizer.cachekeys.buildkit import step_keys
from dockopt.optimizer.cachekeys.content import Entry, Snapshot
from dockopt.optimizer.cachekeys.options import BaseImage, KeyOptions
from dockopt.optimizer.cachekeys.steps import Prediction, StepKey, Unpredictable, predict

__all__ = [
    "BaseImage",
    "Entry",
    "KeyOptions",
    "Prediction",
    "Snapshot",
    "StepKey",
    "Unpredictable",
    "predict",
    "step_keys",
]
