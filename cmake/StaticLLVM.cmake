# The static form of tilefuse_mlir, for the portable bundle.
#
# Every static archive of LLVM and MLIR is offered to the linker, which takes the
# members that something refers to; --gc-sections drops the rest. No component
# list has to be kept, and since only used dialects and passes are registered
# (passes/Registration.cpp), the tools stay small. Archives that register
# everything, the C API and the shared libraries are left out: linking libMLIR.so
# beside libMLIR*.a would register each dialect twice.
#
# This needs a linker that looks up archives in any order: mold and lld do.

file(GLOB tilefuse_archives ${LLVM_LIBRARY_DIR}/libMLIR*.a ${LLVM_LIBRARY_DIR}/libLLVM*.a)
list(FILTER tilefuse_archives EXCLUDE REGEX "RegisterAll|CAPI|Python|TestingSupport")
if(NOT tilefuse_archives)
  message(FATAL_ERROR "no static LLVM or MLIR libraries in ${LLVM_LIBRARY_DIR}")
endif()

# LLVMSupport compresses with these; the bundle carries them.
find_library(TILEFUSE_ZSTD NAMES libzstd.a REQUIRED)
find_library(TILEFUSE_ZLIB NAMES libz.a REQUIRED)
find_package(Threads REQUIRED)

target_link_libraries(tilefuse_mlir INTERFACE
  ${tilefuse_archives} ${TILEFUSE_ZSTD} ${TILEFUSE_ZLIB} Threads::Threads ${CMAKE_DL_LIBS})

add_library(tilefuse_portable_random STATIC ${CMAKE_CURRENT_LIST_DIR}/PortableRandom.c)
target_link_libraries(tilefuse_mlir INTERFACE tilefuse_portable_random)
