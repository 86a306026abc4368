/*
 * Device memory that the host cannot reach: with LSTMAE_CUDA_HOST_PROTECT=1 its pages are closed except while an
 * operation of a stream runs, so that a program that reads or writes there by itself ends with a message.
 */
#ifndef LAE_HOST_SHELTER_H
#define LAE_HOST_SHELTER_H

#include <stddef.h>

/** Whether device memory is to be taken from here. */
bool shelter_wanted();

/** Room, aligned to 256 bytes; NULL where there is none. To be written while a shelter_access lives. */
void *shelter_take(size_t bytes);
void shelter_give(void *memory);

/** Opens the pages while it lives; they may be nested. Its owner holds the device. */
class shelter_access {
  public:
    shelter_access();
    ~shelter_access();
    shelter_access(const shelter_access &) = delete;
    shelter_access &operator=(const shelter_access &) = delete;
};

#endif
