/** How many callbacks of a push are read with the report that first names it: an honest push has one. */
export const mostEarlier = 20
