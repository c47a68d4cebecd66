"""Every benchmark, one after another."""

from benchmarks import app, bytes, plain_em, projective, robust, spectrum

for benchmark in (bytes, spectrum, projective, plain_em, robust, app):
    benchmark.main([])
    print()
