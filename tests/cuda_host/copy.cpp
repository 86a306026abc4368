/* Copies and fills. Between a host block that is not pinned and the device they go as the runtime's do: staged. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

/* `rows` pieces of `width` bytes, so many bytes apart in memory. */
struct piece {
    unsigned char *memory;
    size_t pitch;
};

static void copy_run(piece dst, piece src, size_t width, size_t rows)
{
    device.counts.copies++;
    for (size_t row = 0; row < rows; row++)
        memcpy(dst.memory + row * dst.pitch, src.memory + row * src.pitch, width);
}

static size_t piece_bytes(piece p, size_t width, size_t rows)
{
    return rows == 0 || width == 0 ? 0 : (rows - 1) * p.pitch + width;
}

/* A direction names what each end must be. */
static cudaError_t copy_check(cudaMemcpyKind kind, memory_kind dst, memory_kind src)
{
    bool to_device = dst == MEMORY_DEVICE, from_device = src == MEMORY_DEVICE;
    switch (kind) {
    case cudaMemcpyHostToHost: return to_device || from_device ? cudaErrorInvalidValue : cudaSuccess;
    case cudaMemcpyHostToDevice: return !to_device || from_device ? cudaErrorInvalidValue : cudaSuccess;
    case cudaMemcpyDeviceToHost: return to_device || !from_device ? cudaErrorInvalidValue : cudaSuccess;
    case cudaMemcpyDeviceToDevice: return !to_device || !from_device ? cudaErrorInvalidValue : cudaSuccess;
    case cudaMemcpyDefault: return cudaSuccess;
    default: return cudaErrorInvalidMemcpyDirection;
    }
}

static cudaError_t copy_queue(CUstream_st *stream, piece dst, piece src, size_t width, size_t rows,
                              cudaMemcpyKind kind)
{
    bool dst_whole, src_whole;
    size_t dst_bytes = piece_bytes(dst, width, rows), src_bytes = piece_bytes(src, width, rows);
    if (width * rows == 0) return cudaSuccess;
    memory_kind to = memory_find(dst.memory, dst_bytes, &dst_whole);
    memory_kind from = memory_find(src.memory, src_bytes, &src_whole);
    cudaError_t error = copy_check(kind, to, from);
    if (error == cudaSuccess && (!dst_whole || !src_whole)) error = cudaErrorInvalidValue;
    if (error != cudaSuccess) return error;
    bool pageable = to == MEMORY_PAGEABLE || from == MEMORY_PAGEABLE;
    if (stream->capture && pageable) { /* a replay would read or write what may be gone by then */
        stream->capture->valid = false;
        return cudaErrorStreamCaptureUnsupported;
    }
    std::shared_ptr<unsigned char> staged;
    if (from == MEMORY_PAGEABLE) {
        staged.reset(static_cast<unsigned char *>(malloc(src_bytes)), free);
        if (!staged) return cudaErrorMemoryAllocation;
        for (size_t row = 0; row < rows; row++)
            memcpy(staged.get() + row * src.pitch, src.memory + row * src.pitch, width);
        src.memory = staged.get();
    }
    error = stream_queue(stream, { 'c', "copy", width * rows, nullptr, [=](lane &) {
                                      (void)staged;
                                      copy_run(dst, src, width, rows);
                                  } });
    if (error == cudaSuccess && to == MEMORY_PAGEABLE) {
        log_operation('h', stream, 0, 0, "");
        error = stream_finish(stream);
    }
    return error;
}

static piece piece_of(const void *memory, size_t pitch)
{
    return { static_cast<unsigned char *>(const_cast<void *>(memory)), pitch };
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, cudaMemcpyKind kind, cudaStream_t handle)
{
    api_call call("cudaMemcpyAsync");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    return call.done(copy_queue(stream, piece_of(dst, 0), piece_of(src, 0), bytes, 1, kind));
}

cudaError_t cudaMemcpy2DAsync(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t handle)
{
    api_call call("cudaMemcpy2DAsync");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    if (width > dst_pitch || width > src_pitch) return call.done(cudaErrorInvalidPitchValue);
    return call.done(copy_queue(stream, piece_of(dst, dst_pitch), piece_of(src, src_pitch), width, height, kind));
}

static cudaError_t fill_queue(CUstream_st *stream, piece dst, int value, size_t width, size_t rows)
{
    bool whole;
    if (width * rows == 0) return cudaSuccess;
    if (memory_find(dst.memory, piece_bytes(dst, width, rows), &whole) == MEMORY_PAGEABLE || !whole)
        return cudaErrorInvalidValue;
    return stream_queue(stream, { 's', "set", width * rows, nullptr, [=](lane &) {
                                     for (size_t row = 0; row < rows; row++)
                                         memset(dst.memory + row * dst.pitch, value, width);
                                 } });
}

cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t handle)
{
    api_call call("cudaMemsetAsync");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    return call.done(fill_queue(stream, piece_of(dst, 0), value, bytes, 1));
}

cudaError_t cudaMemset2DAsync(void *dst, size_t pitch, int value, size_t width, size_t height, cudaStream_t handle)
{
    api_call call("cudaMemset2DAsync");
    CUstream_st *stream = stream_find(handle);
    if (call.refused() || !stream) return call.done(cudaErrorInvalidResourceHandle);
    if (width > pitch) return call.done(cudaErrorInvalidPitchValue);
    return call.done(fill_queue(stream, piece_of(dst, pitch), value, width, height));
}
