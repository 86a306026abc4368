/* Inside of a tensor: a strided view of counted storage. */
#ifndef LAE_TENSOR_INTERNAL_H
#define LAE_TENSOR_INTERNAL_H

#include "context_internal.h"
#include "view.h"

#include <lstmae/tensor.h>

typedef struct lae_storage {
    atomic_int references;
    int owned;        /* 0: the caller's memory */
    lstmae_context *context;
    void *data;
    size_t bytes;
    uint64_t version; /* counts changes, so that what was derived from the content can be kept */
} lae_storage;

struct lstmae_tensor {
    atomic_int references;
    lae_storage *storage;
    lstmae_view view;
};

lstmae_tensor *lae_tensor_retain(lstmae_tensor *tensor);

/** The tensor's content changed, or may have. */
void lae_tensor_touch(lstmae_tensor *tensor);
uint64_t lae_tensor_version(const lstmae_tensor *tensor);

/**
 * Gives an owned, unshared tensor a new row-major shape, growing its storage when needed: content is undefined when
 * the shape changes. *tensor may be NULL, then it is created (not zeroed). How outputs keep their memory from step to
 * step.
 */
lstmae_status lae_tensor_ensure(lstmae_tensor **tensor, lstmae_context *context, lstmae_dtype dtype, int ndim,
                                const int64_t *dims);

/** The same for an image [B,C,H,W], or [B,C,L]: channels lie innermost where the backend likes that better. */
lstmae_status lae_tensor_ensure_image(lstmae_tensor **tensor, lstmae_context *context, lstmae_dtype dtype, int ndim,
                                      const int64_t *dims);

/** The same with shape and type of `like`, and channels innermost where they are in `like`: for elementwise work. */
lstmae_status lae_tensor_ensure_like(lstmae_tensor **tensor, lstmae_context *context, const lstmae_view *like);

/** A view without data of a caller's shape, which is checked as a new tensor's. */
lstmae_status lae_view_of_shape(lstmae_view *view, const char *function, lstmae_dtype dtype, int ndim,
                                const int64_t *dims);

/** Points *alias, which nobody else holds, at `view` of base's storage. The handle is kept from call to call. */
lstmae_status lae_tensor_alias(lstmae_tensor **alias, const lstmae_tensor *base, const lstmae_view *view);

/**
 * A row-major tensor of the same content: `tensor` itself where it is one, else *copy (kept for the next call) filled
 * from it.
 */
lstmae_status lae_tensor_contiguous(const lstmae_tensor **out, const lstmae_tensor *tensor, lstmae_tensor **copy);

#endif
