#!/usr/bin/env python3
"""Trains the networks of examples/conv_ae in PyTorch, on the same files, split and settings, for comparison.

The data come through the library itself (ctypes), so that both sides see the same pixels and the same split. Weights
and the order of the batches are each side's own, which is why figures are means over several seeds, unless --initial
takes both from the library: then a seed's losses are those of the same training in both, as long as rounding lets them.
Prints the validation loss after each epoch asked for, and the test loss, one line per seed and a mean.
"""

import argparse
import ctypes
import json
import statistics
import time

import numpy
import torch
from torch import nn
from torch.nn import functional


class LoaderOptions(ctypes.Structure):
    """lstmae_loader_options"""
    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("batch", ctypes.c_int64),
                ("input_steps", ctypes.c_int64), ("epoch_items", ctypes.c_int64), ("seed", ctypes.c_uint64)]


class Batch(ctypes.Structure):
    """lstmae_batch"""
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("x", ctypes.c_void_p),
                ("target", ctypes.c_void_p), ("count", ctypes.c_int64), ("index", ctypes.c_int64)]


SHUFFLE, DROP_LAST = 1, 2  # LSTMAE_LOADER_


class Data:
    """Train, validation and test images as tensors, read through the library."""

    def __init__(self, library, dataset, folder, split_seed):
        self.lib = ctypes.CDLL(library)
        self.lib.lstmae_last_error.restype = ctypes.c_char_p
        self.lib.lstmae_dataset_count.restype = ctypes.c_int64
        self.lib.lstmae_dataset_dim.restype = ctypes.c_int64
        self.context = ctypes.c_void_p()
        self.call("context_create", ctypes.byref(self.context), b"cpu", None)
        whole, test = (self.cifar(folder, part) if dataset == "cifar10" else self.idx(folder, part) for part in (0, 1))
        self.train_set, validation = ctypes.c_void_p(), ctypes.c_void_p()
        count = self.lib.lstmae_dataset_count(whole)
        held = min(5000, (count + 9) // 10)
        self.call("dataset_split", ctypes.byref(self.train_set), ctypes.byref(validation), whole,
                  ctypes.c_int64(count - held), ctypes.c_uint64(split_seed))
        self.train, self.validation, self.test = (self.read(d) for d in (self.train_set, validation, test))

    def call(self, name, *args):
        status = getattr(self.lib, "lstmae_" + name)(*args)
        if status < 0:
            raise SystemExit(self.lib.lstmae_last_error().decode())
        return status

    def cifar(self, folder, part):
        out = ctypes.c_void_p()
        self.call("dataset_cifar10", ctypes.byref(out), self.context, folder.encode(), part)
        return out

    def idx(self, folder, part):
        out = ctypes.c_void_p()
        path = f"{folder}/{('train', 't10k')[part]}-images-idx3-ubyte.gz"
        self.call("dataset_open", ctypes.byref(out), self.context, path.encode(), None)
        return out

    def batches(self, batch, seed):
        """Epochs without end, each a list of the numbers of its batches' images, as the library's loader shuffles."""
        options = LoaderOptions(ctypes.sizeof(LoaderOptions), SHUFFLE | DROP_LAST, batch, 0, 0, seed)
        numbers, loader = ctypes.c_void_p(), ctypes.c_void_p()
        count = self.lib.lstmae_dataset_count(self.train_set)
        values = numpy.arange(count, dtype=numpy.float32)
        self.call("dataset_from_memory", ctypes.byref(numbers), self.context,
                  values.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(count), 0, None)
        self.call("loader_create", ctypes.byref(loader), self.context, numbers, ctypes.byref(options))
        while True:
            epoch, item = [], Batch(ctypes.sizeof(Batch))
            while self.call("loader_next", loader, ctypes.byref(item)) == 1:
                index = numpy.empty(batch, numpy.float32)
                self.call("tensor_read", ctypes.c_void_p(item.x), index.ctypes.data_as(ctypes.c_void_p),
                          ctypes.c_size_t(index.nbytes))
                epoch.append(torch.from_numpy(index.astype(numpy.int64)))
            yield epoch

    def read(self, dataset):
        count = self.lib.lstmae_dataset_count(dataset)
        shape = [self.lib.lstmae_dataset_dim(dataset, axis) for axis in range(self.lib.lstmae_dataset_ndim(dataset))]
        items = numpy.empty([count] + shape, numpy.float32)
        for i in range(count):
            self.call("dataset_read", dataset, ctypes.c_int64(i), items[i].ctypes.data_as(ctypes.c_void_p),
                      ctypes.c_size_t(items[i].size))
        return torch.from_numpy(items)


# --- the networks ---------------------------------------------------------------------------------------------


def uva(latent):
    """University of Amsterdam deep learning course, tutorial 9."""
    c = 32
    encoder = nn.Sequential(
        nn.Conv2d(3, c, 3, 2, 1), nn.GELU(), nn.Conv2d(c, c, 3, 1, 1), nn.GELU(),
        nn.Conv2d(c, 2 * c, 3, 2, 1), nn.GELU(), nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.GELU(),
        nn.Conv2d(2 * c, 2 * c, 3, 2, 1), nn.GELU(), nn.Flatten(), nn.Linear(32 * c, latent))
    decoder = nn.Sequential(
        nn.Linear(latent, 32 * c), nn.GELU(), nn.Unflatten(1, (2 * c, 4, 4)),
        nn.ConvTranspose2d(2 * c, 2 * c, 3, 2, 1, 1), nn.GELU(), nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.GELU(),
        nn.ConvTranspose2d(2 * c, c, 3, 2, 1, 1), nn.GELU(), nn.Conv2d(c, c, 3, 1, 1), nn.GELU(),
        nn.ConvTranspose2d(c, 3, 3, 2, 1, 1), nn.Tanh())
    return nn.Sequential(encoder, decoder)


def mnist_conv(_):
    """Convolutions with batch norm after ReLU and maximum pooling; transposed convolutions back."""
    def block(i, o):
        return [nn.Conv2d(i, o, 3, 1, 1), nn.ReLU(), nn.BatchNorm2d(o)]

    def up(i, o, stride):
        return [nn.ConvTranspose2d(i, o, 3, stride, 1, stride - 1), nn.ReLU()]

    encoder = nn.Sequential(*block(1, 16), *block(16, 32), *block(32, 64), nn.MaxPool2d(2), *block(64, 128),
                            nn.MaxPool2d(2), nn.Conv2d(128, 256, 3, 1, 1), nn.ReLU())
    decoder = nn.Sequential(*up(256, 128, 2), nn.BatchNorm2d(128), *up(128, 64, 1), nn.BatchNorm2d(64),
                            *up(64, 16, 1), nn.BatchNorm2d(16), *up(16, 1, 2))
    return nn.Sequential(encoder, decoder)


def mnist_linear(latent):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, latent), nn.Linear(latent, 784), nn.Unflatten(1, (1, 28, 28)))


class Vae(nn.Module):
    def __init__(self, latent):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU())
        self.heads = nn.Linear(512, 2 * latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 512), nn.ReLU(), nn.Linear(512, 784))

    def loss(self, x):
        """Negative evidence lower bound, summed over pixels and codes, mean over the batch."""
        mean, log_variance = self.heads(self.body(x)).chunk(2, 1)
        code = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        error = functional.binary_cross_entropy_with_logits(self.decoder(code), x.flatten(1), reduction="sum")
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
        return (error + divergence) / x.shape[0]


MODELS = {"uva": (uva, 128), "mnist-conv": (mnist_conv, 0), "mnist-linear": (mnist_linear, 20), "vae": (Vae, 20)}


def loss_of(model, x):
    """Squared error summed over an image, mean over the batch; the VAE its own."""
    return model.loss(x) if isinstance(model, Vae) else functional.mse_loss(model(x), x, reduction="sum") / x.shape[0]


# --- training -------------------------------------------------------------------------------------------------


def evaluate(model, images, batch):
    model.eval()
    with torch.inference_mode():
        total = sum(float(loss_of(model, part)) * part.shape[0] for part in images.split(batch))
    model.train()
    return total / images.shape[0]


def load_weights(model, path):
    """Parameters of a model file of conv_ae; running statistics stay as they begin."""
    with open(path, "rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    parts = {"0": "encoder", "1": "decoder"}
    for name, parameter in model.named_parameters():
        part, rest = name.split(".", 1)
        entry = head[f"{parts[part]}.{rest}"]
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], numpy.float32).reshape(entry["shape"])
        parameter.data.copy_(torch.from_numpy(values.copy()))


def own_batches(data, batch):
    """The same as Data.batches() in PyTorch's order."""
    while True:
        order = torch.randperm(data.train.shape[0])
        yield [index for index in order.split(batch) if len(index) == batch]


def train(args, data, seed):
    torch.manual_seed(seed)
    make, latent = MODELS[args.model]
    model = make(args.latent or latent)
    if args.initial:
        load_weights(model, args.initial.replace("SEED", str(seed)))
    epochs = data.batches(args.batch, seed) if args.initial else own_batches(data, args.batch)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, fused=True)
    validation, start = {}, time.perf_counter()
    for epoch in range(1, max(args.epochs) + 1):
        for index in next(epochs):
            optimizer.zero_grad(set_to_none=True)
            loss_of(model, data.train[index]).backward()
            optimizer.step()
        if epoch in args.epochs:
            validation[epoch] = evaluate(model, data.validation, args.batch)
            print(f"seed {seed} epoch {epoch}: validation {validation[epoch]:.3f}, "
                  f"{time.perf_counter() - start:.1f} s", flush=True)
    return {"seed": seed, "validation": validation, "test": evaluate(model, data.test, args.batch),
            "seconds": time.perf_counter() - start}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default="build/release/liblstmae.so", help="which reads the data")
    parser.add_argument("--dataset", choices=["cifar10", "mnist"], default="cifar10")
    parser.add_argument("--data", required=True, help="folder with the data set's files")
    parser.add_argument("--model", choices=sorted(MODELS), default="uva")
    parser.add_argument("--latent", type=int, default=0, help="0: the model's own")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 3, 10], help="when to measure; the last one ends")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one training each")
    parser.add_argument("--initial", help="model file of conv_ae (not vae), SEED stands for the seed: begin with its "
                        "weights and take batches in conv_ae's order; 'train --epochs 1 --lr 0 --min-lr 0' leaves one")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--split-seed", type=int, default=42)
    parser.add_argument("--json", help="write the results there")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    data = Data(args.library, args.dataset, args.data, args.split_seed)
    if args.dataset == "cifar10":  # pixels in [-1, 1]
        data.train, data.validation, data.test = (2 * x - 1 for x in (data.train, data.validation, data.test))
    else:
        data.train, data.validation, data.test = (x.unsqueeze(1) for x in (data.train, data.validation, data.test))
    if args.model in ("uva", "mnist-conv"):
        form = torch.channels_last
        data.train, data.validation, data.test = (x.contiguous(memory_format=form)
                                                  for x in (data.train, data.validation, data.test))
    runs = [train(args, data, seed) for seed in args.seeds]
    for epoch in args.epochs:
        mean = statistics.mean(run["validation"][epoch] for run in runs)
        print(f"mean of {len(runs)}: epoch {epoch}: validation {mean:.3f}")
    print(f"mean of {len(runs)}: test {statistics.mean(r['test'] for r in runs):.3f}, "
          f"{statistics.mean(r['seconds'] for r in runs):.1f} s")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"torch": torch.__version__, "arguments": vars(args), "runs": runs}, file, indent=1)


if __name__ == "__main__":
    main()
