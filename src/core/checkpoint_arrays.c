/* Arrays of the caller's own in a checkpoint: while it is written or read they are tensors of one axis in F64. */
#include "checkpoint_internal.h"

#include "context_internal.h"

lstmae_status lae_checkpoint_arrays_check(const lstmae_checkpoint *content)
{
    const int64_t most = PTRDIFF_MAX / (int64_t)sizeof(double);
    LAE_CHECK_ARG(content->arrays ? content->array_count >= 0 : content->array_count == 0, "checkpoint");
    for (int64_t i = 0; i < content->array_count; i++) {
        const lstmae_checkpoint_array *array = &content->arrays[i];
        if (!array->name || !array->values || array->count < 1 || array->count > most)
            return LAE_FAIL(ERR_INVALID_ARG, "checkpoint: expected a name and 1 value or more of array %lld, got %s",
                            (long long)i, array->name ? "no values" : "no name");
    }
    return LSTMAE_OK;
}

lstmae_status lae_checkpoint_arrays_add(lae_checkpoint_items *items, const lstmae_checkpoint *content)
{
    lstmae_context *context = lstmae_module_context(content->module);
    for (int64_t i = 0; i < content->array_count; i++) {
        const lstmae_checkpoint_array *array = &content->arrays[i];
        lstmae_tensor *tensor = NULL;
        LAE_TRY(lstmae_tensor_create(&tensor, context, LSTMAE_F64, 1, &array->count));
        lae_checkpoint_item *item = &items->item[items->count++];
        item->tensor = tensor;
        item->array = array;
        LAE_TRY(lae_checkpoint_item_name(item, LAE_CHECKPOINT_PREFIX_ARRAY, array->name));
        LAE_TRY(lstmae_tensor_write(tensor, array->values, (size_t)array->count * sizeof *array->values));
    }
    return LSTMAE_OK;
}

lstmae_status lae_checkpoint_arrays_store(const lae_checkpoint_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        const lae_checkpoint_item *item = &items->item[i];
        if (!item->array) continue; /* one that the file lacks holds what it held */
        LAE_TRY(lstmae_tensor_read(item->tensor, item->array->values,
                                   (size_t)item->array->count * sizeof *item->array->values));
    }
    return LSTMAE_OK;
}
