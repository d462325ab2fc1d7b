/* The terminal as a board's serial line: raw mode, and Ctrl-A as an escape (X leaves, Ctrl-A sends
 * Ctrl-A itself). */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include <stdbool.h>
#include "machine/machine.h"

struct console;

/* Puts stdin into raw mode if it is a terminal and starts feeding it to the machine. The run ends
 * after TIMEOUT_S seconds; 0: never. Null when no thread can be had. */
struct console *console_start(struct machine *, unsigned timeout_s);
/* Ends the feeding and restores the terminal. */
void console_stop(struct console *);
/* True when the time limit ended the run. */
bool console_timed_out(const struct console *);

#endif
