/* Reading the images that a board starts with. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/board.h"

nw_status machine_fail(struct machine_error *e, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->line, sizeof e->line, format, ap);
    va_end(ap);
    return NW_ERR_ARG;
}

/* Reads to the end, or one byte further than MAX. False when the host has no memory. */
static bool read_up_to(FILE *f, uint64_t max, struct image *image)
{
    size_t room = 0;
    for (;;) {
        if (image->size == room) {
            room = room ? room * 2 : 1u << 16;
            room = room > max + 1 ? (size_t)max + 1 : room;
            uint8_t *more = realloc(image->bytes, room);
            if (!more)
                return false;
            image->bytes = more;
        }
        size_t got = fread(image->bytes + image->size, 1, room - image->size, f);
        image->size += got;
        if (!got || image->size > max)
            return true;
    }
}

nw_status machine_read_file(const char *what, const char *path, uint64_t max, struct image *image,
                            struct machine_error *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return machine_fail(e, "%s '%s': %s; check the path", what, path, strerror(errno));
    nw_status status = NW_OK;
    if (!read_up_to(f, max, image))
        status = machine_fail(e, "not enough host memory to read %s '%s'", what, path);
    else if (ferror(f))
        status = machine_fail(e, "%s '%s': %s", what, path, strerror(errno));
    else if (image->size > max)
        status = machine_fail(
            e,
            "%s '%s' is larger than the %llu KiB of memory there is for it; give more with --mem",
            what, path, (unsigned long long)max >> 10);
    else if (image->size == 0)
        status = machine_fail(e, "%s '%s' is empty", what, path);
    fclose(f);
    return status;
}
