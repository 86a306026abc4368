#include "side.h"

#include "ops.h"

/* Values of context->side. */
enum {
    SIDE_NONE,   /* all work is in one order */
    SIDE_OPEN,   /* operations are the side's */
    SIDE_BESIDE, /* operations are in the main order, the side's work may go on */
    SIDE_ENDED   /* the same, and the next one has to wait */
};

lstmae_status lae_side_begin(lstmae_context *context)
{
    if (!lae_op_has_lanes(context)) return LSTMAE_OK;
    LAE_TRY(lae_op_lane(context, LSTMAE_LANE_FORK));
    context->side = SIDE_OPEN;
    return LSTMAE_OK;
}

lstmae_status lae_side_resume(lstmae_context *context)
{
    if (context->side != SIDE_ENDED) return LSTMAE_OK;
    LAE_TRY(lae_op_lane(context, LSTMAE_LANE_RESUME));
    context->side = SIDE_OPEN;
    return LSTMAE_OK;
}

lstmae_status lae_side_leave(lstmae_context *context, lstmae_status status)
{
    if (context->side != SIDE_OPEN) return status;
    context->side = SIDE_BESIDE;
    lstmae_status left = lae_op_lane(context, LSTMAE_LANE_LEAVE);
    return status < 0 ? status : left;
}

void lae_side_end(lstmae_context *context)
{
    if (context->side == SIDE_BESIDE) context->side = SIDE_ENDED;
}

int lae_side_is_open(const lstmae_context *context)
{
    return context->side == SIDE_OPEN;
}

lstmae_status lae_side_join(lstmae_context *context)
{
    if (context->side != SIDE_ENDED) return LSTMAE_OK;
    LAE_TRY(lae_op_lane(context, LSTMAE_LANE_JOIN));
    context->side = SIDE_NONE;
    return LSTMAE_OK;
}
