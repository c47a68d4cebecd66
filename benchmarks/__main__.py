"""Every benchmark, one after another."""

from benchmarks import (
    app,
    bytes,
    codes,
    filters,
    healing,
    language,
    lesson,
    limit,
    maps,
    models,
    plain_em,
    previews,
    projective,
    reading,
    robust,
    robust_answers,
    spectrum,
    subspace_answers,
    survey,
    vocabulary,
)

for benchmark in (
    reading,
    bytes,
    spectrum,
    projective,
    plain_em,
    subspace_answers,
    robust,
    robust_answers,
    codes,
    previews,
    limit,
    language,
    vocabulary,
    survey,
    maps,
    app,
    lesson,
    filters,
    healing,
    models,
):
    benchmark.main([])
    print()
