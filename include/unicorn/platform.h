/* What the headers of the Unicorn interface need of the C library. */
#ifndef UNICORN_PLATFORM_H
#define UNICORN_PLATFORM_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uc_struct; /* an engine */

#endif
