"""The formulas of Hash codes, with their papers."""

from compress.methods import LightToken

PARAGRAPHS = (
    "**A row** is stored as $a_i \\approx b_i = V u_i + g_i D^\\top s_i + o$: a part of rank $r$ by SVD, signs $s_i \\in \\{-1, "
    "1\\}^L$ of $L$ bits, a gain $g_i$, and a decoder $D$ and offset $o$ that all rows share. Stored are the packed bits, the "
    "decoder in int8 with a scale a bit, the offset, and the factors of the rank-$r$ part. Stages split the $L$ bits; each is "
    "made for what the stages before it leave.",
    "**LightToken** (KDD 2023), known here from its authors' public summary: low rank, then a residual binary autoencoder whose "
    "tempered sigmoid turns nearly binary, a stage ending before its units saturate. The shapes of its layers, its "
    "temperatures and its recalibration $\\varphi$ are not public; one linear layer each way and what follows are ours.",
    "**Loss.** *Euclidean* is $\\|x - \\hat x\\|^2 = (\\|x\\| - \\|\\hat x\\|)^2 + 2 \\|x\\| \\|\\hat x\\| (1 - \\cos)$. "
    "*Direction* puts $\\varphi(1 - \\cos)$ in place of $1 - \\cos$, with $\\varphi(t) = t (1 + t)$. Since $\\varphi(t) \\ge t$, "
    "it is never below the squared distance.",
    "**The refined solver** is ours. It starts from principal coordinates rotated towards the corners of a cube (ITQ: Gong and "
    "Lazebnik, *Iterative quantization*, CVPR 2011), goes on with passes under falling noise, and then in turn sets the signs of "
    "every row bit by bit, its gain, and the decoder by least squares, none of which raises the loss. Each row has a gain of "
    f"{LightToken().gain_bits} bits.",
)
FORMULA = "\n\n".join(PARAGRAPHS)
