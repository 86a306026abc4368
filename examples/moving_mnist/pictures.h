/* What the network saw and drew, and how its loss fell, as picture files. */
#ifndef MM_PICTURES_H
#define MM_PICTURES_H

#include "evaluation.h"

/** Writes prediction, reconstruction, contact_sheet and loss into `folder` and prints their names. */
int mm_pictures(const mm_samples *samples, const mm_settings *settings);

#endif
