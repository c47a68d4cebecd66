"""Every benchmark, one after another."""

from benchmarks import app, bytes, plain_em, projective, spectrum

for benchmark in (bytes, spectrum, projective, plain_em, app):
    benchmark.main([])
    print()
