/* The entries of the backend's table, by the file they are in. See <lstmae/backend.h> for what each does. */
#ifndef LAE_CUDA_ENTRIES_H
#define LAE_CUDA_ENTRIES_H

#include "queue.h"

/* device.cu */
int lae_cu_device_count(void);
lstmae_status lae_cu_device_info(int index, lstmae_device_info *info);
lstmae_status lae_cu_queue_create(lstmae_queue **out, const lstmae_queue_options *options);
void lae_cu_queue_destroy(lstmae_queue *queue);
lstmae_status lae_cu_queue_sync(lstmae_queue *queue);
int32_t lae_cu_queue_threads(const lstmae_queue *queue);

/* memory.cu */
lstmae_status lae_cu_alloc(lstmae_queue *queue, size_t bytes, void **out);
void lae_cu_release(lstmae_queue *queue, void *ptr, size_t bytes);
lstmae_status lae_cu_upload(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
lstmae_status lae_cu_download(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
void *lae_cu_host_alloc(lstmae_queue *queue, size_t bytes);
void lae_cu_host_release(lstmae_queue *queue, void *ptr, size_t bytes);

#endif
