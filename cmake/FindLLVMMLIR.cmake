# Finds Debian's LLVM/MLIR 22 and sets what every LLVM-facing target needs.
# Defines the interface target tilefuse_mlir: include paths, definitions and
# either the two shared libraries (development) or the static components.

find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(tilefuse_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")

add_library(tilefuse_mlir INTERFACE)
target_include_directories(tilefuse_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_compile_definitions(tilefuse_mlir INTERFACE)
foreach(definition IN LISTS tilefuse_llvm_definitions)
  target_compile_options(tilefuse_mlir INTERFACE ${definition})
endforeach()
# Debian builds LLVM with RTTI on and exceptions off.
target_compile_options(tilefuse_mlir INTERFACE -fno-exceptions)

if(TILEFUSE_STATIC_LLVM)
  include(StaticLLVM)
else()
  target_link_libraries(tilefuse_mlir INTERFACE MLIR LLVM)
endif()

# mlir_tablegen takes its include path from the directory.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
