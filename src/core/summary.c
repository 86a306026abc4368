/* A module as a table: layers, the shapes that leave them, parameters, memory. Found from shapes alone. */
#include "error.h"
#include "module_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SUMMARY_TEXT 128

typedef struct summary {
    char *text; /* as much of the whole as fits in `size`; `length` counts all of it */
    size_t size, length;
    int measuring; /* the first pass finds the widths */
    size_t path_width, layer_width, shape_width;
    uint64_t output_bytes;
} summary;

static void summary_print(summary *s, const char *format, ...) LAE_PRINTF(2, 3);

static void summary_print(summary *s, const char *format, ...)
{
    va_list arguments;
    const size_t left = s->length < s->size ? s->size - s->length : 0;
    va_start(arguments, format);
    const int written = vsnprintf(left ? s->text + s->length : NULL, left, format, arguments);
    va_end(arguments);
    if (written > 0) s->length += (size_t)written;
}

static void summary_widen(size_t *width, const char *text)
{
    const size_t length = strlen(text);
    if (length > *width) *width = length;
}

static void summary_row(summary *s, const char *path, const char *layer, const char *shape, const char *params)
{
    summary_print(s, "%-*s%-*s  %-*s  %10s\n", (int)s->path_width, path, (int)s->layer_width, layer,
                  (int)s->shape_width, shape, params);
}

static void summary_leaf(summary *s, const lstmae_module *module, const char *path, const lstmae_view *output)
{
    char layer[SUMMARY_TEXT], shape[LAE_SHAPE_TEXT], params[32];
    snprintf(layer, sizeof layer, "%s", module->ops->name);
    if (module->ops->describe) module->ops->describe(module, layer, sizeof layer);
    lae_shape_text(shape, sizeof shape, output);
    snprintf(params, sizeof params, "%lld", (long long)lstmae_module_param_elements(module));
    if (s->measuring) {
        summary_widen(&s->path_width, path);
        summary_widen(&s->layer_width, layer);
        summary_widen(&s->shape_width, shape);
        s->output_bytes += (uint64_t)lae_view_numel(output) * lae_dtype_size(output->dtype);
    } else {
        summary_row(s, path, layer, shape, params);
    }
}

/* One row, or those of the parts. *shape goes from the input's to the output's. */
static lstmae_status summary_module(summary *s, const lstmae_module *module, const char *path, lstmae_view *shape)
{
    const lstmae_module *(*child)(const lstmae_module *, size_t) = module->ops->child;
    if (!child) {
        LAE_TRY(lae_module_shape(module, shape, shape));
        summary_leaf(s, module, path, shape);
        return LSTMAE_OK;
    }
    for (size_t i = 0; child(module, i); i++) {
        char name[SUMMARY_TEXT / 4], inner[SUMMARY_TEXT];
        const size_t outer = strlen(path);
        if (module->ops->child_name) snprintf(name, sizeof name, "%s", module->ops->child_name(module, i));
        else snprintf(name, sizeof name, "%zu", i);
        snprintf(inner, sizeof inner, "%.*s%s%s ", outer ? (int)outer - 1 : 0, path, outer ? "." : "", name);
        LAE_TRY(lae_fail_in(summary_module(s, child(module, i), inner, shape), name));
    }
    return LSTMAE_OK;
}

/* "12.3 MiB", in any locale. */
static const char *summary_bytes(char *text, size_t size, uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    uint64_t unit = 1024;
    size_t u = 0;
    while (u < 3 && bytes / unit >= 1024) {
        unit *= 1024;
        u++;
    }
    const uint64_t tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
    snprintf(text, size, "%llu.%llu %s", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
             units[u]);
    return text;
}

static void summary_totals(summary *s, const lstmae_module *module)
{
    const int64_t elements = lstmae_module_param_elements(module);
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)elements);
    summary_row(s, "", "all", "", text);
    const uint64_t bytes = (uint64_t)elements * lae_dtype_size((int)module->context->dtype);
    summary_print(s, "parameters %s, ", summary_bytes(text, sizeof text, bytes));
    summary_print(s, "outputs %s; their gradients in training as much again\n",
                  summary_bytes(text, sizeof text, s->output_bytes));
}

lstmae_status lstmae_module_summary(const lstmae_module *module, int ndim, const int64_t *dims, char *text, size_t size,
                                    size_t *length)
{
    LAE_CHECK_ARG(module != NULL, "module_summary");
    LAE_CHECK_ARG(text != NULL || size == 0, "module_summary");
    if (text && size > 0) text[0] = 0;
    lstmae_view input;
    LAE_TRY(lae_view_of_shape(&input, "module_summary", module->context->dtype, ndim, dims));
    summary s = { .text = text, .size = size, .measuring = 1, .layer_width = 5, .shape_width = 6 };
    lstmae_view shape = input;
    LAE_TRY(summary_module(&s, module, "", &shape));
    s.measuring = 0;
    summary_row(&s, "", "layer", "output", "parameters");
    shape = input;
    LAE_TRY(summary_module(&s, module, "", &shape));
    summary_totals(&s, module);
    if (length) *length = s.length;
    return LSTMAE_OK;
}
