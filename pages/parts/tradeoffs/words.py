"""The formulas of Trade-offs, and every method in a sentence or two, with its paper."""

from pages.parts.tradeoffs.points import KNOTS

ERRORS = (
    "**Errors.** Relative error is $\\sum_i \\lVert a_i - b_i \\rVert^2 / \\sum_i \\lVert a_i \\rVert^2$. ℓ1 error is $\\sum_{il} "
    "|a_{il} - b_{il}| / \\sum_{il} |a_{il}|$. The median row error is the median of $\\lVert a_i - b_i \\rVert^2 / \\lVert a_i "
    "\\rVert^2$.\n\n"
    "**Bytes** are all that decoding needs: coefficients, bases, scales, codes, and labels of $\\lceil \\log_2 k \\rceil$ bits a "
    "row."
)
METHODS = (
    "**SVD** needs no fit: its error is the tail $\\sum_{i>j} \\sigma_i^2$ (Eckart and Young, 1936). At int8 and int4 the basis is "
    "fitted again to the rounded coefficients, and the error is that of this fit, exact at every rank. The other two measures are "
    f"computed at up to {KNOTS} ranks and interpolated.",
    "**k subspaces** is projective clustering: several subspaces, each row in the nearest (Maalouf, Lang, Rus and Feldman, *Deep "
    "Learning Meets Projective Clustering*, ICLR 2021).",
    "**ℓp low rank** is one subspace under a robust error (Tukan, Maalouf, Weksler and Feldman, *Compressed Deep Networks: Goodbye "
    "SVD, Hello Robust Low-Rank Approximation*, 2020). It can lower the ℓ1 error or the median row's; before rounding its relative "
    "error is never below SVD's.",
    "**LightToken** keeps bits and a decoder that all rows share; see Hash codes.",
    "**Trellis**, our own, codes a row's numbers in the principal axes along a trellis, with more bits where its class of rows "
    "varies more.",
    "**PQ, OPQ and RQ** keep the places of vectors in codebooks: of a part of the row (Jégou, Douze and Schmid, 2011), of a part "
    "of the turned row (Ge, He, Ke and Sun, 2013), or of vectors that are added up (Chen, Guan and Wang, 2010).",
    "**int8 and int4 by row** round every entry to a grid that each row has for itself.",
    "**Groups** round numbers to a few bits in groups of 32 or 64 columns, each with a scale and a zero, as torchao does; the "
    "zeros here are those of HQQ (Badri and Shaji, *Half-Quadratic Quantization of Large Machine Learning Models*, 2023).",
    "**Block formats** are those that llama.cpp keeps a model's table in (GGUF), and NF4 of bitsandbytes (Dettmers and "
    "others, *QLoRA*, 2023). Types in K want rows of a multiple of 256 numbers; for others llama.cpp takes a type of blocks of 32.",
    "**Trimmed** keeps the rows that weigh most, by any other method, and one row, their mean, for all others. The relative error "
    "counts those in full, the weighted error as they weigh: rows that a text or a script never uses drop out of it.",
    "**Dimensions** keeps whole columns and reads the others as 0. It keeps those that count most for a linear layer whose weights "
    "are the matrix's own rows (Liebenwein, Baykal, Lang, Feldman and Rus, *Provable Filter Pruning for Efficient Neural "
    "Networks*, ICLR 2020). SVD turns the columns first, and so loses less.",
)
LIMITS = (
    "**The front** holds the settings that no other beats in both bytes and error (Pareto, 1906).\n\n"
    "**The ideal Gaussian coder** is reverse water-filling over the eigenvalues $\\lambda_l$ of the matrix's second moments: error "
    "$\\sum_l \\min(\\theta, \\lambda_l)$ at $\\sum_l \\frac12 \\log_2^+ (\\lambda_l / \\theta)$ bits a row (Cover and Thomas, "
    "*Elements of Information Theory*, ch. 10). With row weights row $i$ is filled to $\\theta / w_i$. With row classes each of "
    "eight classes of rows, found here, has a mean and variances of its own; their labels and tables are counted."
)
FORMULA = "\n\n".join([ERRORS, "\n".join(f"- {each}" for each in METHODS), LIMITS])
READING = (
    "Further left is smaller, further down is closer: the grey steps are the front, the settings that no other here beats in "
    "both; between two of them there is none, so a size gets the error of the next smaller one. "
    "The upright line is the budget, and the rings are the best of every method there; a gap between two colours on the line is "
    "what one method gains over the other for the same bytes."
)
BOUNDS = (
    "No code does better on Gaussian rows with this matrix's second moments. "
    "This matrix need not be Gaussian: what uses more than second moments, as subspaces and classes of rows do, can go below. "
    "The ideal coder's bases and tables are not counted; the labels and tables of the row classes are."
)
