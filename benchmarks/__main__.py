"""Every benchmark, one after another."""

from benchmarks import bytes, plain_em, projective, spectrum

for benchmark in (bytes, spectrum, projective, plain_em):
    benchmark.main([])
    print()
