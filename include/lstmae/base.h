/**
 * @file base.h
 * Export macros and the types every other header uses.
 */
#ifndef LSTMAE_BASE_H
#define LSTMAE_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define LSTMAE_BEGIN_DECLS extern "C" {
#define LSTMAE_END_DECLS }
#else
#define LSTMAE_BEGIN_DECLS
#define LSTMAE_END_DECLS
#endif

#if defined(_WIN32) && !defined(LSTMAE_STATIC)
#ifdef LSTMAE_BUILDING
#define LSTMAE_API __declspec(dllexport)
#else
#define LSTMAE_API __declspec(dllimport)
#endif
#elif defined(__GNUC__) && __GNUC__ >= 4
#define LSTMAE_API __attribute__((visibility("default")))
#else
#define LSTMAE_API
#endif

LSTMAE_BEGIN_DECLS

/** Most axes a tensor can have. */
#define LSTMAE_MAX_DIMS 4

/** Element types. Values are part of the ABI and never change. */
typedef enum lstmae_dtype {
    LSTMAE_DTYPE_NONE = -1, /**< no type */
    LSTMAE_F32 = 1, /**< IEEE 754 binary32, the default everywhere */
    LSTMAE_F64 = 2, /**< IEEE 754 binary64, for gradient checks; computed by the reference kernels */
    LSTMAE_I64 = 3  /**< 64-bit integers: lengths and labels, no arithmetic */
} lstmae_dtype;

typedef struct lstmae_context lstmae_context;
typedef struct lstmae_tensor lstmae_tensor;
typedef struct lstmae_module lstmae_module;
typedef struct lstmae_autoencoder lstmae_autoencoder;
typedef struct lstmae_seq2seq lstmae_seq2seq;
typedef struct lstmae_loss lstmae_loss;
typedef struct lstmae_optimizer lstmae_optimizer;
typedef struct lstmae_schedule lstmae_schedule;
typedef struct lstmae_dataset lstmae_dataset;
typedef struct lstmae_loader lstmae_loader;
typedef struct lstmae_table lstmae_table;
typedef struct lstmae_scaler lstmae_scaler;
typedef struct lstmae_gaussian lstmae_gaussian;
typedef struct lstmae_points lstmae_points;
typedef struct lstmae_threshold lstmae_threshold;
typedef struct lstmae_frozen lstmae_frozen;
typedef struct lstmae_session lstmae_session;

/** Library version of these headers. */
#define LSTMAE_VERSION_MAJOR 0
#define LSTMAE_VERSION_MINOR 1
#define LSTMAE_VERSION_PATCH 0
#define LSTMAE_VERSION (LSTMAE_VERSION_MAJOR * 10000 + LSTMAE_VERSION_MINOR * 100 + LSTMAE_VERSION_PATCH)

/** Version of the library that is running: major * 10000 + minor * 100 + patch. */
LSTMAE_API int lstmae_version(void);

/** The same as text, "0.1.0". Static, never NULL. */
LSTMAE_API const char *lstmae_version_string(void);

LSTMAE_END_DECLS

#endif
