/* An ELF program put into an engine's memory for looking at, not for running. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <narwhal/narwhal.h>

struct program {
    uint8_t *file;
    size_t size;
    nw_arch arch;
    bool wide;      /* 64-bit records */
    uint64_t entry; /* ARM: bit 0 for Thumb */
};

/* Reads PATH and checks that it is an ELF file for ARM, i386 or x86-64. False with one line in WHY
 * otherwise; nothing to close then. */
bool program_open(struct program *, const char *path, char *why, size_t why_size);
void program_close(struct program *);
/* Maps its loadable segments into ENGINE, which must be empty. */
nw_status program_map(const struct program *, nw_engine *engine);
/* Address (ARM: bit 0 for Thumb) and size (0 unknown) of a function by name. */
bool program_symbol(const struct program *, const char *name, uint64_t *addr, uint64_t *size);
/* How ARM code at ADDR is encoded, by the mapping symbols ($a, $t); false when they do not say. */
bool program_is_thumb(const struct program *, uint64_t addr, bool *thumb);

#endif
