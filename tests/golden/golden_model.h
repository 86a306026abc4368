/* Sequence-to-sequence models from the configuration of a golden case. */
#ifndef LAE_TEST_GOLDEN_MODEL_H
#define LAE_TEST_GOLDEN_MODEL_H

#include "golden.h"

/** The model a case describes, with its parameters loaded. */
lstmae_seq2seq *golden_model(golden_file *file);

/** The loss a case describes. */
lstmae_loss *golden_loss(golden_file *file);

#endif
