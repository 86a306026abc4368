#!/usr/bin/env python3
"""Writes data/autoencoder.safetensors: trainings of autoencoders by PyTorch, for the tests to compare with.

    python3 make_autoencoder.py [folder]

As make_golden.py. What noise and latents draw comes from a Philox of this file, written from docs/numerics.md.
"""

import math
import sys
from pathlib import Path

import torch
from torch import nn

from make_golden import (BATCH_MEAN, BCE_LOGITS, FUTURE, MSE, OUTPUT, REVERSED, CODE, Golden, Seq2Seq,
                         add_parameters, draw, draw_parameters, element_loss, reduce_loss, seq2seq_config)

GAUSSIAN, MASKING, SALT_PEPPER = range(3)
STEPS = 15


def philox(seed, stream, block):
    """The four words of a block: Philox4x32-10 of Salmon and others, SC 2011."""
    mask = 0xFFFFFFFF
    c = [block & mask, block >> 32, stream & mask, stream >> 32]
    k = [seed & mask, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & mask, (a >> 32) ^ c[3] ^ k[1], a & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def words(stream, first, count):
    return [philox(0, stream, e // 4)[e % 4] for e in range(first, first + count)]


def normal(stream, shape):
    count = math.prod(shape)
    bits = words(stream, 0, count + count % 2)
    values = []
    for i in range(0, count, 2):
        r = math.sqrt(-2 * math.log((bits[i] + 0.5) / 2**32))
        angle = 2 * math.pi * bits[i + 1] / 2**32
        values += [r * math.cos(angle), r * math.sin(angle)]
    return torch.tensor(values[:count]).reshape(shape)


def bernoulli(stream, shape, p, first=0):
    drawn = [float((bits >> 8) / 2**24 < p) for bits in words(stream, first, math.prod(shape))]
    return torch.tensor(drawn).reshape(shape)


class Draws:
    """One stream for each forward of a place: its site, and the number of draws that the context has made."""

    def __init__(self):
        self.count = 0

    def stream(self, site):
        self.count += 1
        return (site << 40) | (self.count - 1)


def add_noise(x, kind, amount, stream):
    if kind == GAUSSIAN:
        return x + amount * normal(stream, x.shape)
    kept = bernoulli(stream, x.shape, 1 - amount)
    if kind == MASKING:
        return kept * x
    return kept * x + (1 - kept) * bernoulli(stream, x.shape, 0.5, x.numel())


def divergence(mean, log_variance):
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum() / mean.shape[0]


class Autoencoder(nn.Module):
    """Eight values, seven, three, and back."""

    def __init__(self, latent, noise, amount):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 7), nn.Tanh(), nn.Linear(7, 3))
        if latent:
            self.mean, self.log_variance = nn.Linear(3, latent), nn.Linear(3, latent)
        self.decoder = nn.Sequential(nn.Linear(latent or 3, 7), nn.Tanh(), nn.Linear(7, 8))
        self.latent, self.noise, self.amount = latent, noise, amount
        # every parameter takes a site when it is made, encoder and decoder before the heads, then latent and noise
        self.latent_site = 12
        self.noise_site = 15 if latent else 8

    def objective(self, x, draws, loss):
        seen = x
        if self.noise is not None:
            seen = add_noise(x, self.noise, self.amount, draws.stream(self.noise_site))
        code, kl = self.encoder(seen), x.new_zeros(())
        if self.latent:
            mean, log_variance = self.mean(code), self.log_variance(code)
            kl = divergence(mean, log_variance)
            code = mean + (log_variance / 2).exp() * normal(draws.stream(self.latent_site), mean.shape)
        return reduce_loss(element_loss(loss, self.decoder(code), x, 1.0), BATCH_MEAN, 0), kl


class LatentSeq2Seq(Seq2Seq):
    """A sequence model with a latent between encoder and decoders."""

    def __init__(self, features, hidden, decoders, layers, latent):
        super().__init__(features, hidden, [dict(options, code=latent) for options in decoders], layers)
        heads = [nn.Linear(hidden, latent), nn.Linear(hidden, latent)]
        states = [nn.ModuleList(nn.Linear(latent, hidden) for _ in range(layers)) for _ in "hc"]
        self.mean, self.log_variance = heads
        self.latent_h, self.latent_c = states
        # the encoder's four parameters and its dropout take a site for each layer, then the heads
        self.latent_site = 5 * layers + 4

    def objective(self, x, future, draws, loss):
        code = self.encode(x)[0][-1]
        mean, log_variance = self.mean(code), self.log_variance(code)
        z = mean + (log_variance / 2).exp() * normal(draws.stream(self.latent_site), mean.shape)
        h, c = (torch.stack([to(z) for to in states]) for states in (self.latent_h, self.latent_c))
        outputs = [decoder(h, c, decoder.steps or x.shape[0], None, z) for decoder in self.decoders]
        values = self.losses(outputs, x, future, None, loss, BATCH_MEAN)
        return sum(decoder.weight * v for decoder, v in zip(self.decoders, values)), divergence(mean, log_variance)


def train(golden, model, xs, objective, beta):
    """Adam with a rate of 0.01; what is added is the start, the first gradients, all values and the end."""
    start = {name: parameter.clone() for name, parameter in model.named_parameters()}
    optimizer, draws, parts = torch.optim.Adam(model.parameters(), lr=0.01), Draws(), []
    for step in range(STEPS):
        optimizer.zero_grad()
        reconstruction, kl = objective(step, draws)
        (reconstruction + beta * kl).backward()
        if step == 0:
            for name, parameter in model.named_parameters():
                golden.add(f"param.{name}", start[name])
                golden.add(f"grad.{name}", parameter.grad)
        optimizer.step()
        parts.append(torch.stack([reconstruction, kl]).detach())
    golden.add("x", xs)
    golden.add("parts", torch.stack(parts), keep=True)
    for name, parameter in model.named_parameters():
        golden.add(f"final.{name}", parameter)


def object_case(golden, name, latent=0, beta=1.0, noise=None, amount=0.0, loss=MSE):
    torch.manual_seed(500 + len(golden.cases))
    model = draw_parameters(Autoencoder(latent, noise, amount), 0.6)
    golden.case(name, dict(latent=latent, beta=beta, noise=-1 if noise is None else noise, amount=amount, loss=loss))
    xs = (draw(STEPS, 5, 8) + 1) / 2
    train(golden, model, xs, lambda step, draws: model.objective(xs[step], draws, loss), beta)


def sequence_case(golden, name, decoders, layers, latent, beta, loss=MSE):
    torch.manual_seed(500 + len(golden.cases))
    T, B, F, H, K = 4, 3, 5, 6, 3
    model = draw_parameters(LatentSeq2Seq(F, H, decoders, layers, latent), 0.5)
    golden.case(name, seq2seq_config(decoders, sequence=1, T=T, B=B, F=F, H=H, layers=layers, latent=latent, beta=beta,
                                     loss=loss, reduction=BATCH_MEAN))
    xs, futures = (draw(STEPS, T, B, F) + 1) / 2, (draw(STEPS, K, B, F) + 1) / 2
    golden.add("future", futures)
    train(golden, model, xs, lambda step, draws: model.objective(xs[step], futures[step], draws, loss), beta)


def make_autoencoder():
    golden = Golden()
    object_case(golden, "plain")
    object_case(golden, "variational", latent=2, loss=BCE_LOGITS)
    object_case(golden, "variational_weighted", latent=4, beta=0.25)
    object_case(golden, "denoising_gaussian", noise=GAUSSIAN, amount=0.3)
    object_case(golden, "denoising_masking", noise=MASKING, amount=0.4, loss=BCE_LOGITS)
    object_case(golden, "denoising_salt_pepper", noise=SALT_PEPPER, amount=0.5)
    object_case(golden, "denoising_variational", latent=3, beta=2.0, noise=MASKING, amount=0.2)
    sequence_case(golden, "sequence", [dict(target=REVERSED, input=OUTPUT)], 1, 2, 1.0)
    sequence_case(golden, "sequence_composite",
                  [dict(target=REVERSED, input=CODE), dict(target=FUTURE, steps=3, weight=0.5, hidden=4)], 2, 3, 0.3)
    return golden


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    make_autoencoder().write(folder / "autoencoder.safetensors")


if __name__ == "__main__":
    main()
