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
    int side;            /* its gradient is the side's work (side.h) */
    lae_buffer prepared;
    uint64_t prepared_version;
    int prepared_kind; /* 0: nothing prepared */
    int fixed;         /* several threads read it: value and what is prepared stay as they are */
} lae_param;

/** A parameter or a buffer (state that is not learned) under the name it has in one module. */
typedef struct lae_entry {
    char *name;
    size_t name_bytes;
    lae_param *param;      /* of a parameter, else NULL */
    lstmae_tensor *buffer; /* of a buffer, else NULL */
    int owned;             /* by this module; else by a child */
} lae_entry;

typedef struct lae_entries {
    lae_entry *entry;
    size_t count, capacity;
} lae_entries;

/**
 * What an elementwise module computes, for the module before it to compute along with its own output in one pass.
 * `*mapped` receives f(output); the output itself is needed only where backward reads it.
 */
typedef struct lae_fused_map {
    int kind; /* lstmae_map_kind */
    int keep_output;
    double param;
    lstmae_tensor **mapped;
    const lstmae_tensor **input; /* the map's own note of what it was given: the kept output, or NULL */
} lae_fused_map;

/** The map that a module's input came through, for a backward pass of both in one. */
typedef struct lae_fused_derivative {
    int kind;
    double param;
    const lstmae_view *from; /* what the derivative is taken from: what the map was given, or what it made of it */
} lae_fused_derivative;

typedef struct lae_plan lae_plan;

typedef struct lae_module_ops {
    const char *name; /* for messages: "lstm" */
    lstmae_status (*forward)(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output);
    /** grad_input is NULL where it is not wanted. */
    lstmae_status (*backward)(lstmae_module *module, const lstmae_tensor *grad_output,
                              const lstmae_tensor **grad_input);
    void (*destroy)(lstmae_module *module); /* what the derived struct owns; not the struct */
    lstmae_status (*set_training)(lstmae_module *module, int training); /* NULL: nothing but the flag */
    /** Shape of the output for that of an input, or why there is none, in the words of forward. Views have no data. */
    lstmae_status (*shape)(const lstmae_module *module, const lstmae_view *input, lstmae_view *output);

    /* each may be NULL */
    /** Kind and settings in a few words for a summary: "conv2d 3 to 32, kernel 3x3". NULL: the name. */
    void (*describe)(const lstmae_module *module, char *text, size_t size);
    /** The parts that input passes through one after the other; NULL behind the last. */
    const lstmae_module *(*child)(const lstmae_module *module, size_t index);
    /** What a part is called in a summary. NULL: its index. */
    const char *(*child_name)(const lstmae_module *module, size_t index);
    /** Forward with a map after it; *output is what map->keep_output asks for, else NULL. ERR_UNSUPPORTED without a
     *  text: not this map. */
    lstmae_status (*forward_mapped)(lstmae_module *module, const lstmae_tensor *input, const lae_fused_map *map,
                                    const lstmae_tensor **output);
    /** The map that this module is. */
    void (*as_map)(lstmae_module *module, lae_fused_map *map);
    /** Backward with that of the map before it: *grad_input is the gradient of what the map was given. */
    lstmae_status (*backward_mapped)(lstmae_module *module, const lstmae_tensor *grad_output,
                                     const lae_fused_derivative *before, const lstmae_tensor **grad_input);
    /** The same as for backward_mapped. */
    void (*as_derivative)(const lstmae_module *module, lae_fused_derivative *derivative);
    /** Appends what the module does to each row of features as single steps (plan.h). */
    lstmae_status (*plan)(const lstmae_module *module, lae_plan *plan);
    /** A module of the same structure in `context`, as its constructor would make it; see module_twin.h. */
    lstmae_status (*twin)(const lstmae_module *module, lstmae_context *context, lstmae_module **out);
} lae_module_ops;

struct lstmae_module {
    atomic_int references;
    const lae_module_ops *ops;
    lstmae_context *context;
    size_t bytes; /* of the derived struct */
    int training;
    int in_container;
    int can_backward; /* a training forward has been made and not yet used */
    lae_entries params, buffers; /* own and children's, each in state_dict order */
    lstmae_view last_output; /* shape that backward's argument must have */
};

/** Allocates a zeroed module of `bytes` bytes (a struct that begins with lstmae_module). */
lstmae_status lae_module_new(lstmae_module **out, lstmae_context *context, const lae_module_ops *ops, size_t bytes);
lstmae_module *lae_module_retain(lstmae_module *module);

/** Shape of the output for that of an input. */
lstmae_status lae_module_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output);

/**
 * Forward of `module` and of `next` after it, in one pass where they can: then *fused is 1 and *output is next's.
 * Else nothing has been done.
 */
lstmae_status lae_module_forward_fused(lstmae_module *module, lstmae_module *next, const lstmae_tensor *input,
                                       const lstmae_tensor **output, int *fused);

/**
 * Backward of `module` and of `before`, whose output it was given, in one pass where they can: then *fused is 1 and
 * *grad_input is before's. Else nothing has been done.
 */
lstmae_status lae_module_backward_fused(lstmae_module *module, lstmae_module *before, const lstmae_tensor *grad_output,
                                        const lstmae_tensor **grad_input, int *fused);

/** Appends what `entry` stands for, named prefix + name. */
lstmae_status lae_module_append(lstmae_module *module, lae_entry entry, const char *prefix, const char *name);
void lae_param_destroy(lae_memory *memory, lae_param *param);

/** Adds a parameter drawn uniformly from [-bound, bound) (0: zeros); `out` is borrowed. */
lstmae_status lae_module_add_param(lstmae_module *module, lae_param **out, const char *name, int ndim,
                                   const int64_t *dims, double bound);

/** Adds a buffer of zeros; `out` is borrowed. */
lstmae_status lae_module_add_buffer(lstmae_module *module, lstmae_tensor **out, const char *name, lstmae_dtype dtype,
                                    int ndim, const int64_t *dims);

/** Appends a child's parameters and buffers as "prefix" + name. The child must outlive the module. */
lstmae_status lae_module_adopt(lstmae_module *module, lstmae_module *child, const char *prefix);

/** Takes back parameters and buffers added or adopted since there were so many of them. */
void lae_module_forget(lstmae_module *module, size_t params, size_t buffers);

/** What a checkpoint holds of a module, parameters and then buffers: how many, and each with its name. */
size_t lae_module_state_count(const lstmae_module *module);
lstmae_tensor *lae_module_state_at(const lstmae_module *module, size_t index, const char **name);

/** Parameter by index, or NULL. */
lae_param *lae_module_param_at(const lstmae_module *module, size_t index);

/** The gradient's memory, created when needed; *beta receives 0 where it counts as zero, else 1. Marks it as
 * written. */
lstmae_status lae_param_grad(lae_param *param, lstmae_tensor **grad, double *beta);

/** Gradient memory of parameters (NULLs are skipped) that one call writes with one beta: 0 when all of them count as
 * zero, else 1. */
lstmae_status lae_param_grads(lae_param *const *params, void **grads, int count, double *beta);

/** The gradient as numbers: zero-filled where it counts as zero. */
lstmae_status lae_param_grad_values(lae_param *param, lstmae_tensor **grad);

/** What prepare() makes of a weight matrix for `kind`, made anew only when the weight changed; NULL: use it as it
 * is. */
lstmae_status lae_param_prepared(lae_param *param, int kind, const void **prepared);

#endif
