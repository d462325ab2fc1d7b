/* Text scanning: words, lines and case folding, byte by byte. */
#include "kernel.h"
#include <string.h>

#define N 65536
const unsigned kernel_reps = 700;

static char text[N + 1];

uint64_t kernel(unsigned reps)
{
    static const char words[] = "the quick Brown fox\njumps over 12 lazy Dogs and RUNS away\t";
    for (unsigned i = 0; i < N; i++)
        text[i] = words[i % (sizeof words - 1)];
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++) {
        unsigned nwords = 0, lines = 0, hash = r;
        int inside = 0;
        for (const char *p = text; *p; p++) {
            char ch = *p;
            if (ch >= 'A' && ch <= 'Z')
                ch = (char)(ch + 32);
            int letter = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
            nwords += letter && !inside;
            inside = letter;
            lines += ch == '\n';
            hash = hash * 33 ^ (unsigned char)ch;
        }
        sum += nwords * 3 + lines + hash + strlen(text + r);
    }
    return sum;
}
