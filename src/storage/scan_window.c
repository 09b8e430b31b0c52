/* Scan: the rows of a block that are streamed a batch at a time. */
#include "storage/scan_impl.h"
#include "storage/selection.h"

uint32_t scan_take_rows(struct scan *x, uint32_t first_word, uint32_t words, uint32_t most)
{
    uint32_t end = first_word, n = 0;

    selection_clear_all(x->window);
    do {
        n += (uint32_t)__builtin_popcountll(x->sel[end]);
        x->window[end] = x->sel[end];
        end++;
    } while (end < words && n + (uint32_t)__builtin_popcountll(x->sel[end]) <= most);
    return end;
}

void scan_limit_window(struct scan *x, uint32_t first_word, uint32_t end, uint64_t n)
{
    for (uint32_t w = first_word; w < end; w++) {
        uint64_t taken = 0;
        for (uint64_t bits = x->window[w]; bits && n; bits &= bits - 1, n--)
            taken |= bits & -bits;
        x->window[w] = taken;
        x->sel[w] &= ~taken;
    }
}

void scan_give_back(struct scan *x, uint32_t first_word, uint32_t end, uint32_t n)
{
    for (uint32_t w = first_word; w < end; w++)
        for (uint64_t bits = x->window[w]; bits; bits &= bits - 1) {
            if (n)
                n--;
            else
                x->sel[w] |= bits & -bits;
        }
}
