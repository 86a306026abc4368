/* Inside of a module: a table of functions and a list of parameters. */
#ifndef LAE_MODULE_INTERNAL_H
#define LAE_MODULE_INTERNAL_H

#include "buffer.h"
#include "tensor_internal.h"

#include <lstmae/module.h>

/** A learned tensor and its gradient. Weight matrices keep what prepare() made of them until they change. */
typedef struct lae_param {
    lstmae_tensor *value;
    lstmae_tensor *grad; /* NULL before the first backward; shaped as value */
    int grad_zero;       /* the gradient is zero whatever `grad` holds: the next backward overwrites it */
    lae_buffer prepared;
    uint64_t prepared_version;
    int prepared_kind; /* 0: nothing prepared */
} lae_param;

/** A parameter under the name it has in one module. */
typedef struct lae_param_entry {
    char *name;
    size_t name_bytes;
    lae_param *param;
    int owned; /* by this module; else by a child */
} lae_param_entry;

typedef struct lae_module_ops {
    const char *name; /* for messages: "lstm" */
    lstmae_status (*forward)(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output);
    /** grad_input is NULL where it is not wanted. */
    lstmae_status (*backward)(lstmae_module *module, const lstmae_tensor *grad_output,
                              const lstmae_tensor **grad_input);
    void (*destroy)(lstmae_module *module); /* what the derived struct owns; not the struct */
    lstmae_status (*set_training)(lstmae_module *module, int training); /* NULL: nothing but the flag */
} lae_module_ops;

struct lstmae_module {
    atomic_int references;
    const lae_module_ops *ops;
    lstmae_context *context;
    size_t bytes; /* of the derived struct */
    int training;
    int in_container;
    int can_backward; /* a training forward has been made and not yet used */
    lae_param_entry *params; /* own and children's, in state_dict order */
    size_t param_count, param_capacity;
    lstmae_view last_output; /* shape that backward's argument must have */
};

/** Allocates a zeroed module of `bytes` bytes (a struct that begins with lstmae_module). */
lstmae_status lae_module_new(lstmae_module **out, lstmae_context *context, const lae_module_ops *ops, size_t bytes);
lstmae_module *lae_module_retain(lstmae_module *module);

/** Adds a parameter drawn uniformly from [-bound, bound) (0: zeros); `out` is borrowed. */
lstmae_status lae_module_add_param(lstmae_module *module, lae_param **out, const char *name, int ndim,
                                   const int64_t *dims, double bound);

/** Appends a child's parameters as "prefix" + name. The child must outlive the module. */
lstmae_status lae_module_adopt(lstmae_module *module, lstmae_module *child, const char *prefix);

/** Takes back parameters added or adopted since there were `count`. */
void lae_module_forget_params(lstmae_module *module, size_t count);

/** Parameter by index, or NULL. */
lae_param *lae_module_param_at(const lstmae_module *module, size_t index);

/** The gradient's memory, created when needed; *beta receives 0 where it counts as zero, else 1. Marks it as
 * written. */
lstmae_status lae_param_grad(lae_param *param, lstmae_tensor **grad, double *beta);

/** The gradient as numbers: zero-filled where it counts as zero. */
lstmae_status lae_param_grad_values(lae_param *param, lstmae_tensor **grad);

/** What prepare() makes of a weight matrix for `kind`, made anew only when the weight changed; NULL: use it as it
 * is. */
lstmae_status lae_param_prepared(lae_param *param, int kind, const void **prepared);

#endif
