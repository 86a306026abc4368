/* Folders, and files that appear whole or not at all. */
#ifndef EX_FILES_H
#define EX_FILES_H

#include <stdio.h>

#define EX_PATH_SIZE 1280

/** A file being written beside its final name. */
typedef struct ex_file {
    FILE *stream;
    char path[EX_PATH_SIZE];
    char temporary[EX_PATH_SIZE + 16];
} ex_file;

/** Creates a folder and those above it, and checks that it can be written to. */
int ex_folder(const char *path);

/** "folder/name" in `out`. */
int ex_path(char *out, size_t size, const char *folder, const char *name);

/** Opens a temporary file beside `path`. */
int ex_file_open(ex_file *file, const char *path);

/** Ends writing: the file takes its name. On failure the old one stays and -1 is returned. */
int ex_file_commit(ex_file *file);

/** Gives up: the temporary file goes. */
void ex_file_abandon(ex_file *file);

#endif
