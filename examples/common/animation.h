/*
 * Animations from pictures of one size: a GIF where giflib is there, else one picture with the frames side by side.
 */
#ifndef EX_ANIMATION_H
#define EX_ANIMATION_H

#include "picture.h"

/** What ex_animation_save() adds to its stem: ".gif", or "_strip.png" and the like without giflib. */
const char *ex_animation_extension(void);

/**
 * Writes `count` pictures of one size, endlessly repeated, whole or not at all. Greys keep 64 levels, colours are
 * rounded to 6 x 8 x 4.
 *
 * @param delays  of each frame, in hundredths of a second
 */
int ex_animation_save(const ex_picture *frames, const int *delays, int count, const char *stem);

#endif
