/* Where a program computes: its options' words, and a line about it. */
#ifndef EX_DEVICE_H
#define EX_DEVICE_H

#include <stddef.h>

#include <lstmae/lstmae.h>

/** Words of --precision, in the order of lstmae_precision, and their explanation. */
#define EX_PRECISIONS "fp32|tf32|bf16"
#define EX_PRECISIONS_HELP "of products and convolutions on a GPU"

/** Explanation of --device. */
#define EX_DEVICES_HELP "auto, cpu, cpu:ref, cuda or cuda:N"

#define EX_DEVICE_SIZE 80

/** "cpu, 2 threads" or "cuda:0, bf16". */
void ex_device(const lstmae_context *context, char *out, size_t size);

#endif
