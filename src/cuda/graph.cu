/*
 * A training step as one graph. Entries between capture_begin and capture_end are taken from lane MAIN's stream; lane
 * SIDE joins by the events of its forks. What changes from launch to launch is in queue->step, which a kernel of one
 * thread writes before the graph: kernels of the graph read it there.
 *
 * A graph holds addresses. Those of tensors are its caller's concern, those of scratch are compared before each launch.
 */
#include "entries.h"
#include "launch.h"

#include <unistd.h>

struct lstmae_graph {
    cudaGraphExec_t exec;
    const void *scratch[LAE_CU_LANES]; /* that the kernels were given */
};

static __global__ void step_set_kernel(lae_cu_step *step, lae_cu_step values)
{
    *step = values;
}

lstmae_status lae_cu_capture_begin(lstmae_queue *queue)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_CALL(queue, cudaStreamBeginCapture(queue->lanes[LAE_CU_MAIN].stream, cudaStreamCaptureModeThreadLocal));
    queue->capturing = 1;
    return LSTMAE_OK;
}

static lstmae_status graph_instantiate(lstmae_queue *queue, cudaGraph_t captured, lstmae_graph **out)
{
    const lstmae_memory *memory = &queue->memory;
    lstmae_graph *graph = static_cast<lstmae_graph *>(memory->alloc(sizeof *graph, 64, memory->payload));
    if (!graph) return queue->host->fail(LSTMAE_ERR_NO_MEMORY, "cuda:%d: no memory for a graph", queue->device);
    cudaError_t error = cudaGraphInstantiate(&graph->exec, captured, 0);
    if (error != cudaSuccess) {
        memory->release(graph, sizeof *graph, memory->payload);
        return lae_cu_check(queue, error, "cudaGraphInstantiate");
    }
    for (int i = 0; i < LAE_CU_LANES; i++) graph->scratch[i] = queue->lanes[i].scratch;
    *out = graph;
    return LSTMAE_OK;
}

/* Also after an entry that could not be captured, which leaves the stream's capture invalid: it ends nevertheless. */
lstmae_status lae_cu_capture_end(lstmae_queue *queue, lstmae_graph **out)
{
    cudaGraph_t captured = nullptr;
    queue->capturing = 0;
    queue->active = LAE_CU_MAIN;
    cudaError_t error = cudaStreamEndCapture(queue->lanes[LAE_CU_MAIN].stream, &captured);
    lstmae_status status = LSTMAE_OK;
    if (out) {
        *out = nullptr;
        status = lae_cu_check(queue, error, "cudaStreamEndCapture");
        if (status == LSTMAE_OK) status = graph_instantiate(queue, captured, out);
    }
    if (captured) (void)cudaGraphDestroy(captured);
    if (error != cudaSuccess) (void)cudaGetLastError();
    return status;
}

lstmae_status lae_cu_graph_launch(lstmae_queue *queue, lstmae_graph *graph, const lstmae_step_values *values)
{
    cudaStream_t stream = queue->lanes[LAE_CU_MAIN].stream;
    const lae_cu_step step = { values->draws, values->lr, values->bias1, values->bias2 };
    LAE_CU_TRY(lae_cu_usable(queue));
    for (int i = 0; i < LAE_CU_LANES; i++)
        if (graph->scratch[i] != queue->lanes[i].scratch) return LSTMAE_ERR_UNSUPPORTED;
    LAE_LAUNCH(step_set_kernel, 1, 1, 0, stream, queue->step, step);
    LAE_CU_TRY(lae_cu_launched(queue, "step_set_kernel"));
    return lae_cu_check(queue, cudaGraphLaunch(graph->exec, stream), "cudaGraphLaunch");
}

/* One that still runs is given back by the runtime when it is done. */
void lae_cu_graph_release(lstmae_queue *queue, lstmae_graph *graph)
{
    if (!graph) return;
    if (queue->process == getpid() && !queue->lost)
        (void)lae_cu_check(queue, cudaGraphExecDestroy(graph->exec), "cudaGraphExecDestroy");
    queue->memory.release(graph, sizeof *graph, queue->memory.payload);
}
