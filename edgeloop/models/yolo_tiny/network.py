"""The layers of the detector, from a picture to three raw heads.

Legend: `N` batch, `C` channels, `H` height, `W` width, `K` classes; P8, P16, P32: what is known at a stride of 8, 16
and 32 pixels.
"""

import math

import torch
from torch import Tensor, nn

from edgeloop.models import he_initialised, scaled

PRIOR = 0.01
"""How likely a class is in a cell before anything is learned (Lin et al., "Focal Loss", 2017)."""

OPPONENT = ((1 / 3, 1 / 3, 1 / 3), (1.0, -1.0, 0.0), (0.5, 0.5, -1.0))
"""Brightness, red against green, yellow against blue, from red, green and blue."""


class Network(nn.Module):
    """The whole detector; `width` and `depth` multiply channels and the layers of a block."""

    def __init__(self, channels: int, outputs: int, *, width: float, depth: float, opponent_colours: bool) -> None:
        super().__init__()
        self.backbone = Backbone(channels, width=width, depth=depth)
        self.neck = Neck(width=width, depth=depth)
        self.heads = nn.ModuleList(nn.Conv2d(scaled(c, width), 4 + outputs, kernel_size=1) for c in (128, 256, 512))
        he_initialised(self)
        for head in self.heads:
            _begin_unsure(head)
        self.colours = _opponent_colours() if opponent_colours else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """N, C, H, W to N, 4 + K, H/8, W/8 and likewise at 16 and 32."""
        scales = self.neck(*self.backbone(self.colours(x)))
        return tuple(head(scale) for head, scale in zip(self.heads, scales, strict=True))


class Backbone(nn.Module):
    """A picture to P8, P16 and P32 of 128, 256 and 512 channels, at width 1."""

    def __init__(self, channels: int, *, width: float, depth: float) -> None:
        super().__init__()
        one, two, four, eight, sixteen = (scaled(c, width) for c in (32, 64, 128, 256, 512))
        self.to_p8 = nn.Sequential(
            Convolution(channels, one, kernel=3, stride=2),
            Convolution(one, two, kernel=3, stride=2),
            Elan(two, one, two, depth=depth),
            nn.MaxPool2d(2),
            Elan(two, two, four, depth=depth),
        )
        self.to_p16 = nn.Sequential(nn.MaxPool2d(2), Elan(four, four, eight, depth=depth))
        self.to_p32 = nn.Sequential(nn.MaxPool2d(2), Elan(eight, eight, sixteen, depth=depth))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        p8 = self.to_p8(x)
        p16 = self.to_p16(p8)
        return p8, p16, self.to_p32(p16)


class Neck(nn.Module):
    """P8, P16 and P32, each told of the others: first from coarse to fine, then back (PAN, Liu et al., 2018)."""

    def __init__(self, *, width: float, depth: float) -> None:
        super().__init__()
        one, two, four, eight, sixteen = (scaled(c, width) for c in (32, 64, 128, 256, 512))
        self.pool = PyramidPooling(sixteen, eight)
        self.down_to_16, self.from_16 = Convolution(eight, four), Convolution(eight, four)
        self.mix_16 = Elan(2 * four, two, four, depth=depth)
        self.down_to_8, self.from_8 = Convolution(four, two), Convolution(four, two)
        self.mix_8 = Elan(2 * two, one, two, depth=depth)
        self.up_to_16 = Convolution(two, four, kernel=3, stride=2)
        self.mix_16_again = Elan(2 * four, two, four, depth=depth)
        self.up_to_32 = Convolution(four, eight, kernel=3, stride=2)
        self.mix_32 = Elan(2 * eight, four, eight, depth=depth)
        self.finer = nn.Upsample(scale_factor=2, mode="nearest")
        self.ends = nn.ModuleList(
            Convolution(before, after, kernel=3) for before, after in ((two, four), (four, eight), (eight, sixteen))
        )

    def forward(self, p8: Tensor, p16: Tensor, p32: Tensor) -> tuple[Tensor, ...]:
        """See the class; 128, 256 and 512 channels come out, at width 1."""
        p32 = self.pool(p32)
        p16 = self.mix_16(torch.cat((self.from_16(p16), self.finer(self.down_to_16(p32))), dim=1))
        p8 = self.mix_8(torch.cat((self.from_8(p8), self.finer(self.down_to_8(p16))), dim=1))
        p16 = self.mix_16_again(torch.cat((self.up_to_16(p8), p16), dim=1))
        p32 = self.mix_32(torch.cat((self.up_to_32(p16), p32), dim=1))
        return tuple(end(scale) for end, scale in zip(self.ends, (p8, p16, p32), strict=True))


class Elan(nn.Module):
    """Two 1 x 1 convolutions, a chain of 3 x 3 ones behind the second, and one that reads them all."""

    def __init__(self, before: int, narrow: int, after: int, *, depth: float) -> None:
        super().__init__()
        links = max(1, round(2 * depth))
        self.aside, self.into = Convolution(before, narrow), Convolution(before, narrow)
        self.chain = nn.ModuleList(Convolution(narrow, narrow, kernel=3) for _ in range(links))
        self.joint = Convolution((2 + links) * narrow, after)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        parts = [self.aside(x), self.into(x)]
        for link in self.chain:
            parts.append(link(parts[-1]))
        joined: Tensor = self.joint(torch.cat(parts, dim=1))
        return joined


class PyramidPooling(nn.Module):
    """The largest values within 5, 9 and 13 cells beside the cells themselves (He et al., 2014)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.aside, self.into = Convolution(before, after), Convolution(before, after)
        self.pool = nn.MaxPool2d(kernel_size=5, stride=1, padding=2)
        self.pooled, self.joint = Convolution(4 * after, after), Convolution(2 * after, after)

    def forward(self, x: Tensor) -> Tensor:
        """See the class; pooling the pooled by 5 again is pooling by 9, and once more by 13."""
        parts = [self.into(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        joined: Tensor = self.joint(torch.cat((self.aside(x), self.pooled(torch.cat(parts, dim=1))), dim=1))
        return joined


class Convolution(nn.Sequential):
    """A convolution, its batch norm, and a ReLU with a slope of 0.1 below zero."""

    def __init__(self, before: int, after: int, *, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(after, eps=1e-3, momentum=0.03),
            nn.LeakyReLU(0.1, inplace=True),
        )


def _begin_unsure(head: nn.Module) -> None:
    """Every class at `PRIOR` in every cell, every box two strides wide and high."""
    assert isinstance(head, nn.Conv2d) and head.bias is not None
    nn.init.normal_(head.weight, std=0.01)
    with torch.no_grad():
        head.bias[4:] = -math.log((1 - PRIOR) / PRIOR)


def _opponent_colours() -> nn.Module:
    mixed = nn.Conv2d(3, 3, kernel_size=1, bias=False)
    with torch.no_grad():
        mixed.weight.copy_(torch.tensor(OPPONENT).reshape(3, 3, 1, 1))
    return mixed.requires_grad_(False)
