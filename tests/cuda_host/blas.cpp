/* cuBLAS: arguments are checked as it checks them; the product itself is the plain one, with its roundings. */
#include "gemm.h"
#include "include/cuda_bf16.h"
#include "sanitizers.h"
#include "stream.h"

#include <set>
#include <stdio.h>

struct cublasContext {
    cudaStream_t stream;
    void *workspace; /* NULL: its own, which is one for all streams */
    cublasMath_t math;
};

static std::set<cublasContext *> &handles = *new std::set<cublasContext *>;

#define STATUS_TEXTS(X)                                                                            \
    X(CUBLAS_STATUS_SUCCESS, "success")                                                            \
    X(CUBLAS_STATUS_NOT_INITIALIZED, "the library was not initialized")                            \
    X(CUBLAS_STATUS_ALLOC_FAILED, "the resource allocation failed")                                \
    X(CUBLAS_STATUS_INVALID_VALUE, "an unsupported value or parameter was passed to the function") \
    X(CUBLAS_STATUS_ARCH_MISMATCH, "the requested feature is missing on the device architecture")  \
    X(CUBLAS_STATUS_EXECUTION_FAILED, "the function failed to launch on the GPU")                  \
    X(CUBLAS_STATUS_INTERNAL_ERROR, "an internal operation failed")                                \
    X(CUBLAS_STATUS_NOT_SUPPORTED, "the functionality requested is not supported")

const char *cublasGetStatusName(cublasStatus_t status)
{
    switch (status) {
#define STATUS_NAME(code, text) \
    case code: return #code;
        STATUS_TEXTS(STATUS_NAME)
    default: return "<unknown>";
    }
}

const char *cublasGetStatusString(cublasStatus_t status)
{
    switch (status) {
#define STATUS_STRING(code, text) \
    case code: return text;
        STATUS_TEXTS(STATUS_STRING)
    default: return "<unknown>";
    }
}

/* ---- handles ---- */

cublasStatus_t cublasCreate(cublasHandle_t *out)
{
    blas_call call("cublasCreate");
    *out = nullptr;
    if (call.refused()) return call.done();
    if (capture_refuse() != cudaSuccess) return call.done(CUBLAS_STATUS_ALLOC_FAILED);
    *out = new cublasContext{ nullptr, nullptr, CUBLAS_DEFAULT_MATH };
    handles.insert(*out);
    device.counts.handles++;
    return call.done();
}

cublasStatus_t cublasDestroy(cublasHandle_t handle)
{
    blas_call call("cublasDestroy", CALL_RELEASES);
    if (!handles.erase(handle)) return call.done(CUBLAS_STATUS_NOT_INITIALIZED);
    delete handle;
    device.counts.handles--;
    return call.done();
}

static cublasStatus_t blas_check(const blas_call &call, cublasHandle_t handle)
{
    if (call.refused()) return call.done();
    return handles.count(handle) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

cublasStatus_t cublasGetVersion(cublasHandle_t handle, int *version)
{
    blas_call call("cublasGetVersion");
    *version = CUBLAS_VERSION;
    return blas_check(call, handle);
}

/* Takes the workspace away, too, as cuBLAS does. */
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream)
{
    blas_call call("cublasSetStream");
    cublasStatus_t status = blas_check(call, handle);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    if (!stream_find(stream)) return CUBLAS_STATUS_INVALID_VALUE;
    handle->stream = stream;
    handle->workspace = nullptr;
    return call.done();
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes)
{
    blas_call call("cublasSetWorkspace");
    bool whole;
    cublasStatus_t status = blas_check(call, handle);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0 || memory_find(workspace, bytes, &whole) != MEMORY_DEVICE ||
        !whole)
        return CUBLAS_STATUS_INVALID_VALUE;
    handle->workspace = workspace;
    return call.done();
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    blas_call call("cublasSetMathMode");
    cublasStatus_t status = blas_check(call, handle);
    if (status == CUBLAS_STATUS_SUCCESS) handle->math = mode;
    return status;
}

cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode)
{
    blas_call call("cublasSetPointerMode");
    cublasStatus_t status = blas_check(call, handle);
    return status == CUBLAS_STATUS_SUCCESS && mode != CUBLAS_POINTER_MODE_HOST ? CUBLAS_STATUS_NOT_SUPPORTED : status;
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode)
{
    blas_call call("cublasSetAtomicsMode");
    cublasStatus_t status = blas_check(call, handle);
    return status == CUBLAS_STATUS_SUCCESS && mode != CUBLAS_ATOMICS_NOT_ALLOWED ? CUBLAS_STATUS_NOT_SUPPORTED
                                                                                : status;
}

/* ---- products ---- */

struct matrix {
    const void *data;
    cudaDataType type;
    size_t rows, columns, ld; /* column-major, in elements */
    long long stride;         /* from one to the next of a batch */
};

struct product {
    bool transa, transb;
    size_t m, n, k;
    double alpha, beta;
    matrix a, b, c;
    int batch;
    cublasComputeType_t compute;
    void *workspace;
};

static size_t type_bytes(cudaDataType type)
{
    return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2;
}

/* TF32 has ten bits of mantissa; the conversion rounds to nearest, ties away from zero. */
static float round_tf32(float value)
{
    unsigned bits = __float_as_uint(value);
    if ((bits & 0x7f800000u) == 0x7f800000u) return value;
    return __uint_as_float((bits + 0x1000u) & ~0x1fffu);
}

static double matrix_get(const matrix &x, const unsigned char *data, size_t index, cublasComputeType_t compute)
{
    if (x.type == CUDA_R_64F) return reinterpret_cast<const double *>(data)[index];
    if (x.type == CUDA_R_16BF) return static_cast<double>(reinterpret_cast<const __nv_bfloat16 *>(data)[index]);
    float value = reinterpret_cast<const float *>(data)[index];
    if (compute == CUBLAS_COMPUTE_32F_FAST_TF32) value = round_tf32(value);
    if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) value = __nv_bfloat16(value);
    return static_cast<double>(value);
}

static const unsigned char *matrix_of_batch(const matrix &x, int index)
{
    return static_cast<const unsigned char *>(x.data) +
           static_cast<long long>(type_bytes(x.type)) * x.stride * index;
}

/* out[i + j rows]: x, or its transpose */
template <class T>
static void matrix_pack(const product &p, const matrix &x, const unsigned char *data, bool transpose, T *out)
{
    for (size_t j = 0; j < x.columns; j++)
        for (size_t i = 0; i < x.rows; i++)
            out[transpose ? j + i * x.columns : i + j * x.rows] =
                static_cast<T>(matrix_get(x, data, i + j * x.ld, p.compute));
}

/* Whether all of it is memory of the device; tells the thread sanitizer which bytes are looked at. */
static bool matrix_reach(const matrix &x, const unsigned char *data, bool write)
{
    bool whole;
    size_t element = type_bytes(x.type);
    if (x.rows == 0 || x.columns == 0) return true;
    if (memory_find(data, ((x.columns - 1) * x.ld + x.rows) * element, &whole) != MEMORY_DEVICE || !whole) return false;
#if LAE_HOST_TSAN
    for (size_t j = 0; j < x.columns; j++) {
        void *column = const_cast<unsigned char *>(data + j * x.ld * element);
        if (write)
            __tsan_write_range(column, x.rows * element);
        else
            __tsan_read_range(column, x.rows * element);
    }
#endif
    (void)write;
    return true;
}

template <class T> static void product_store(const product &p, const T *sum, unsigned char *data)
{
    T alpha = static_cast<T>(p.alpha), beta = static_cast<T>(p.beta);
    for (size_t j = 0; j < p.n; j++)
        for (size_t i = 0; i < p.m; i++) {
            size_t at = i + j * p.c.ld;
            T value = alpha * sum[i + j * p.m];
            if (p.beta != 0.0) value += beta * static_cast<T>(matrix_get(p.c, data, at, p.compute));
            if (p.c.type == CUDA_R_64F) reinterpret_cast<double *>(data)[at] = static_cast<double>(value);
            if (p.c.type == CUDA_R_32F) reinterpret_cast<float *>(data)[at] = static_cast<float>(value);
            if (p.c.type == CUDA_R_16BF)
                reinterpret_cast<__nv_bfloat16 *>(data)[at] = __nv_bfloat16(static_cast<float>(value));
        }
}

template <class T> static void product_run(const product &p)
{
    std::vector<T> a(p.m * p.k), b(p.k * p.n), sum(p.m * p.n);
    device.counts.products++;
    if (!p.workspace) device.counts.products_without_workspace++;
#if LAE_HOST_TSAN
    if (p.workspace) __tsan_write_range(p.workspace, 8); /* two products at once must not share one */
#endif
    for (int index = 0; index < p.batch; index++) {
        const unsigned char *at = matrix_of_batch(p.a, index), *bt = matrix_of_batch(p.b, index);
        unsigned char *ct = const_cast<unsigned char *>(matrix_of_batch(p.c, index));
        if (!matrix_reach(p.a, at, false) || !matrix_reach(p.b, bt, false) || !matrix_reach(p.c, ct, true))
            return device_lose(cudaErrorIllegalAddress, "a product reaches outside of a block of device memory");
        matrix_pack(p, p.a, at, p.transa, a.data());
        matrix_pack(p, p.b, bt, p.transb, b.data());
        gemm_packed(p.m, p.n, p.k, a.data(), b.data(), sum.data());
        product_store(p, sum.data(), ct);
    }
}

static bool compute_is_double(cublasComputeType_t compute)
{
    return compute == CUBLAS_COMPUTE_64F || compute == CUBLAS_COMPUTE_64F_PEDANTIC;
}

/* The combinations of types that cuBLAS has, of those that can be named here. */
static bool product_supported(const product &p)
{
    cudaDataType a = p.a.type, c = p.c.type;
    if (a != p.b.type) return false;
    switch (p.compute) {
    case CUBLAS_COMPUTE_64F:
    case CUBLAS_COMPUTE_64F_PEDANTIC: return a == CUDA_R_64F && c == CUDA_R_64F;
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
        return (a == CUDA_R_32F && c == CUDA_R_32F) || (a == CUDA_R_16BF && (c == CUDA_R_16BF || c == CUDA_R_32F));
    case CUBLAS_COMPUTE_32F_FAST_16BF:
    case CUBLAS_COMPUTE_32F_FAST_TF32: return a == CUDA_R_32F && c == CUDA_R_32F;
    default: return false;
    }
}

static bool matrix_valid(const matrix &x, int ld)
{
    return ld > 0 && static_cast<size_t>(ld) >= x.rows && x.data &&
           reinterpret_cast<uintptr_t>(x.data) % type_bytes(x.type) == 0;
}

static cublasStatus_t product_queue(cublasHandle_t handle, product p, const char *name)
{
    CUstream_st *stream = stream_find(handle->stream);
    p.workspace = handle->workspace;
    if (!stream) return CUBLAS_STATUS_INVALID_VALUE;
    cudaError_t error =
        stream_queue(stream, { 'g', name, p.m * p.n * p.k * static_cast<size_t>(p.batch), nullptr, [p](lane &) {
                                  compute_is_double(p.compute) ? product_run<double>(p) : product_run<float>(p);
                              } });
    error_set(error);
    return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

struct leading {
    int a, b, c;
};

static cublasStatus_t product_call(cublasHandle_t handle, const char *name, cublasOperation_t transa,
                                   cublasOperation_t transb, int m, int n, int k, leading ld, product p)
{
    blas_call call(name);
    cublasStatus_t status = blas_check(call, handle);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    if (m < 0 || n < 0 || k < 0 || p.batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
    if (!product_supported(p)) return CUBLAS_STATUS_NOT_SUPPORTED;
    p.transa = transa != CUBLAS_OP_N;
    p.transb = transb != CUBLAS_OP_N;
    p.m = static_cast<size_t>(m);
    p.n = static_cast<size_t>(n);
    p.k = static_cast<size_t>(k);
    p.a.rows = p.transa ? p.k : p.m;
    p.a.columns = p.transa ? p.m : p.k;
    p.b.rows = p.transb ? p.n : p.k;
    p.b.columns = p.transb ? p.k : p.n;
    p.c.rows = p.m;
    p.c.columns = p.n;
    p.a.ld = static_cast<size_t>(ld.a);
    p.b.ld = static_cast<size_t>(ld.b);
    p.c.ld = static_cast<size_t>(ld.c);
    if (!matrix_valid(p.a, ld.a) || !matrix_valid(p.b, ld.b) || !matrix_valid(p.c, ld.c))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (m == 0 || n == 0 || p.batch == 0) return CUBLAS_STATUS_SUCCESS;
    return product_queue(handle, p, name);
}

/* alpha and beta are read now: they are the host's */
static double scalar_get(const void *value, cublasComputeType_t compute)
{
    return compute_is_double(compute) ? *static_cast<const double *>(value)
                                      : static_cast<double>(*static_cast<const float *>(value));
}

static product product_of(matrix a, matrix b, matrix c, const void *alpha, const void *beta, int batch,
                          cublasComputeType_t compute)
{
    product p = {};
    p.a = a;
    p.b = b;
    p.c = c;
    p.alpha = scalar_get(alpha, compute);
    p.beta = scalar_get(beta, compute);
    p.batch = batch;
    p.compute = compute;
    return p;
}

static matrix matrix_of(const void *data, cudaDataType type, long long stride)
{
    return { data, type, 0, 0, 0, stride };
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                                          int m, int n, int k, const void *alpha, const void *A, cudaDataType Atype,
                                          int lda, long long strideA, const void *B, cudaDataType Btype, int ldb,
                                          long long strideB, const void *beta, void *C, cudaDataType Ctype, int ldc,
                                          long long strideC, int batch, cublasComputeType_t compute, cublasGemmAlgo_t)
{
    return product_call(handle, "cublasGemmStridedBatchedEx", transa, transb, m, n, k, { lda, ldb, ldc },
                        product_of(matrix_of(A, Atype, strideA), matrix_of(B, Btype, strideB),
                                   matrix_of(C, Ctype, strideC), alpha, beta, batch, compute));
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                            int k, const void *alpha, const void *A, cudaDataType Atype, int lda, const void *B,
                            cudaDataType Btype, int ldb, const void *beta, void *C, cudaDataType Ctype, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t)
{
    return product_call(handle, "cublasGemmEx", transa, transb, m, n, k, { lda, ldb, ldc },
                        product_of(matrix_of(A, Atype, 0), matrix_of(B, Btype, 0), matrix_of(C, Ctype, 0), alpha, beta,
                                   1, compute));
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                           int k, const float *alpha, const float *A, int lda, const float *B, int ldb,
                           const float *beta, float *C, int ldc)
{
    bool tf32 = handles.count(handle) && handle->math == CUBLAS_TF32_TENSOR_OP_MATH;
    return product_call(handle, "cublasSgemm", transa, transb, m, n, k, { lda, ldb, ldc },
                        product_of(matrix_of(A, CUDA_R_32F, 0), matrix_of(B, CUDA_R_32F, 0),
                                   matrix_of(C, CUDA_R_32F, 0), alpha, beta, 1,
                                   tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F));
}

cublasStatus_t cublasDgemm(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                           int k, const double *alpha, const double *A, int lda, const double *B, int ldb,
                           const double *beta, double *C, int ldc)
{
    return product_call(handle, "cublasDgemm", transa, transb, m, n, k, { lda, ldb, ldc },
                        product_of(matrix_of(A, CUDA_R_64F, 0), matrix_of(B, CUDA_R_64F, 0),
                                   matrix_of(C, CUDA_R_64F, 0), alpha, beta, 1, CUBLAS_COMPUTE_64F));
}
