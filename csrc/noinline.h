/* TS_NOINLINE: for what is rarely called by what is called all the time, since a function pays for the registers of all that
 * is in it.
 */
#ifndef TS_NOINLINE_H
#define TS_NOINLINE_H

#if defined(__GNUC__)
#define TS_NOINLINE __attribute__((noinline))
#elif defined(_MSC_VER)
#define TS_NOINLINE __declspec(noinline)
#else
#define TS_NOINLINE
#endif

#endif
