# tilefuse_library(NAME [NO_LLVM] [DEPENDS target...] [GENERATED target...])
#
# One static library from every .cpp of the calling folder. LLVM-facing
# libraries share one precompiled header and link tilefuse_mlir; NO_LLVM
# libraries see neither.
#   DEPENDS    libraries of this project it links
#   GENERATED  TableGen targets that must run first

set(TILEFUSE_WARNINGS -Wall -Wextra -Wno-unused-parameter -Werror)

add_library(tilefuse_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/Precompiled.cpp)
target_link_libraries(tilefuse_pch PUBLIC tilefuse_mlir)
target_compile_options(tilefuse_pch PRIVATE ${TILEFUSE_WARNINGS})
target_precompile_headers(tilefuse_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/Precompiled.h)

function(tilefuse_target_setup name)
  target_link_libraries(${name} PUBLIC tilefuse_mlir)
  target_compile_options(${name} PRIVATE ${TILEFUSE_WARNINGS})
  target_precompile_headers(${name} REUSE_FROM tilefuse_pch)
endfunction()

# Executables are compiled as the libraries are, so that they share the header.
function(tilefuse_executable_setup name)
  tilefuse_target_setup(${name})
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/SanitizerOptions.cpp)
  endif()
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
endfunction()

function(tilefuse_library name)
  cmake_parse_arguments(ARG "NO_LLVM" "" "DEPENDS;GENERATED" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    add_library(${name} INTERFACE)
    if(ARG_GENERATED)
      add_dependencies(${name} ${ARG_GENERATED})
    endif()
    return()
  endif()
  add_library(${name} STATIC ${sources})
  if(ARG_NO_LLVM)
    target_compile_options(${name} PRIVATE ${TILEFUSE_WARNINGS})
  else()
    tilefuse_target_setup(${name})
  endif()
  if(ARG_DEPENDS)
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
  endif()
  if(ARG_GENERATED)
    add_dependencies(${name} ${ARG_GENERATED})
  endif()
endfunction()

# tilefuse_passes(STAGE): TableGen of Passes.td in the calling folder. Statistics are
# of the class in passes/Statistics.h: MLIR's may be compiled to nothing.
function(tilefuse_passes stage)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(PassesOfMLIR.h.inc -gen-pass-decls -name ${stage})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/Passes.h.inc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND sed "s/::mlir::Pass::Statistic/::tilefuse::PassStatistic/"
            ${CMAKE_CURRENT_BINARY_DIR}/PassesOfMLIR.h.inc > ${output}.new
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${output}.new ${output}
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/PassesOfMLIR.h.inc
    VERBATIM)
  list(APPEND TABLEGEN_OUTPUT ${output})
  add_public_tablegen_target(Tilefuse${stage}PassIncGen)
endfunction()

# tilefuse_tool(NAME DEPENDS target...)
function(tilefuse_tool name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  tilefuse_executable_setup(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS})
endfunction()
