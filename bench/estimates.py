"""How good the estimates of `peers.py` are: each that takes under a minute to run in full, beside the full run.

`python -m bench.estimates` prints both, for 16-character fragments; some minutes.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from .peers import Contestant, estimated, json_groups
from .timing import THOROUGH, frozen_heap, timed
from .workloads import Workload, workload

SIZE = 16
LONGEST = 60.0


def cases() -> Iterator[tuple[str, Contestant, Workload]]:
    """Every contestant and document that `python -m bench` may estimate."""
    for group in json_groups([]):
        for contestant in group.contestants:
            for key in ("W3", "W4", "W5"):
                if contestant.sampled and contestant.takes(workload(key)):
                    yield f"{group.key} {key}: {contestant.name}", contestant, workload(key)


def main() -> None:
    for name, contestant, document in cases():
        fragments = contestant.fragments(document, SIZE)
        with frozen_heap():
            estimate = statistics.median(estimated(contestant.start, fragments) for _ in range(3))
            if not THOROUGH.estimate_above < estimate < LONGEST:
                continue
            full = timed(lambda one=contestant, cut=fragments: one.start(b"")(cut))  # type: ignore[misc]
        print(f"{name}: estimated {estimate:.3g} s, in full {full:.3g} s, {estimate / full:.2f} x", flush=True)


if __name__ == "__main__":
    main()
