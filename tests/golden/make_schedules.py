#!/usr/bin/env python3
"""Writes schedules.h beside this file: learning rates of PyTorch's schedulers, for tests/unit/test_schedule.c."""
import pathlib

import torch
from torch.optim import lr_scheduler

LR = 0.05
STEPS = 30
METRICS = [1.0, 0.9, 0.95, 0.91, 0.90005, 0.8999, 0.89985, 0.8, 0.85, float("nan"), 0.9, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7,
           0.7, 0.69, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def rates(make):
    opt = optimizer()
    scheduler = make(opt)
    out = []
    for _ in range(STEPS):
        out.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    return out


def plateau(mode, metrics):
    opt = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(opt, mode=mode, factor=0.3, patience=2, threshold=1e-3, min_lr=2e-3)
    out = []
    for metric in metrics:
        scheduler.step(metric)
        out.append(opt.param_groups[0]["lr"])
    return out


def text(name, values):
    rows = ",\n".join("    " + ("NAN" if v != v else repr(v)) for v in values)
    return f"static const double {name}[] = {{\n{rows}\n}};\n"


tables = {
    "torch_step": rates(lambda o: lr_scheduler.StepLR(o, step_size=7, gamma=0.5)),
    "torch_exponential": rates(lambda o: lr_scheduler.ExponentialLR(o, gamma=0.93)),
    "torch_cosine": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.004)),
    "torch_warmup_cosine": rates(lambda o: lr_scheduler.SequentialLR(o, [
        lr_scheduler.LinearLR(o, start_factor=1 / 5, end_factor=1.0, total_iters=4),
        lr_scheduler.CosineAnnealingLR(o, T_max=STEPS - 5, eta_min=0.004)], milestones=[5])),
    "plateau_metrics": METRICS,
    "torch_plateau": plateau("min", METRICS),
    "torch_plateau_max": plateau("max", [-m + 2 for m in METRICS]),
}
header = f"/* Made by make_schedules.py with PyTorch {torch.__version__.split('+')[0]}: lr {LR}. */\n"
body = header + "\n#include <math.h>\n\n" + "\n".join(text(name, values) for name, values in tables.items())
pathlib.Path(__file__).with_name("schedules.h").write_text(body)
