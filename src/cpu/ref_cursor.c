/* Walking strided arrays together. */
#include "ref.h"

#include <stddef.h>

void ref_cursor_start(ref_cursor *at, int count, const lstmae_view *const *views)
{
    at->views = count;
    at->ndim = views[0]->ndim;
    at->left = 1;
    for (int axis = 0; axis < at->ndim; axis++) {
        at->dim[axis] = views[0]->dim[axis];
        at->index[axis] = 0;
        at->left *= at->dim[axis];
    }
    for (int v = 0; v < count; v++) {
        at->offset[v] = 0;
        for (int axis = 0; axis < at->ndim; axis++) at->stride[v][axis] = views[v] ? views[v]->stride[axis] : 0;
    }
}

void ref_cursor_next(ref_cursor *at)
{
    at->left--;
    for (int axis = at->ndim - 1; axis >= 0; axis--) {
        int64_t moved = 1;
        at->index[axis]++;
        if (at->index[axis] == at->dim[axis]) {
            at->index[axis] = 0;
            moved = 1 - at->dim[axis];
        }
        for (int v = 0; v < at->views; v++) at->offset[v] += moved * at->stride[v][axis];
        if (moved == 1) return;
    }
}
