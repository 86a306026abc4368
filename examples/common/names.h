/* What is in a folder, in the order of names. */
#ifndef EX_NAMES_H
#define EX_NAMES_H

#include <stddef.h>

typedef struct ex_names {
    char **paths; /* "folder/name" */
    size_t count;
} ex_names;

enum { EX_NAMES_FOLDERS, EX_NAMES_FILES };

/** Adds the regular files, or the folders, in `folder` whose names end in `ending`, upper or lower case, by name.
 * Hidden ones are left out. Free with ex_names_free(), also after a failure. */
int ex_names_add(ex_names *names, const char *folder, int kind, const char *ending);
void ex_names_free(ex_names *names);

/** Removes the files in `folder` whose names begin with `beginning`; a folder that is not there has none. */
int ex_names_remove(const char *folder, const char *beginning);

/** What follows the last '/' of a path. */
const char *ex_name(const char *path);

#endif
