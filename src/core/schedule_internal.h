/* What a checkpoint stores of a schedule. */
#ifndef LAE_SCHEDULE_INTERNAL_H
#define LAE_SCHEDULE_INTERNAL_H

#include <lstmae/schedule.h>

/** Numbers that make up the state; they may be infinite, so they are to be stored by their bits or as "%a". */
#define LAE_SCHEDULE_STATE 3

/** PLATEAU: rate now, best metric, reports in a row without improvement. Zeros for other kinds. */
void lae_schedule_get_state(const lstmae_schedule *schedule, double state[LAE_SCHEDULE_STATE]);

/** ERR_FORMAT, changing nothing, where `state` is none this schedule can have; else takes it when `apply`. */
lstmae_status lae_schedule_set_state(lstmae_schedule *schedule, const double state[LAE_SCHEDULE_STATE], int apply);

#endif
