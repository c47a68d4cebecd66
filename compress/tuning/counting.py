"""Recall of what was fitted before it was counted, of SVD at some sizes, and of what vector databases keep."""

from collections.abc import Iterator, Sequence

import numpy as np

from compress.analysis.peers import peers
from compress.analysis.search import COUNT, held_out, truth_of
from compress.errors import Progress, Step
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, SVD, Method
from compress.tuning.fitting import within
from compress.tuning.recalls import RECALL, key_of, recall_of
from compress.tuning.store import Store
from compress.tuning.sweep import Trial, Trials

RATIOS = (4.0, 6.0, 8.0, 12.0, 16.0, 25.0, 50.0, 100.0)  # at which SVD is counted
PRECISIONS = (16, 8, 4)


class PeersKept(Store):
    """Recall of other programs' codes, by the matrix."""

    table = "peers (digest TEXT, name TEXT, n_bytes INTEGER, recall REAL, PRIMARY KEY (digest, name))"

    def keep(self, digest: str, name: str, n_bytes: int, recall: float) -> None:
        """Keeps what was counted."""
        with self.open() as file:
            file.execute("INSERT OR REPLACE INTO peers VALUES (?, ?, ?, ?)", (digest, name, n_bytes, recall))

    def of(self, digest: str) -> list[tuple[str, int, float]]:
        """Names, bytes and recall, the largest first."""
        with self.open() as file:
            rows = file.execute("SELECT name, n_bytes, recall FROM peers WHERE digest = ? ORDER BY n_bytes DESC", (digest,))
            return [(str(name), int(n_bytes), float(recall)) for name, n_bytes, recall in rows]


def uncounted(matrix: EmbeddingMatrix, store: Trials, besides: Sequence[Method] = ()) -> list[Method]:
    """What is fitted, and what needs no search for a fit, whose recall is not known yet, the quickest first."""
    n, d = matrix.shape
    usual = [method() for method in METHODS.values() if not method.has_settings()]
    curve = [within(SVD(factor_bits=bits), matrix.shape, ratio) for bits in PRECISIONS for ratio in RATIOS]
    fitted = [trial.method for trial in store.of(matrix.key) if not isinstance(trial.method, SVD)]
    done = {trial.method for trial in store.of(key_of(matrix))}
    wanted = dict.fromkeys(method for method in [*usual, *curve, *fitted, *besides] if method and method not in done)
    return sorted(wanted, key=lambda method: method.effort * method.size(n, d))


def count(
    matrix: EmbeddingMatrix, store: Trials, besides: Sequence[Method] = (), progress: Progress | None = None
) -> Iterator[tuple[str, int, float]]:
    """Counts what is not counted yet, and gives names, bytes and recall as they come; what is stopped goes on from there. progress:
    told after each how many are done; may raise to stop."""
    held = PeersKept(store.path)
    known = held.of(matrix.digest)
    methods = uncounted(matrix, store, besides)
    work = np.cumsum([0.0, *([] if known else [1.0]), *(0.3 + method.effort for method in methods)])
    done = 0

    def tell(name: str) -> None:
        if progress:
            kept = {"kept": f"{done} of {len(work) - 1} counts"} if done else {}
            figures = {"done": done, "of": len(work) - 1, **kept}
            progress(Step(work[done] / max(work[-1], 1e-9), f"{done} of {len(work) - 1} counted{name}", figures))

    tell("")
    if not known:
        truth = truth_of(matrix, held_out(matrix), "cosine", COUNT)
        for _, make in peers(matrix, truth):
            for peer in make():
                held.keep(matrix.digest, peer.name, peer.n_bytes, peer.recall)
                yield peer.name, peer.n_bytes, peer.recall
        done += 1
    for method in methods:
        tell(f", now {method.label}")
        result = method.fit(matrix)
        figures = recall_of(matrix, result)
        store.keep(key_of(matrix), Trial(method, figures))
        done += 1
        yield str(method), result.n_bytes, figures[RECALL]
    tell("")
