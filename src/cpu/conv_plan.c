#include "conv.h"

#include <stddef.h>

static int64_t plan_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Rounded up, and down, for any sign of a; b > 0. */
static int64_t plan_ceil(int64_t a, int64_t b)
{
    return a > 0 ? (a - 1) / b + 1 : -(-a / b);
}

static int64_t plan_floor(int64_t a, int64_t b)
{
    return -plan_ceil(-a, b);
}

static int64_t plan_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Taps that are this far apart meet the same positions of out. */
static int64_t plan_period(const lae_conv_rule *rule)
{
    return rule->transposed ? rule->stride / plan_divisor(rule->dilation, rule->stride) : 1;
}

/* How many taps tap, tap + period, tap + 2 period, ... there are, for tap < period. */
static int64_t plan_phase_taps(const lae_conv_rule *rule, int64_t period, int64_t tap)
{
    return tap < rule->taps ? (rule->taps - 1 - tap) / period + 1 : 0;
}

/* Taps of all phases before that of `tap` < period. */
static int64_t plan_phase_begin(const lae_conv_rule *rule, int64_t period, int64_t tap)
{
    const int64_t full = rule->taps / period, more = rule->taps % period;
    return tap * full + plan_least(tap, more);
}

/* A forward run ascends over the taps; a transposed one descends through a phase, so that positions of in ascend. */
int64_t lae_conv_tap_position(const lae_conv_rule *rule, int64_t tap)
{
    if (!rule->transposed) return tap;
    const int64_t period = plan_period(rule), phase = tap % period;
    return plan_phase_begin(rule, period, phase) + plan_phase_taps(rule, period, phase) - 1 - tap / period;
}

/* The taps of one position: the first of them as packed, how many, and the position of in under the first. */
typedef struct plan_run {
    int64_t tap, taps, source;
} plan_run;

/* in = out stride + tap dilation - padding */
static plan_run plan_forward(const lae_conv_rule *rule, int64_t position)
{
    const int64_t start = position * rule->stride - rule->padding;
    int64_t low = plan_ceil(-start, rule->dilation);
    const int64_t high = plan_least(plan_floor(rule->in - 1 - start, rule->dilation), rule->taps - 1);
    if (low < 0) low = 0;
    if (low > high) return (plan_run){ 0, 0, 0 };
    return (plan_run){ low, high - low + 1, start + low * rule->dilation };
}

/* in stride = out + padding - tap dilation, for taps of the one phase that makes it divisible. */
static plan_run plan_transposed(const lae_conv_rule *rule, int64_t period, int64_t position)
{
    const int64_t reach = position + rule->padding, most = plan_least(period, rule->taps);
    int64_t phase = 0;
    while (phase < most && (reach - phase * rule->dilation) % rule->stride != 0) phase++;
    if (phase == most) return (plan_run){ 0, 0, 0 };
    /* tap = phase + turn period, for turns with 0 <= in < rule->in */
    const int64_t first = reach - phase * rule->dilation, each = period * rule->dilation;
    const int64_t count = plan_phase_taps(rule, period, phase);
    int64_t low = plan_ceil(first - (rule->in - 1) * rule->stride, each);
    const int64_t high = plan_least(plan_floor(first, each), count - 1);
    if (low < 0) low = 0;
    if (low > high) return (plan_run){ 0, 0, 0 };
    return (plan_run){ plan_phase_begin(rule, period, phase) + count - 1 - high, high - low + 1,
                       (first - high * each) / rule->stride };
}

size_t lae_conv_axis_words(const lae_conv_rule *rule)
{
    return 6 * (size_t)rule->out + 1;
}

void lae_conv_axis_plan(lae_conv_axis *axis, const lae_conv_rule *rule, int64_t *memory)
{
    const int64_t out = rule->out, period = plan_period(rule);
    int64_t *tap = memory, *taps = tap + out, *members = taps + out, *class_of = members + out;
    int64_t *source = class_of + out, *begin = source + out, classes = 0;
    for (int64_t i = 0; i < out; i++) {
        const plan_run run = rule->transposed ? plan_transposed(rule, period, i) : plan_forward(rule, i);
        int64_t same = classes - 1;
        while (same >= 0 && (tap[same] != run.tap || taps[same] != run.taps)) same--;
        if (same < 0) {
            same = classes++;
            tap[same] = run.tap;
            taps[same] = run.taps;
            begin[same + 1] = 0;
        }
        begin[same + 1]++;
        class_of[i] = same;
        source[i] = run.source;
    }
    begin[0] = 0;
    for (int64_t c = 0; c < classes; c++) begin[c + 1] += begin[c];
    for (int64_t i = 0; i < out; i++) members[begin[class_of[i]]++] = i;
    for (int64_t c = classes; c > 0; c--) begin[c] = begin[c - 1];
    begin[0] = 0;
    *axis = (lae_conv_axis){ rule->transposed ? period * rule->dilation / rule->stride : rule->dilation,
                             classes, tap, taps, begin, members, class_of, source };
}

static lae_conv_rule shape_rule(const lstmae_conv_args *args, int axis, int transposed)
{
    const int64_t large = args->x.dim[2 + axis], small = args->y.dim[2 + axis];
    return (lae_conv_rule){ transposed, transposed ? small : large, transposed ? large : small, args->kernel[axis],
                            args->stride[axis], args->padding[axis], args->dilation[axis] };
}

lae_conv_shape lae_conv_shape_of(const lstmae_conv_args *args, int transposed)
{
    const int64_t channels = args->x.dim[1] / args->groups, features = args->y.dim[1] / args->groups;
    const int64_t taps = args->kernel[0] * args->kernel[1];
    lae_conv_shape shape = { 0 };
    shape.height = shape_rule(args, 0, transposed);
    shape.width = shape_rule(args, 1, transposed);
    shape.batch = args->x.dim[0];
    shape.groups = args->groups;
    shape.depth = transposed ? features : channels;
    shape.features = transposed ? channels : features;
    shape.depth_stride = transposed ? channels * taps : taps;
    shape.feature_stride = transposed ? taps : channels * taps;
    shape.group_stride = features * channels * taps;
    if (args->groups > 1 && channels == 1 && features == 1) {
        shape.diagonal = 1;
        shape.groups = 1;
        shape.features = args->groups;
        shape.feature_stride = taps;
    }
    return shape;
}

int64_t lae_conv_panels(const lae_conv_kernels *kernels, const lae_conv_shape *shape)
{
    const int64_t each = LAE_CONV_VECTORS * kernels->lanes;
    return (shape->features + each - 1) / each;
}

int64_t lae_conv_group_floats(const lae_conv_kernels *kernels, const lae_conv_shape *shape)
{
    const int64_t vectors = (shape->features + kernels->lanes - 1) / kernels->lanes;
    return vectors * kernels->lanes * lae_conv_taps(shape) * shape->depth;
}

lae_conv_strip lae_conv_strip_of(const lae_conv_kernels *kernels, const lae_conv_shape *shape, int64_t index)
{
    const int64_t lanes = kernels->lanes, panels = lae_conv_panels(kernels, shape);
    const int64_t group = index / panels, first = index % panels * LAE_CONV_VECTORS * lanes;
    lae_conv_strip strip;
    strip.channels = plan_least(shape->features - first, LAE_CONV_VECTORS * lanes);
    strip.vectors = (strip.channels + lanes - 1) / lanes;
    strip.last = strip.channels - (strip.vectors - 1) * lanes;
    strip.out = group * shape->features + first;
    strip.in = shape->diagonal ? strip.out : group * shape->depth;
    strip.group = group;
    strip.weights = group * lae_conv_group_floats(kernels, shape) + first * lae_conv_taps(shape) * shape->depth;
    return strip;
}
