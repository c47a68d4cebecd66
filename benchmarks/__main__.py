"""Every benchmark, one after another."""

from benchmarks import app, bytes, codes, filters, healing, limit, models, plain_em, projective, robust, spectrum

for benchmark in (bytes, spectrum, projective, plain_em, robust, codes, limit, app, filters, healing, models):
    benchmark.main([])
    print()
