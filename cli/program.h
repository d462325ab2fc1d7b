/* An ARM ELF program put into an engine's memory for looking at, not for running. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <narwhal/narwhal.h>

struct program {
    uint8_t *file;
    size_t size;
    uint32_t entry; /* bit 0: Thumb */
};

/* Reads PATH and checks that it is a little-endian 32-bit ARM ELF file. False with one line in WHY
 * otherwise; nothing to close then. */
bool program_open(struct program *, const char *path, char *why, size_t why_size);
void program_close(struct program *);
/* Maps its loadable segments into ENGINE, which must be empty. */
nw_status program_map(const struct program *, nw_engine *engine);
/* Address (bit 0: Thumb) and size (0 unknown) of a function by name. */
bool program_symbol(const struct program *, const char *name, uint32_t *addr, uint32_t *size);
/* How the code at ADDR is encoded, by the mapping symbols ($a, $t); false when they do not say. */
bool program_is_thumb(const struct program *, uint32_t addr, bool *thumb);

#endif
