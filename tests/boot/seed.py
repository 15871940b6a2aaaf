"""The seed of this run's random tests: TLBSH_SEED from the environment repeats a run."""

import os
import random

SEED = int(os.environ.get("TLBSH_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
