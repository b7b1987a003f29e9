"""How a video process gets its memory: large pages, kept once taken.

Sixteen rooms at 360p keep some 12 MB of decoded pictures warm, which are thousands of pages of
4 KiB: a processor remembers the places of fewer, and looking one up is dear in a virtual machine.
With pages of 2 MiB the same codec work takes 5 to 10% less time (``bench.composition``). glibc
asks for them where it is told so (glibc 2.35, "Memory Related Tunables"); other C libraries do
not know these variables.
"""

from collections.abc import Mapping

_MIB = 1024 * 1024

SETTINGS: Mapping[str, str] = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    # Pictures are a few hundred KB. By default each would be a mapping of its own, too small for
    # a large page, or memory would go back to the kernel with every picture that is let go.
    "MALLOC_MMAP_THRESHOLD_": str(32 * _MIB),
    "MALLOC_TRIM_THRESHOLD_": str(256 * _MIB),
    "MALLOC_TOP_PAD_": str(16 * _MIB),
}


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment for a video process; what an operator has set there already stays."""
    return {**SETTINGS, **inherited}
