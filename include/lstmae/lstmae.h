/**
 * @file lstmae.h
 * All of the public API, except backend.h, which only authors of backends need.
 */
#ifndef LSTMAE_H
#define LSTMAE_H

#include <lstmae/autoencoder.h>
#include <lstmae/base.h>
#include <lstmae/checkpoint.h>
#include <lstmae/context.h>
#include <lstmae/conv.h>
#include <lstmae/data.h>
#include <lstmae/detection.h>
#include <lstmae/events.h>
#include <lstmae/image.h>
#include <lstmae/latent.h>
#include <lstmae/layers.h>
#include <lstmae/log.h>
#include <lstmae/loss.h>
#include <lstmae/lstm.h>
#include <lstmae/measure.h>
#include <lstmae/module.h>
#include <lstmae/neighbors.h>
#include <lstmae/noise.h>
#include <lstmae/norm.h>
#include <lstmae/npy.h>
#include <lstmae/optim.h>
#include <lstmae/pca.h>
#include <lstmae/pool.h>
#include <lstmae/projector.h>
#include <lstmae/scaler.h>
#include <lstmae/schedule.h>
#include <lstmae/score.h>
#include <lstmae/seq2seq.h>
#include <lstmae/session.h>
#include <lstmae/status.h>
#include <lstmae/table.h>
#include <lstmae/tensor.h>
#include <lstmae/threshold.h>
#include <lstmae/train.h>
#include <lstmae/windows.h>

#endif
