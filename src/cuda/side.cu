/*
 * The second order of work: lane SIDE. What is called between fork, or resume, and leave goes to its stream, with its
 * own products' workspace and scratch (queue.h). Fork and join are an event each; while a step is captured they become
 * edges of the graph.
 */
#include "entries.h"

static lstmae_status side_wait(lstmae_queue *queue, int waiting, int other, cudaEvent_t event)
{
    LAE_CU_CALL(queue, cudaEventRecord(event, queue->lanes[other].stream));
    LAE_CU_CALL(queue, cudaStreamWaitEvent(queue->lanes[waiting].stream, event, 0));
    return LSTMAE_OK;
}

lstmae_status lae_cu_lane_step(lstmae_queue *queue, int step)
{
    if (step == LSTMAE_LANE_LEAVE) {
        queue->active = LAE_CU_MAIN; /* without a call, so that it cannot fail */
        return LSTMAE_OK;
    }
    LAE_CU_TRY(lae_cu_usable(queue));
    if (step == LSTMAE_LANE_JOIN) return side_wait(queue, LAE_CU_MAIN, LAE_CU_SIDE, queue->joined);
    if (step == LSTMAE_LANE_FORK) LAE_CU_TRY(side_wait(queue, LAE_CU_SIDE, LAE_CU_MAIN, queue->forked));
    queue->active = LAE_CU_SIDE;
    return LSTMAE_OK;
}
