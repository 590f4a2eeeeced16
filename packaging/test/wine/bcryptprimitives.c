/* Wine 8 has no bcryptprimitives.dll, which Go's runtime takes its randomness from. This stands in for it in a test's own Wine prefix. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
