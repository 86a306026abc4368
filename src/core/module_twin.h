/*
 * Twins: modules of the same structure in another context, with memory of their own and the source's parameters, for
 * inference there. A frozen model is a twin with copied parameters; each of its sessions has a twin that shares them.
 *
 * A kind's ops->twin makes the module as its constructor would. While it does, lae_module_add_param() and
 * lae_module_add_buffer() hand out what the source has in the same order, so what they give is not to be written to.
 */
#ifndef LAE_MODULE_TWIN_H
#define LAE_MODULE_TWIN_H

#include "module_internal.h"

/** Where a module in the making takes its parameters and buffers from. */
typedef struct lae_twin {
    const lstmae_module *source;
    size_t params, buffers; /* of the source's that were taken */
    int copies;             /* 1: the twin has copies; 0: it uses the source's, which outlives it */
} lae_twin;

/** The twin of `source` in `context`, in inference mode. ERR_UNSUPPORTED where a part has none. */
lstmae_status lae_module_twin(lstmae_module **out, const lstmae_module *source, lstmae_context *context, int copies);

/** Inside of ops->twin: the twin of a part that is a module by itself. */
lstmae_status lae_module_twin_part(lstmae_module **out, const lstmae_module *part, lstmae_context *context);

/** Inside of ops->twin: from here on parameters come from `source`, a part that the constructor makes itself. */
void lae_twin_from(lstmae_context *context, const lstmae_module *source);

/** A module of the kind and size of `module` with the bytes [from, to) of its struct, the rest zero. */
lstmae_status lae_module_twin_span(lstmae_module **out, const lstmae_module *module, lstmae_context *context,
                                   size_t from, size_t to);

/** What lae_module_add_param() and lae_module_add_buffer() do for a twin. */
lstmae_status lae_twin_param(lstmae_module *module, lae_param **out, const char *name);
lstmae_status lae_twin_buffer(lstmae_module *module, lstmae_tensor **out, const char *name);

#endif
