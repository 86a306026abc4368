#include "stream.h"

#include "sanitizers.h"
#include "shelter.h"

#include <algorithm>
#include <pthread.h>
#include <set>

/* ---- what the sanitizer is told ---- */

#if LAE_HOST_TSAN
constexpr unsigned SWITCH_WITHOUT_ORDER = 1;

lane_scope::lane_scope(const lane &place) : before_(__tsan_get_current_fiber())
{
    __tsan_switch_to_fiber(place.fiber, SWITCH_WITHOUT_ORDER);
}
lane_scope::~lane_scope()
{
    __tsan_switch_to_fiber(before_, SWITCH_WITHOUT_ORDER);
}
void order_release(const void *token)
{
    __tsan_release(const_cast<void *>(token));
}
void order_acquire(const void *token)
{
    __tsan_acquire(const_cast<void *>(token));
}
#else
lane_scope::lane_scope(const lane &) : before_(nullptr) {}
lane_scope::~lane_scope()
{
    (void)before_;
}
void order_release(const void *) {}
void order_acquire(const void *) {}
#endif

/* Lanes are used again: stacks and the sanitizer's threads are dear. Without it, one for all is enough. */
#if LAE_HOST_TSAN
static std::vector<lane> &lanes_free = *new std::vector<lane>;

lane lane_take()
{
    if (lanes_free.empty()) return { room_create(), __tsan_create_fiber(0) };
    lane place = lanes_free.back();
    lanes_free.pop_back();
    return place;
}

void lane_give(const lane &place)
{
    lanes_free.push_back(place);
}
#else
lane lane_take()
{
    static room *blocks = room_create();
    return { blocks, nullptr };
}

void lane_give(const lane &) {}
#endif

/* ---- the list of operations ---- */

static std::vector<lae_cuda_host_operation> &log_operations = *new std::vector<lae_cuda_host_operation>;

void log_operation(char kind, const CUstream_st *stream, uint64_t event, uint64_t bytes, const char *name)
{
    if (!device.logging) return;
    lae_cuda_host_operation entry = { kind, stream->capture != nullptr, stream->number, event, bytes, "" };
    snprintf(entry.name, sizeof entry.name, "%s", name);
    log_operations.push_back(entry);
}

void lae_cuda_host_log(int on)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    device.logging = on != 0;
    if (on) log_operations.clear();
}

size_t lae_cuda_host_log_count(void)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    return log_operations.size();
}

int lae_cuda_host_log_get(size_t index, lae_cuda_host_operation *entry)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    if (index >= log_operations.size()) return 0;
    *entry = log_operations[index];
    return 1;
}

/* ---- streams ---- */

constexpr size_t STREAM_MOST = 2048; /* operations that wait on one; more make the oldest run */

/* The lists live as long as the process: what a program leaves behind is judged after its own destructors. */
static std::vector<CUstream_st *> &streams = *new std::vector<CUstream_st *>; /* first: stream 0, not counted */
static std::set<CUevent_st *> &events = *new std::set<CUevent_st *>;
static std::vector<stream_capture *> &captures = *new std::vector<stream_capture *>;
static uint64_t stream_numbers, event_numbers, operations_done;

static CUstream_st *stream_make()
{
    CUstream_st *stream = new CUstream_st();
    stream->number = stream_numbers++;
    stream->place = lane_take();
    streams.push_back(stream);
    return stream;
}

CUstream_st *stream_find(cudaStream_t handle)
{
    if (streams.empty()) stream_make();
    if (!handle) return streams.front();
    return std::find(streams.begin(), streams.end(), handle) == streams.end() ? nullptr : handle;
}

static bool stream_ready(const CUstream_st *stream)
{
    if (stream->queue.empty()) return false;
    const queued_operation &next = stream->queue.front();
    return !next.wait || next.wait->done;
}

static void stream_run_one(CUstream_st *stream)
{
    shelter_access access;
    lane_scope scope(stream->place);
    queued_operation next = std::move(stream->queue.front());
    stream->queue.pop_front();
    operations_done++;
    if (next.wait) order_acquire(next.wait.get());
    if (next.work) {
        order_acquire(next.work.get());
        next.work->run(stream->place);
    }
    if (next.record) {
        order_acquire(next.record.get()); /* after the host, which made it */
        order_release(next.record.get());
        next.record->done = true;
        next.record->done_at = operations_done;
    }
}

/* The stream whose next operation brings `stream` on: itself, or the one that it waits for. */
static CUstream_st *stream_needed(CUstream_st *stream)
{
    while (!stream_ready(stream)) stream = stream->queue.front().wait->stream;
    return stream;
}

static CUstream_st *stream_any()
{
    size_t start = shuffle_below(static_cast<unsigned>(streams.size()));
    for (size_t i = 0; i < streams.size(); i++) {
        CUstream_st *stream = streams[(start + i) % streams.size()];
        if (stream_ready(stream)) return stream;
    }
    return nullptr;
}

/* Runs until `stream` has run all, or `record` is done. How much else runs before: nothing, some, or all there is. */
static void streams_run(CUstream_st *stream, const event_record *record)
{
    shelter_access access;
    unsigned others = device.eager ? 0 : shuffle_below(3);
    while (device.counts.lost == 0 && (record ? !record->done : !stream->queue.empty())) {
        CUstream_st *needed = stream_needed(stream), *next = needed;
        if (others > 0) next = stream_any();
        if (others == 2 && next == needed) next = stream_any();
        stream_run_one(next);
    }
}

/* What the host sees after it waited for a stream. */
static void stream_join(const CUstream_st *stream)
{
    {
        lane_scope scope(stream->place);
        order_release(stream);
    }
    order_acquire(stream);
}

static void stream_drop(CUstream_st *stream)
{
    for (queued_operation &entry : stream->queue)
        if (entry.record) entry.record->done = true;
    stream->queue.clear();
}

cudaError_t stream_finish(CUstream_st *stream)
{
    streams_run(stream, nullptr);
    if (device.counts.lost != 0) {
        order_acquire(&device);
        for (CUstream_st *each : streams) stream_drop(each);
        return static_cast<cudaError_t>(device.counts.lost);
    }
    stream_join(stream);
    return cudaSuccess;
}

cudaError_t streams_finish()
{
    cudaError_t error = static_cast<cudaError_t>(device.counts.lost);
    for (size_t i = 0; i < streams.size(); i++) error = stream_finish(streams[i]);
    return error;
}

static cudaError_t stream_push(CUstream_st *stream, queued_operation &&entry)
{
    order_release(entry.work ? static_cast<const void *>(entry.work.get()) : entry.record.get());
    stream->queue.push_back(std::move(entry));
    if (device.eager) return stream_finish(stream);
    while (stream->queue.size() > STREAM_MOST && device.counts.lost == 0) stream_run_one(stream_needed(stream));
    return cudaSuccess;
}

cudaError_t stream_queue(CUstream_st *stream, operation &&work)
{
    log_operation(work.kind, stream, 0, work.bytes, work.name.c_str());
    stream_capture *capture = stream->capture;
    operation_ref shared = std::make_shared<const operation>(std::move(work));
    if (!capture) return stream_push(stream, { shared, nullptr, nullptr });
    if (!capture->valid) return cudaErrorStreamCaptureInvalidated;
    capture->nodes.push_back({ shared, stream->frontier, stream->capture_lane });
    stream->frontier.assign(1, capture->nodes.size() - 1);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
    api_call call("cudaStreamCreateWithFlags");
    *out = nullptr;
    if (call.refused() || flags > cudaStreamNonBlocking) return call.done(cudaErrorInvalidValue);
    (void)stream_find(nullptr);
    *out = stream_make();
    device.counts.streams++;
    return call.done();
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned flags, int)
{
    return cudaStreamCreateWithFlags(out, flags);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    api_call call("cudaDeviceGetStreamPriorityRange");
    *least = 0;
    *greatest = -5;
    return call.done();
}

static void stream_delete(CUstream_st *stream)
{
    streams.erase(std::find(streams.begin(), streams.end(), stream));
    lane_give(stream->place);
    delete stream;
}

/* What is queued still runs, here before the call returns; the host is not ordered after it. */
cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    api_call call("cudaStreamDestroy", CALL_RELEASES);
    CUstream_st *stream = stream_find(handle);
    if (!stream || !handle) return call.done(cudaErrorInvalidResourceHandle);
    if (stream->capture) return call.done(cudaErrorStreamCaptureUnsupported);
    streams_run(stream, nullptr);
    stream_drop(stream);
    stream_delete(stream);
    device.counts.streams--;
    return call.done();
}

static cudaError_t capture_invalidate(stream_capture *capture, cudaError_t error)
{
    capture->valid = false;
    return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle)
{
    api_call call("cudaStreamSynchronize");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    if (stream->capture) return call.done(capture_invalidate(stream->capture, cudaErrorStreamCaptureUnsupported));
    if (!stream->queue.empty()) log_operation('h', stream, 0, 0, "");
    return call.done(stream_finish(stream));
}

cudaError_t cudaDeviceSynchronize()
{
    api_call call("cudaDeviceSynchronize", CALL_UNSAFE);
    return call.refused() ? call.done() : call.done(streams_finish());
}

/* Something goes on each time, so that a loop over it ends. */
cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    api_call call("cudaStreamQuery");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    if (stream->capture) return call.done(capture_invalidate(stream->capture, cudaErrorStreamCaptureUnsupported));
    if (!stream->queue.empty()) {
        stream_run_one(stream_needed(stream));
        if (device.counts.lost != 0) return call.done(stream_finish(stream));
        return cudaErrorNotReady;
    }
    stream_join(stream);
    return call.done();
}

/* ---- events ---- */

static bool event_known(cudaEvent_t event)
{
    return events.count(event) != 0;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags)
{
    api_call call("cudaEventCreateWithFlags");
    *out = nullptr;
    if (call.refused() || flags > (cudaEventBlockingSync | cudaEventDisableTiming))
        return call.done(cudaErrorInvalidValue);
    CUevent_st *event = new CUevent_st();
    event->number = ++event_numbers;
    event->flags = flags;
    events.insert(event);
    device.counts.events++;
    *out = event;
    return call.done();
}

cudaError_t cudaEventCreate(cudaEvent_t *out)
{
    return cudaEventCreateWithFlags(out, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    api_call call("cudaEventDestroy", CALL_RELEASES);
    if (!event_known(event)) return call.done(cudaErrorInvalidResourceHandle);
    events.erase(event);
    delete event;
    device.counts.events--;
    return call.done();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    api_call call("cudaEventRecord");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream || !event_known(event)) return call.done(cudaErrorInvalidResourceHandle);
    log_operation('r', stream, event->number, 0, "");
    event->capture = stream->capture;
    if (stream->capture) {
        if (!stream->capture->valid) return call.done(cudaErrorStreamCaptureInvalidated);
        event->frontier = stream->frontier;
        return call.done();
    }
    event->last = std::make_shared<event_record>(event_record{ false, 0, stream });
    return call.done(stream_push(stream, { nullptr, nullptr, event->last }));
}

static bool capture_active(const stream_capture *capture)
{
    return std::find(captures.begin(), captures.end(), capture) != captures.end();
}

/* A stream that waits for an event of a capture becomes part of it. */
static cudaError_t capture_wait(CUstream_st *stream, const CUevent_st *event)
{
    stream_capture *capture = event->capture;
    if (!capture_active(capture)) return cudaErrorCapturedEvent;
    if (stream->capture && stream->capture != capture) {
        capture_invalidate(stream->capture, cudaSuccess);
        return capture_invalidate(capture, cudaErrorStreamCaptureMerge);
    }
    if (!capture->valid) return cudaErrorStreamCaptureInvalidated;
    if (!stream->capture) {
        stream->capture = capture;
        stream->frontier.clear();
        stream->capture_lane = capture->streams.size();
        capture->streams.push_back(stream);
    }
    for (size_t node : event->frontier)
        if (std::find(stream->frontier.begin(), stream->frontier.end(), node) == stream->frontier.end())
            stream->frontier.push_back(node);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags)
{
    api_call call("cudaStreamWaitEvent");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || flags != 0) return call.done(cudaErrorInvalidValue);
    if (!stream || !event_known(event)) return call.done(cudaErrorInvalidResourceHandle);
    log_operation('w', stream, event->number, 0, "");
    if (event->capture) return call.done(capture_wait(stream, event));
    if (stream->capture) return call.done(capture_invalidate(stream->capture, cudaErrorStreamCaptureIsolation));
    if (!event->last) return call.done();
    stream->queue.push_back({ nullptr, event->last, nullptr });
    return call.done(device.eager ? stream_finish(stream) : cudaSuccess);
}

static cudaError_t event_refuse(const CUevent_st *event)
{
    if (!event->capture) return cudaSuccess;
    if (capture_active(event->capture)) capture_invalidate(event->capture, cudaSuccess);
    return cudaErrorCapturedEvent;
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    api_call call("cudaEventQuery", CALL_UNSAFE);
    if (call.refused() || !event_known(event)) return call.done(cudaErrorInvalidResourceHandle);
    if (event->capture) return call.done(event_refuse(event));
    if (event->last && !event->last->done) {
        stream_run_one(stream_needed(event->last->stream));
        if (device.counts.lost != 0) return call.done(streams_finish());
        return cudaErrorNotReady;
    }
    if (event->last) order_acquire(event->last.get());
    return call.done();
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    api_call call("cudaEventSynchronize");
    if (call.refused() || !event_known(event)) return call.done(cudaErrorInvalidResourceHandle);
    if (event->capture) return call.done(event_refuse(event));
    if (!event->last) return call.done();
    if (!event->last->done) {
        log_operation('h', event->last->stream, event->number, 0, "");
        streams_run(event->last->stream, event->last.get());
    }
    if (device.counts.lost != 0) return call.done(streams_finish());
    order_acquire(event->last.get());
    return call.done();
}

/* A microsecond for each operation in between. */
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    api_call call("cudaEventElapsedTime");
    if (call.refused() || !event_known(start) || !event_known(end)) return call.done(cudaErrorInvalidResourceHandle);
    if ((start->flags | end->flags) & cudaEventDisableTiming || !start->last || !end->last)
        return call.done(cudaErrorInvalidResourceHandle);
    if (!start->last->done || !end->last->done) return cudaErrorNotReady;
    *milliseconds = 0.001f * static_cast<float>(end->last->done_at - start->last->done_at);
    return call.done();
}

/* ---- captures ---- */

static uint64_t thread_number()
{
    return reinterpret_cast<uintptr_t>(&errno); /* one for each thread */
}

cudaError_t capture_refuse()
{
    cudaError_t error = cudaSuccess;
    for (stream_capture *capture : captures)
        if (capture->mode == cudaStreamCaptureModeGlobal ||
            (capture->mode == cudaStreamCaptureModeThreadLocal && capture->thread == thread_number()))
            error = capture_invalidate(capture, cudaErrorStreamCaptureUnsupported);
    return error;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode)
{
    api_call call("cudaStreamBeginCapture");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    if (!handle) return call.done(cudaErrorStreamCaptureUnsupported); /* the legacy stream cannot be */
    if (stream->capture) return call.done(cudaErrorIllegalState);
    stream->capture = new stream_capture{ mode, thread_number(), true, {}, { stream } };
    stream->frontier.clear();
    stream->capture_lane = 0;
    captures.push_back(stream->capture);
    return call.done();
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus *status)
{
    api_call call("cudaStreamIsCapturing");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    *status = !stream->capture          ? cudaStreamCaptureStatusNone
              : stream->capture->valid ? cudaStreamCaptureStatusActive
                                       : cudaStreamCaptureStatusInvalidated;
    return call.done();
}

/* Whether all that was captured comes before what the first stream would do next. */
static bool capture_joined(const stream_capture *capture)
{
    std::vector<bool> before(capture->nodes.size());
    std::vector<size_t> open = capture->streams.front()->frontier;
    while (!open.empty()) {
        size_t node = open.back();
        open.pop_back();
        if (before[node]) continue;
        before[node] = true;
        const std::vector<size_t> &after = capture->nodes[node].after;
        open.insert(open.end(), after.begin(), after.end());
    }
    return std::find(before.begin(), before.end(), false) == before.end();
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *out)
{
    api_call call("cudaStreamEndCapture", CALL_RELEASES);
    CUstream_st *stream = stream_find(handle);
    *out = nullptr;
    if (!stream) return call.done(cudaErrorInvalidResourceHandle);
    stream_capture *capture = stream->capture;
    if (!capture) return call.done(cudaErrorIllegalState);
    if (capture->streams.front() != stream) return call.done(cudaErrorStreamCaptureUnmatched);
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != thread_number())
        return call.done(cudaErrorStreamCaptureWrongThread);
    cudaError_t error = !capture->valid             ? cudaErrorStreamCaptureInvalidated
                        : !capture_joined(capture) ? cudaErrorStreamCaptureUnjoined
                                                   : cudaSuccess;
    for (CUstream_st *each : capture->streams) each->capture = nullptr;
    captures.erase(std::find(captures.begin(), captures.end(), capture));
    if (error == cudaSuccess && !call.refused()) *out = graph_make(capture);
    delete capture;
    return call.done(error);
}

void streams_reset()
{
    for (stream_capture *capture : captures) delete capture;
    captures.clear();
    for (CUstream_st *stream : streams) stream->capture = nullptr;
    for (CUstream_st *stream : streams) {
        stream_drop(stream);
        stream_join(stream);
    }
    while (streams.size() > 1) stream_delete(streams.back());
    for (CUevent_st *event : events) delete event;
    events.clear();
    stream_numbers = streams.size();
    event_numbers = 0;
    graphs_reset();
}
