"""Every benchmark, one after another."""

from benchmarks import app, bytes, codes, plain_em, projective, robust, spectrum

for benchmark in (bytes, spectrum, projective, plain_em, robust, codes, app):
    benchmark.main([])
    print()
