"""The formulas of Robustness, with their papers."""

PARAGRAPHS = (
    "**ℓp.** *Rows* lowers $\\sum_i w_i \\|a_i - b_i\\|_2^p$, *Entries* $\\sum_i w_i \\sum_l |a_{il} - b_{il}|^p$, over "
    "matrices $B$ of rank $j$; at $p = 2$ both are SVD. Stored are $n j + j d$ numbers, as for SVD. After Tukan, Maalouf, "
    "Weksler and Feldman, *Compressed Deep Networks: Goodbye SVD, Hello Robust Low-Rank Approximation* ([arXiv "
    "2009.05647](https://arxiv.org/abs/2009.05647)): an ellipsoid near $\\{x : \\|A x\\|_p \\le 1\\}$ has axes, and the "
    "leading $j$ of them span the subspace.",
    "**Where the fit starts.** That ellipsoid comes from the $\\ell_p$ Lewis weights $\\tau_i = (a_i^\\top (A^\\top T^{1 - "
    "2/p} A)^{-1} a_i)^{p/2}$ (Cohen and Peng, *$\\ell_p$ row sampling by Lewis weights*, 2015), which take a few Gram "
    "matrices and so serve tables of any size. Its factor is $r^{|1/2 - 1/p|}$ for rank $r$.",
    "**What is ours.** From those axes on, reweighted least squares lowers the sum of *Rows*: each refit weighs a row by "
    "$\\|a_i - b_i\\|^{p-2}$. For *Entries* a few steps of conjugate gradients in turn on the rows and on the columns "
    "lower the sum, which no step raises. The paper stops at the axes.",
    "**Other losses** of a row's residual $t$, with $s = t^2 / \\lambda^2$: Huber $s$ up to 1, then $2\\sqrt{s} - 1$; "
    "Cauchy $\\ln(1 + s)$; Geman–McClure $s / (1 + s)$; Welsch $1 - e^{-s}$; Tukey $(1 - (1 - s)^3) / 3$ up to 1, then "
    "$1/3$. They are lowered by reweighting from the Lewis axes at $p = 1$, since far rows would hold on to "
    "SVD's. Where λ is not given it is the median residual there times the loss's constant for 95 % efficiency on Gaussian "
    "residuals.",
)
FORMULA = "\n\n".join(PARAGRAPHS)
