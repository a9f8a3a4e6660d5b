/* exact: numbers that jv keeps as text, rounded to doubles as JavaScript reads them. */
#ifndef SPELTER_BRAZE_EXACT_H
#define SPELTER_BRAZE_EXACT_H

#include "jv.h"

/* The same value without exact numbers; shares what has none. undefined when the arena is full. */
struct jv exact_round(struct arena *a, struct jv v);

#endif
