/* What the program can be asked for. Each returns 0; the number of the signal that ended it; -1 after a message. */
#ifndef TS_COMMANDS_H
#define TS_COMMANDS_H

#include <lstmae/lstmae.h>

#include "settings.h"

/** Learns what is normal from a file, or from a series of our own, in which it then finds what was planted. */
int ts_command_train(lstmae_context *context, ts_settings *settings);

/** Scores, alarms and a picture of a file. */
int ts_command_score(lstmae_context *context, ts_settings *settings);

/** Samples on standard input, alarms on standard output. */
int ts_command_watch(lstmae_context *context, ts_settings *settings);

/** The codes of a file's windows. */
int ts_command_embed(lstmae_context *context, ts_settings *settings);

#endif
