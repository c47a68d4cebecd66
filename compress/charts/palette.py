"""The colours of every chart and map.

`CATEGORIES`: the six Okabe–Ito colours that can be seen on both white and near-black, then colours from Paul Tol's bright,
vibrant, muted and medium-contrast sets, each the one furthest from those before it in OKLab under normal, protan, deutan and
tritan vision (Machado 2009), with a contrast of at least 1.9 on white and 3 on #0E1117. Okabe & Ito, "Color Universal Design",
2008; P. Tol, "Colour Schemes", SRON technical note, 2021.

`SEQUENTIAL`: even steps in OKLab from violet over blue and green to yellow, lightness .44 to .86, so that both ends can
be seen on both backgrounds and grey copies keep the order.
"""

CATEGORIES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#AA3377",
    "#999933",
    "#EE6677",
    "#117733",
    "#6699CC",
    "#CC3311",
    "#AA4499",
    "#CCBB44",
    "#228833",
    "#EE99AA",
)

SEQUENTIAL = (
    "#603995",
    "#5847A5",
    "#4B55B1",
    "#3964BA",
    "#1772C0",
    "#007FB9",
    "#008BB2",
    "#0098AD",
    "#00A4A8",
    "#00B0A1",
    "#00BB96",
    "#3DC388",
    "#6AC979",
    "#8ECD6B",
    "#AFCF5E",
    "#CED156",
    "#EAD154",
)
