"""Small networks of every kind of join, with a point that they take."""

import torch
import torch.nn.functional as F
from torch import nn


def conv(n_in, n_out, size=3, stride=1, groups=1):
    return nn.Conv2d(n_in, n_out, size, stride, size // 2, groups=groups, bias=False)


class Straight(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, stride=2))
        self.norm, self.hidden, self.head = nn.BatchNorm1d(6 * 9), nn.Linear(6 * 9, 12), nn.Linear(12, 4)

    def forward(self, x):
        x = torch.flatten(F.relu(self.body(x)), 1)
        return self.head(torch.relu(self.hidden(self.norm(x))))


class Residual(nn.Module):
    """One sum over what went past, one over a projection."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = conv(3, 8), nn.BatchNorm2d(8)
        self.one, self.two = conv(8, 5), conv(5, 8)
        self.three, self.across = conv(8, 6, stride=2), conv(8, 6, 1, 2)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = F.relu(self.norm(self.first(x)))
        x = F.relu(x + self.two(F.relu(self.one(x))))
        x = F.relu(torch.add(self.three(x), self.across(x)))
        return self.head(F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1))


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.deep, self.norm, self.out = conv(3, 8), conv(8, 8, groups=8), nn.BatchNorm2d(8), conv(8, 6, 1)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = F.relu6(self.norm(self.deep(F.relu(self.first(x)))))
        return self.head(F.silu(self.out(x)).mean(dim=(2, 3)))


class Joined(nn.Module):
    """Channels beside each other, and one layer used twice."""

    def __init__(self):
        super().__init__()
        self.first, self.again, self.other = conv(3, 6), conv(6, 6), conv(6, 5)
        self.last, self.head = conv(11, 7), nn.Linear(7, 4)

    def forward(self, x):
        x = F.relu(self.again(F.relu(self.first(x))))
        x = torch.cat([F.relu(self.again(x)), F.leaky_relu(self.other(x))], dim=1)
        return self.head(F.relu(self.last(x)).mean((2, 3)))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.gate, self.last, self.head = conv(3, 8), conv(8, 8, 1), conv(8, 6), nn.Linear(6, 4)

    def forward(self, x):
        x = F.relu(self.first(x))
        x = x * torch.sigmoid(self.gate(F.adaptive_avg_pool2d(x, 1)))
        return self.head(F.relu(self.last(x)).mean((2, 3)))


JOINS = (Straight, Residual, Depthwise, Joined, Gated)


def made(kind, seed=0):
    """In evaluation mode, with batch norms as if trained."""
    torch.manual_seed(seed)
    network = kind().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for values in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                values.uniform_(0.5, 1.5)
    return network


def images(n=6, channels=3, side=16, seed=1):
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(seed))
