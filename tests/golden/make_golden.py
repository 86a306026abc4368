#!/usr/bin/env python3
"""Writes the golden files in data/: what PyTorch computes, for the tests to compare with.

    python3 make_golden.py [folder]

Weights and inputs are float32; PyTorch computes with them in float64 and every result is rounded to float32 once, so a
golden value is PyTorch's answer without PyTorch's own rounding. Losses stay float64. PyTorch is needed to write the
files, not to use them. Each file is one safetensors file of many cases: tensor "case/name", and in the metadata one
entry "case" with its configuration as key=value words. Enumerations are the numbers of the public headers.
"""

import json
import struct
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

MSE, MAE, HUBER, BCE_LOGITS = range(4)
MEAN, SUM, BATCH_MEAN = range(3)
REVERSED, FORWARD, FUTURE = range(3)
NOTHING, OUTPUT, CODE, TRUTH = range(4)
IDENTITY, RELU, TANH, SIGMOID = range(4)
SGD, ADAM, ADAMW, RMSPROP = range(4)


class Golden:
    """Cases of one file."""

    DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}

    def __init__(self):
        self.tensors, self.cases = {}, {}

    def case(self, name, config):
        self.cases[name] = " ".join(f"{key}={value:g}" for key, value in config.items())
        self.prefix = name

    def add(self, name, tensor, keep=False):
        tensor = torch.atleast_1d(tensor.detach()).contiguous()
        if tensor.dtype == torch.float64 and not keep:
            tensor = tensor.float()
        self.tensors[f"{self.prefix}/{name}"] = tensor

    def write(self, path):
        header, offset = {"__metadata__": self.cases}, 0
        for name, tensor in self.tensors.items():
            end = offset + tensor.numel() * tensor.element_size()
            entry = {"dtype": self.DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, end]}
            header[name] = entry
            offset = end
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for tensor in self.tensors.values():
                file.write(tensor.numpy().astype(tensor.numpy().dtype.newbyteorder("<")).tobytes())
        print(f"{path}: {len(self.cases)} cases, {path.stat().st_size} bytes")


def draw(*shape, scale=1.0):
    """Uniform in [-scale, scale), exact in float32."""
    return (scale * (2 * torch.rand(*shape, dtype=torch.float32) - 1)).double()


def draw_parameters(module, scale=0.5):
    for parameter in module.parameters():
        parameter.data = draw(*parameter.shape, scale=scale)
    return module


def add_parameters(golden, module, gradients=True):
    for name, parameter in module.named_parameters():
        golden.add(f"param.{name}", parameter)
        if gradients:
            golden.add(f"grad.{name}", torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)


# --- LSTM -------------------------------------------------------------------------------------------------------------


def lstm_case(golden, name, T, B, I, H, layers=1, bidirectional=0, bias=1, state=0, lengths=None, scale=0.5):
    torch.manual_seed(len(golden.cases) + 1)
    golden.case(name, dict(T=T, B=B, I=I, H=H, layers=layers, bidirectional=bidirectional, bias=bias))
    D = 1 + bidirectional
    lstm = draw_parameters(nn.LSTM(I, H, layers, bias=bool(bias), bidirectional=bool(bidirectional)), scale)
    x = draw(T, B, I).requires_grad_()
    start = draw if state else torch.zeros
    h0, c0 = (start(layers * D, B, H).requires_grad_() for _ in "hc")
    if lengths is None:
        y, (h, c) = lstm(x, (h0, c0))
    else:
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        y, (h, c) = lstm(packed, (h0, c0))
        y, _ = nn.utils.rnn.pad_packed_sequence(y, total_length=T)
        golden.add("lengths", torch.tensor(lengths))
    dy, dh, dc = draw(*y.shape), draw(*h.shape), draw(*c.shape)
    ((y * dy).sum() + (h * dh).sum() + (c * dc).sum()).backward()
    for key, value in dict(x=x, dy=dy, dh=dh, dc=dc, y=y, h=h, c=c, dx=x.grad, dh0=h0.grad, dc0=c0.grad).items():
        golden.add(key, value)
    if state:
        golden.add("h0", h0)
        golden.add("c0", c0)
    add_parameters(golden, lstm)


def make_lstm():
    golden = Golden()
    lstm_case(golden, "plain", T=5, B=3, I=4, H=6)
    lstm_case(golden, "one_of_each", T=1, B=1, I=1, H=1)
    lstm_case(golden, "one_step", T=1, B=5, I=3, H=7, layers=2)
    lstm_case(golden, "one_sample", T=9, B=1, I=3, H=7, layers=2)
    lstm_case(golden, "two_layers", T=7, B=3, I=5, H=9, layers=2)
    lstm_case(golden, "three_layers", T=6, B=2, I=7, H=5, layers=3, state=1)
    lstm_case(golden, "no_bias", T=6, B=4, I=3, H=5, layers=2, bias=0)
    lstm_case(golden, "state", T=5, B=3, I=3, H=5, layers=2, state=1)
    lstm_case(golden, "bidirectional", T=6, B=3, I=5, H=4, bidirectional=1)
    lstm_case(golden, "bidirectional_state", T=5, B=2, I=3, H=5, layers=2, bidirectional=1, state=1)
    lstm_case(golden, "bidirectional_three", T=4, B=3, I=3, H=3, layers=3, bidirectional=1, bias=0)
    lstm_case(golden, "lengths", T=7, B=5, I=3, H=5, lengths=[3, 7, 1, 5, 3])
    lstm_case(golden, "lengths_short", T=8, B=3, I=3, H=5, layers=2, state=1, lengths=[2, 5, 4])
    lstm_case(golden, "lengths_bidirectional", T=6, B=4, I=4, H=3, layers=2, bidirectional=1, state=1,
              lengths=[4, 1, 6, 5])
    lstm_case(golden, "wide", T=5, B=17, I=35, H=33, scale=0.3)
    lstm_case(golden, "wide_two", T=11, B=9, I=16, H=19, layers=2, state=1, scale=0.3)
    lstm_case(golden, "long", T=60, B=2, I=2, H=11, scale=0.4)
    lstm_case(golden, "saturated", T=6, B=3, I=3, H=8, scale=6.0)
    return golden


# --- layers -----------------------------------------------------------------------------------------------------------


class TakeOutput(nn.LSTM):
    """An LSTM that gives its output alone, for nn.Sequential."""

    def forward(self, x):
        return super().forward(x)[0]


def layer_case(golden, name, kind, module, shape):
    torch.manual_seed(100 + kind)
    draw_parameters(module)
    golden.case(name, dict(kind=kind))
    x = draw(*shape).requires_grad_()
    y = module(x)
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    for key, value in dict(x=x, y=y, dy=dy, dx=x.grad).items():
        golden.add(key, value)
    add_parameters(golden, module)


def make_layers():
    golden = Golden()
    layer_case(golden, "linear", 0, nn.Linear(5, 7), (3, 4, 5))
    layer_case(golden, "linear_no_bias", 1, nn.Linear(5, 7, bias=False), (6, 5))
    layer_case(golden, "relu", 2, nn.ReLU(), (3, 7))
    layer_case(golden, "tanh", 3, nn.Tanh(), (3, 7))
    layer_case(golden, "sigmoid", 4, nn.Sigmoid(), (2, 3, 5))
    dense = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 5), nn.Tanh(), nn.Linear(5, 6), nn.Sigmoid())
    layer_case(golden, "dense", 5, dense, (7, 6))
    layer_case(golden, "lstm_linear", 6, nn.Sequential(TakeOutput(4, 5, 2), nn.Linear(5, 3)), (6, 2, 4))
    return golden


# --- losses -----------------------------------------------------------------------------------------------------------


def element_loss(kind, pred, target, delta):
    if kind == MSE:
        return functional.mse_loss(pred, target, reduction="none")
    if kind == MAE:
        return functional.l1_loss(pred, target, reduction="none")
    if kind == HUBER:
        return functional.huber_loss(pred, target, reduction="none", delta=delta)
    return functional.binary_cross_entropy_with_logits(pred, target, reduction="none")


def reduce_loss(values, reduction, batch_axis=1, mask=None):
    if mask is not None:
        values = values * mask
    if reduction == MEAN:
        return values.mean() if mask is None else values.sum() / mask.expand_as(values).sum()
    return values.sum() / (values.shape[batch_axis] if reduction == BATCH_MEAN else 1)


def make_losses():
    golden = Golden()
    for shape, axis, where in [((4, 3, 5), 1, "sequence"), ((2, 3, 4, 5), 0, "image")]:
        torch.manual_seed(200 + axis)
        pred, target = draw(*shape, scale=3.0), (draw(*shape) + 1) / 2
        pred.view(-1)[:4] = torch.tensor([90.0, -90.0, 20.0, -20.0])
        pred.view(-1)[7] = target.view(-1)[7]
        masks = {"all": None, "elements": (draw(*shape) > -0.3).double() * 0.75}
        if axis == 1:
            masks["frames"] = torch.tensor([[1, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1.0]]).double().unsqueeze(-1)
        for kind in range(4):
            for reduction in range(3):
                for masked, mask in masks.items():
                    golden.case(f"{where}_{kind}{reduction}_{masked}",
                                dict(kind=kind, reduction=reduction, batch_axis=axis, delta=0.75))
                    p = pred.clone().requires_grad_()
                    value = reduce_loss(element_loss(kind, p, target, 0.75), reduction, axis, mask)
                    value.backward()
                    golden.add("pred", pred)
                    golden.add("target", target)
                    if mask is not None:
                        golden.add("mask", mask)
                    golden.add("value", value, keep=True)
                    golden.add("grad", p.grad)
    return golden


# --- sequence to sequence ---------------------------------------------------------------------------------------------

ACTIVATIONS = {IDENTITY: lambda x: x, RELU: torch.relu, TANH: torch.tanh, SIGMOID: torch.sigmoid}


class Decoder(nn.Module):
    """One decoder as seq2seq.h states it, called step by step."""

    def __init__(self, features, encoder, target=REVERSED, input=OUTPUT, feedback=IDENTITY, layers=0, hidden=0, steps=0,
                 weight=1.0, bias=1, zero=0, shared=0, code=0):
        super().__init__()
        width = encoder.hidden_size * (2 if encoder.bidirectional else 1)
        self.zero = zero
        self.features, self.target, self.input, self.feedback = features, target, input, feedback
        self.steps, self.weight = steps, weight
        layers, hidden = layers or encoder.num_layers, hidden or width
        self.lstm = encoder if shared else nn.LSTM(code or width if input == CODE else features, hidden, layers,
                                                   bias=bool(bias))
        self.out = nn.Linear(hidden, features)
        if hidden != width and not zero:
            self.bridge_h, self.bridge_c = (nn.ModuleDict({
                str(l): nn.Linear(width, hidden, bias=False) for l in range(layers) if l >= layers - encoder.num_layers
            }) for _ in "hc")
        else:
            self.bridge_h = self.bridge_c = None

    def start(self, states, bridge):
        """states [Le,B,width], aligned at the top."""
        layers, missing = self.lstm.num_layers, self.lstm.num_layers - states.shape[0]
        rows = []
        for l in range(layers):
            if l < missing or self.zero:
                rows.append(states.new_zeros(states.shape[1], self.lstm.hidden_size))
            else:
                row = states[l - missing]
                rows.append(bridge[str(l)](row) if bridge is not None else row)
        return torch.stack(rows)

    def forward(self, h, c, steps, truth, code=None):
        """h, c: the encoder's final states; truth: this decoder's target, or None; code: where it is not h."""
        code, state = h[-1] if code is None else code, (self.start(h, self.bridge_h), self.start(c, self.bridge_c))
        outputs = []
        for t in range(steps):
            if self.input == CODE:
                seen = code
            elif t == 0 or self.input == NOTHING:
                seen = h.new_zeros(h.shape[1], self.features)
            elif self.input == TRUTH and truth is not None:
                seen = truth[t - 1]
            else:
                seen = ACTIVATIONS[self.feedback](outputs[-1])
            y, state = self.lstm(seen.unsqueeze(0), state)
            outputs.append(self.out(y[0]))
        return torch.stack(outputs)


class Seq2Seq(nn.Module):
    def __init__(self, features, hidden, decoders, layers=1, bidirectional=0, bias=1, code=0, activation=IDENTITY):
        super().__init__()
        self.encoder = nn.LSTM(features, hidden, layers, bidirectional=bool(bidirectional), bias=bool(bias))
        self.decoders = nn.ModuleList(Decoder(features, self.encoder, **dict(dict(code=code), **options))
                                      for options in decoders)
        self.activation, width = ACTIVATIONS[activation], hidden * (1 + bidirectional)
        self.code = nn.Linear(width, code) if code else None
        if code and not all(decoder.zero for decoder in self.decoders):
            self.code_h, self.code_c = (nn.ModuleList(nn.Linear(code, width) for _ in range(layers)) for _ in "hc")

    def encode(self, x, lengths=None):
        if lengths is not None:
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        _, states = self.encoder(x)
        if self.encoder.bidirectional:
            states = tuple(torch.stack([torch.cat([s[l], s[l + 1]], 1) for l in range(0, len(s), 2)]) for s in states)
        return states

    def bottleneck(self, h, c):
        """The code, and the states that decoders start from."""
        if self.code is None:
            return h[-1], h, c
        code = self.activation(self.code(h[-1]))
        if hasattr(self, "code_h"):
            h, c = (torch.stack([to(code) for to in maps]) for maps in (self.code_h, self.code_c))
        return code, h, c

    def targets(self, decoder, x, future, lengths):
        """Target of a decoder in its own time order, and the mask of what counts."""
        if decoder.target == FUTURE:
            return future[:decoder.steps], None
        lengths = lengths or [x.shape[0]] * x.shape[1]
        target = x
        if decoder.target == REVERSED:
            target = torch.stack([torch.cat([x[:n, b].flip(0), x[n:, b]]) for b, n in enumerate(lengths)], 1)
        mask = torch.arange(x.shape[0]).unsqueeze(1) < torch.tensor(lengths).unsqueeze(0)
        return target, mask.double().unsqueeze(-1)

    def forward(self, x, future=None, lengths=None, training=True):
        code, h, c = self.bottleneck(*self.encode(x, lengths))
        outputs = []
        for decoder in self.decoders:
            target = self.targets(decoder, x, future, lengths)[0] if training else None
            outputs.append(decoder(h, c, decoder.steps or x.shape[0], target, code))
        return outputs

    def losses(self, outputs, x, future, lengths, kind, reduction):
        values = []
        for decoder, output in zip(self.decoders, outputs):
            target, mask = self.targets(decoder, x, future, lengths)
            values.append(reduce_loss(element_loss(kind, output, target, 1.0), reduction, 1, mask))
        return values


def seq2seq_config(decoders, **more):
    config = dict(more, decoders=len(decoders))
    for i, options in enumerate(decoders):
        config.update({f"d{i}.{key}": value for key, value in options.items()})
    return config


def seq2seq_case(golden, name, decoders, T=4, B=3, F=5, H=6, layers=1, bidirectional=0, bias=1, loss=MSE,
                 reduction=MEAN, lengths=None, generate=0, code=0, activation=IDENTITY):
    torch.manual_seed(300 + len(golden.cases))
    model = draw_parameters(Seq2Seq(F, H, decoders, layers, bidirectional, bias, code, activation))
    steps = max([d.get("steps", 0) for d in decoders])
    golden.case(name, seq2seq_config(decoders, T=T, B=B, F=F, H=H, layers=layers, bidirectional=bidirectional,
                                     bias=bias, loss=loss, reduction=reduction,
                                     **(dict(code=code, activation=activation) if code else {})))
    x, future = (draw(T, B, F) + 1) / 2, (draw(max(steps, 1), B, F) + 1) / 2
    golden.add("x", x)
    if steps:
        golden.add("future", future)
    if lengths is not None:
        golden.add("lengths", torch.tensor(lengths))
    outputs = model(x, future, lengths)
    values = model.losses(outputs, x, future, lengths, loss, reduction)
    total = sum(decoder.weight * value for decoder, value in zip(model.decoders, values))
    total.backward()
    golden.add("loss", total, keep=True)
    golden.add("losses", torch.stack(values), keep=True)
    for i, output in enumerate(outputs):
        golden.add(f"output.{i}", output)
    add_parameters(golden, model)
    with torch.no_grad():
        code, h, c = model.bottleneck(*model.encode(x, lengths))
        golden.add("code", code)
        inferred = model(x, future, lengths, training=False)
        for decoder, output in zip(model.decoders, inferred):
            if decoder.target == FUTURE:
                continue
            n = lengths or [T] * B
            if decoder.target == REVERSED:
                output = torch.stack([torch.cat([output[:k, b].flip(0), output[k:, b]]) for b, k in enumerate(n)], 1)
            mask = model.targets(decoder, x, future, lengths)[1]
            golden.add("reconstruction", mask * ACTIVATIONS[decoder.feedback](output))
            break
        if generate:
            decoder = next(d for d in model.decoders if d.target == FUTURE)
            golden.add("generated", ACTIVATIONS[decoder.feedback](decoder(h, c, generate, None, code)))


def make_seq2seq():
    golden = Golden()

    def add(name, decoders, **more):
        seq2seq_case(golden, name, decoders, **more)

    for target, word in [(REVERSED, "reversed"), (FORWARD, "forward"), (FUTURE, "future")]:
        steps = dict(steps=3) if target == FUTURE else {}
        generate = 5 if target == FUTURE else 0
        add(f"{word}_nothing", [dict(target=target, input=NOTHING, **steps)], generate=generate)
        add(f"{word}_output", [dict(target=target, input=OUTPUT, **steps)], generate=generate)
        add(f"{word}_sigmoid", [dict(target=target, input=OUTPUT, feedback=SIGMOID, **steps)], loss=BCE_LOGITS,
            reduction=BATCH_MEAN, generate=generate)
        add(f"{word}_code", [dict(target=target, input=CODE, **steps)], generate=generate)
        add(f"{word}_truth", [dict(target=target, input=TRUTH, **steps)], generate=generate)
    composite = [dict(target=REVERSED), dict(target=FUTURE, steps=5)]
    add("composite", composite, generate=7)
    add("composite_two_layers", composite, layers=2, T=5, generate=4)
    add("composite_weights", [dict(target=REVERSED, weight=0.25), dict(target=FUTURE, steps=2, weight=2.0)], loss=HUBER)
    add("composite_two_kinds", [dict(target=FORWARD, input=NOTHING), dict(target=FUTURE, steps=3, feedback=TANH)],
        reduction=SUM)
    add("three_decoders", [dict(target=REVERSED), dict(target=FORWARD, input=CODE),
                           dict(target=FUTURE, steps=6, input=TRUTH)], layers=2)
    add("bridge_narrow", [dict(target=REVERSED, hidden=4)])
    add("bridge_wide", [dict(target=REVERSED, hidden=9), dict(target=FUTURE, steps=3, hidden=3)], layers=2, generate=4)
    add("code_other_width", [dict(target=FORWARD, input=CODE, hidden=4)], layers=2)
    add("shallow_decoder", [dict(target=REVERSED, layers=1)], layers=2)
    add("deep_decoder", [dict(target=REVERSED, layers=3)], layers=2)
    add("deep_bridge", [dict(target=FUTURE, steps=3, layers=2, hidden=4)], layers=1)
    add("bidirectional", [dict(target=REVERSED), dict(target=FUTURE, steps=3, input=CODE)], bidirectional=1, H=4,
        layers=2)
    add("bidirectional_bridge", [dict(target=REVERSED, hidden=5)], bidirectional=1, H=3)
    add("no_bias", [dict(target=REVERSED, bias=0)], bias=0)
    add("one_of_each", [dict(target=REVERSED), dict(target=FUTURE, steps=1)], T=1, B=1, F=1, H=1, generate=2)
    add("lengths", [dict(target=REVERSED), dict(target=FORWARD, input=NOTHING)], T=5, lengths=[3, 5, 1])
    add("lengths_bidirectional", [dict(target=REVERSED, input=OUTPUT), dict(target=FUTURE, steps=2)], T=4,
        bidirectional=1, lengths=[4, 2, 3], H=4, generate=2)
    add("wide", composite, T=4, B=5, F=19, H=18)
    return golden


def make_structures():
    """Cells that are shared, states of zeros, and layers between encoder and decoders."""
    golden = Golden()

    def add(name, decoders, **more):
        seq2seq_case(golden, name, decoders, **dict(dict(T=3, B=2, F=3, H=4), **more))

    repeated = dict(target=FORWARD, input=CODE, zero=1)
    future = dict(target=FUTURE, input=CODE, zero=1, steps=2, layers=1, hidden=5)
    add("repeated", [repeated], loss=MAE)
    add("repeated_composite", [repeated, future], layers=2, generate=3)
    add("repeated_bidirectional", [dict(repeated, hidden=3)], bidirectional=1, layers=2, lengths=[2, 3])
    add("shared", [dict(target=REVERSED, shared=1)])
    add("shared_by_all", [dict(target=REVERSED, input=NOTHING, shared=1), dict(target=FUTURE, steps=2, shared=1),
                          dict(target=FORWARD, input=TRUTH, weight=0.5)], layers=2, generate=3)
    add("shared_repeated", [dict(repeated, shared=1)], F=4, bias=0)
    add("code", [dict(target=REVERSED)], code=2)
    add("code_repeated", [repeated], code=2, activation=TANH)
    add("code_composite", [dict(target=REVERSED, input=CODE), future], layers=2, code=3, activation=SIGMOID,
        bidirectional=1, generate=3)
    add("code_shared", [dict(target=REVERSED, shared=1)], layers=2, code=2, activation=TANH)
    return golden



# --- training ---------------------------------------------------------------------------------------------------------


def make_optimizer(kind, parameters, lr, momentum=0.0, nesterov=0, centered=0, weight_decay=0.0, eps=None, **_):
    eps = {} if eps is None else dict(eps=eps)
    if kind == SGD:
        return torch.optim.SGD(parameters, lr, momentum=momentum, weight_decay=weight_decay, nesterov=bool(nesterov))
    if kind == RMSPROP:
        return torch.optim.RMSprop(parameters, lr, momentum=momentum, weight_decay=weight_decay,
                                   centered=bool(centered), **eps)
    return (torch.optim.Adam if kind == ADAM else torch.optim.AdamW)(parameters, lr, weight_decay=weight_decay, **eps)


def train_case(golden, name, weights, xs, futures, decoders, kind, lr, **options):
    F, H, layers = xs.shape[3], 7, 2
    model = Seq2Seq(F, H, decoders, layers)
    model.load_state_dict(weights)
    golden.case(name, dict(options, kind=kind, lr=lr))
    optimizer = make_optimizer(kind, model.parameters(), lr, **options)
    losses, norms = [], []
    for x, future in zip(xs, futures):
        optimizer.zero_grad()
        value = sum(model.losses(model(x, future), x, future, None, MSE, BATCH_MEAN))
        value.backward()
        norms.append(torch.stack([p.grad.square().sum() for p in model.parameters()]).sum().sqrt())
        if options.get("clip_norm"):
            torch.nn.utils.clip_grad_norm_(model.parameters(), options["clip_norm"])
        if options.get("clip_value"):
            torch.nn.utils.clip_grad_value_(model.parameters(), options["clip_value"])
        optimizer.step()
        losses.append(value.detach())
    golden.add("losses", torch.stack(losses), keep=True)
    golden.add("norms", torch.stack(norms), keep=True)
    for parameter_name, parameter in model.named_parameters():
        golden.add(f"final.{parameter_name}", parameter)


def make_train():
    golden = Golden()
    torch.manual_seed(400)
    steps, T, K, B, F, H, layers = 20, 5, 4, 3, 6, 7, 2
    decoders = [dict(target=REVERSED), dict(target=FUTURE, steps=K)]
    model = draw_parameters(Seq2Seq(F, H, decoders, layers), 0.4)
    golden.case("start", seq2seq_config(decoders, T=T, B=B, F=F, H=H, layers=layers, loss=MSE, reduction=BATCH_MEAN))
    xs, futures = (draw(steps, T, B, F) + 1) / 2, (draw(steps, K, B, F) + 1) / 2
    golden.add("x", xs)
    golden.add("future", futures)
    add_parameters(golden, model, gradients=False)
    weights = {name: value.clone() for name, value in model.state_dict().items()}

    def add(name, kind, lr, **options):
        train_case(golden, name, weights, xs, futures, decoders, kind, lr, **options)

    add("sgd", SGD, 0.01)
    add("sgd_decay", SGD, 0.01, weight_decay=0.01)
    add("sgd_momentum", SGD, 0.003, momentum=0.9)
    add("sgd_nesterov", SGD, 0.003, momentum=0.9, nesterov=1, weight_decay=0.01)
    add("sgd_clip_norm", SGD, 0.01, momentum=0.5, clip_norm=1.0)
    add("sgd_clip_value", SGD, 0.01, clip_value=0.5)
    add("adam", ADAM, 0.01)
    add("adam_decay", ADAM, 0.01, weight_decay=0.02, eps=1e-4)
    add("adam_clip_norm", ADAM, 0.01, clip_norm=0.5)
    add("adam_clip_both", ADAM, 0.01, clip_norm=2.0, clip_value=0.2)
    add("adamw", ADAMW, 0.01, weight_decay=0.05)
    add("adamw_clip_norm", ADAMW, 0.01, weight_decay=0.01, clip_norm=0.5)
    add("rmsprop", RMSPROP, 0.003)
    add("rmsprop_momentum", RMSPROP, 0.001, momentum=0.8, weight_decay=0.01)
    add("rmsprop_centered", RMSPROP, 0.003, centered=1, eps=1e-4, clip_norm=1.0)
    return golden


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for name, make in dict(lstm=make_lstm, layers=make_layers, losses=make_losses, seq2seq=make_seq2seq,
                           structures=make_structures, train=make_train).items():
        make().write(folder / f"{name}.safetensors")


if __name__ == "__main__":
    main()
