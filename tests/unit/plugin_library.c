/* A library that a plugin is linked with and does not find: no folder with it is searched. */
int lae_absent_library(void);

__attribute__((visibility("default"))) int lae_absent_library(void)
{
    return 1;
}
