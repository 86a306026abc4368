/*
 * Streams, events and captures.
 *
 * An operation that is queued runs when something forces it: a synchronisation, a copy to memory that is not pinned, a
 * cudaFree. Which stream goes on then is drawn from the seed, within what events allow. So work that depends on
 * another stream's without an event for it finds, for some seeds, that the other has not run.
 *
 * Under ThreadSanitizer every stream is a thread of its own to it, which is ordered with others by events and
 * synchronisation alone: an access that is not ordered after another one is reported.
 */
#ifndef LAE_HOST_STREAM_H
#define LAE_HOST_STREAM_H

#include "block.h"
#include "device.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/* Where operations run, one after another: what a block needs, and a thread as ThreadSanitizer sees it. */
struct lane {
    room *blocks;
    void *fiber;
};

struct operation {
    char kind; /* as in lae_cuda_host_operation */
    std::string name;
    uint64_t bytes;
    const void *function; /* of a kernel */
    std::function<void(lane &)> run;
};
typedef std::shared_ptr<const operation> operation_ref;

/* One cudaEventRecord. */
struct event_record {
    bool done;
    uint64_t done_at; /* count of operations */
    CUstream_st *stream;
};
typedef std::shared_ptr<event_record> event_record_ref;

struct queued_operation {
    operation_ref work;      /* or */
    event_record_ref wait;   /* or */
    event_record_ref record; /* to be marked done */
};

struct graph_node {
    operation_ref work;
    std::vector<size_t> after; /* nodes */
    size_t lane;               /* the captured stream it came from */
};

struct stream_capture {
    cudaStreamCaptureMode mode;
    uint64_t thread;
    bool valid;
    std::vector<graph_node> nodes;
    std::vector<CUstream_st *> streams; /* the first: where it began */
};

struct CUstream_st {
    uint64_t number;
    lane place;
    std::deque<queued_operation> queue;
    stream_capture *capture;
    std::vector<size_t> frontier; /* nodes that the next one comes after */
    size_t capture_lane;
};

struct CUevent_st {
    uint64_t number;
    unsigned flags;
    event_record_ref last;
    stream_capture *capture; /* last recorded in it; may have ended */
    std::vector<size_t> frontier;
};

/** The stream of a handle: 0 is one, too. NULL: there is none such. */
CUstream_st *stream_find(cudaStream_t handle);

/** Queues, or adds to the stream's capture. */
cudaError_t stream_queue(CUstream_st *stream, operation &&work);

/** Runs what is queued on a stream, or on all. The sticky error, if there is one. */
cudaError_t stream_finish(CUstream_st *stream);
cudaError_t streams_finish();
void streams_reset();
void graphs_reset();

/** A graph of what was captured. */
cudaGraph_t graph_make(stream_capture *capture);

/** Ends captures that the call of a potentially unsafe function forbids; the error it then returns. */
cudaError_t capture_refuse();

lane lane_take();
void lane_give(const lane &place);

/** Writes an operation into the list that tests read. */
void log_operation(char kind, const CUstream_st *stream, uint64_t event, uint64_t bytes, const char *name);

/** Runs a function as an operation of `place`: its accesses are that lane's. */
class lane_scope {
  public:
    explicit lane_scope(const lane &place);
    ~lane_scope();
    lane_scope(const lane_scope &) = delete;
    void operator=(const lane_scope &) = delete;

  private:
    void *before_;
};

/** Edges of the happens-before order, for ThreadSanitizer. */
void order_release(const void *token);
void order_acquire(const void *token);

#endif
