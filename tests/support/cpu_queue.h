/* A queue of the CPU kernels without a context: any instruction set this processor has, any number of threads. */
#ifndef LAE_TEST_CPU_QUEUE_H
#define LAE_TEST_CPU_QUEUE_H

#include "cpu/kernels.h"
#include "cpu/queue.h"

/** Opens a queue; 0 where `isa` is not available. */
int cpu_queue_open(lstmae_queue *queue, lae_isa isa, int threads);

void cpu_queue_close(lstmae_queue *queue);

#endif
