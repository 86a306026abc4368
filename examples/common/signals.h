/* Ctrl-C and SIGTERM: the first asks the training to stop, one more after a moment ends the program at once. */
#ifndef EX_SIGNALS_H
#define EX_SIGNALS_H

#include <lstmae/context.h>

/** Catches SIGINT and SIGTERM from now on; `context` outlives the program's training. */
int ex_signals_catch(lstmae_context *context);

/** The signal that came, or 0. */
int ex_signals_caught(void);

/** Lets signals end the program again. */
void ex_signals_release(void);

#endif
