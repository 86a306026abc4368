/* How many cores there are for us. */
#ifndef LAE_CPU_CORES_H
#define LAE_CPU_CORES_H

/** Cores this process may run on, 1 or more: its affinity mask where there is one, else those online. */
int lae_usable_cores(void);

#endif
