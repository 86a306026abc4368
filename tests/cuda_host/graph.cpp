/*
 * Graphs: operations with the arguments they were captured with, and what each comes after. A launch runs them in an
 * order drawn from the seed among those that this allows.
 */
#include "stream.h"

#include <set>

struct CUgraph_st {
    std::vector<graph_node> nodes;
    size_t lanes;
};

typedef std::shared_ptr<const CUgraph_st> graph_ref;

struct CUgraphExec_st {
    graph_ref graph;
    std::vector<lane> lanes;
};

static std::set<CUgraph_st *> &graphs = *new std::set<CUgraph_st *>;
static std::set<CUgraphExec_st *> &execs = *new std::set<CUgraphExec_st *>;

cudaGraph_t graph_make(stream_capture *capture)
{
    CUgraph_st *graph = new CUgraph_st{ std::move(capture->nodes), capture->streams.size() };
    graphs.insert(graph);
    device.counts.graphs++;
    return graph;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count)
{
    api_call call("cudaGraphGetNodes");
    if (call.refused() || !graphs.count(graph) || nodes) return call.done(cudaErrorInvalidValue);
    *count = graph->nodes.size();
    return call.done();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    api_call call("cudaGraphDestroy", CALL_RELEASES);
    if (!graphs.erase(graph)) return call.done(cudaErrorInvalidValue);
    delete graph;
    device.counts.graphs--;
    return call.done();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long flags)
{
    api_call call("cudaGraphInstantiate");
    *out = nullptr;
    if (call.refused() || !graphs.count(graph) || flags != 0) return call.done(cudaErrorInvalidValue);
    CUgraphExec_st *exec = new CUgraphExec_st{ std::make_shared<const CUgraph_st>(*graph), {} };
    for (size_t i = 0; i < graph->lanes; i++) exec->lanes.push_back(lane_take());
    execs.insert(exec);
    device.counts.graphs++;
    *out = exec;
    return call.done();
}

static void exec_delete(CUgraphExec_st *exec)
{
    for (const lane &place : exec->lanes) lane_give(place);
    execs.erase(exec);
    delete exec;
}

/* A launch that is still queued is waited for: it holds the lanes. */
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    api_call call("cudaGraphExecDestroy", CALL_RELEASES);
    if (!execs.count(exec)) return call.done(cudaErrorInvalidValue);
    cudaError_t error = streams_finish();
    exec_delete(exec);
    device.counts.graphs--;
    return call.done(error);
}

static bool graph_same(const CUgraph_st *a, const CUgraph_st *b, cudaGraphExecUpdateResult *why)
{
    *why = cudaGraphExecUpdateErrorTopologyChanged;
    if (a->nodes.size() != b->nodes.size() || a->lanes != b->lanes) return false;
    for (size_t i = 0; i < a->nodes.size(); i++) {
        if (a->nodes[i].after != b->nodes[i].after) return false;
        if (a->nodes[i].work->kind == b->nodes[i].work->kind) continue;
        *why = cudaGraphExecUpdateErrorNodeTypeChanged;
        return false;
    }
    *why = cudaGraphExecUpdateSuccess;
    return true;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo *info)
{
    api_call call("cudaGraphExecUpdate");
    *info = { cudaGraphExecUpdateError, nullptr, nullptr };
    if (call.refused() || !execs.count(exec) || !graphs.count(graph)) return call.done(cudaErrorInvalidValue);
    if (!graph_same(exec->graph.get(), graph, &info->result)) return call.done(cudaErrorGraphExecUpdateFailure);
    exec->graph = std::make_shared<const CUgraph_st>(*graph);
    return call.done();
}

/* Nodes whose predecessors have run are taken in any order. */
static void graph_run(const CUgraph_st &graph, const std::vector<lane> &lanes)
{
    size_t count = graph.nodes.size();
    std::vector<size_t> missing(count), ready;
    std::vector<std::vector<size_t>> followers(count);
    std::vector<char> token(count + 1);
    order_release(&token[count]);
    for (size_t i = 0; i < count; i++) {
        missing[i] = graph.nodes[i].after.size();
        for (size_t before : graph.nodes[i].after) followers[before].push_back(i);
        if (missing[i] == 0) ready.push_back(i);
    }
    while (!ready.empty() && device.counts.lost == 0) {
        size_t place = device.eager ? 0 : shuffle_below(static_cast<unsigned>(ready.size())), number = ready[place];
        const graph_node &node = graph.nodes[number];
        ready[place] = ready.back();
        ready.pop_back();
        {
            lane own = lanes[node.lane];
            lane_scope scope(own);
            order_acquire(&token[count]);
            for (size_t before : node.after) order_acquire(&token[before]);
            node.work->run(own);
            order_release(&token[number]);
        }
        for (size_t next : followers[number])
            if (--missing[next] == 0) ready.push_back(next);
    }
    for (size_t i = 0; i < count; i++) order_acquire(&token[i]);
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream)
{
    api_call call("cudaGraphUpload");
    if (call.refused() || !execs.count(exec) || !stream_find(stream)) return call.done(cudaErrorInvalidValue);
    return call.done();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t handle)
{
    api_call call("cudaGraphLaunch");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !execs.count(exec) || !stream) return call.done(cudaErrorInvalidValue);
    graph_ref graph = exec->graph;
    std::vector<lane> lanes = exec->lanes;
    return call.done(stream_queue(stream, { 'G', "graph", graph->nodes.size(), exec, [graph, lanes](lane &) {
                                                graph_run(*graph, lanes);
                                            } }));
}

void graphs_reset()
{
    while (!execs.empty()) exec_delete(*execs.begin());
    for (CUgraph_st *graph : graphs) delete graph;
    graphs.clear();
}
