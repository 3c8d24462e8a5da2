# tilefuse_unit_test(NAME DEPENDS library...)
#
# One GoogleTest program, bin/unit/NAME, from every .cpp of the calling folder.
# scripts/test.sh runs all of bin/unit; the target unit-tests builds them.

find_package(GTest REQUIRED)
add_custom_target(unit-tests)

function(tilefuse_unit_test name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  tilefuse_executable_setup(${name})
  target_compile_options(${name} PRIVATE -Wno-gnu-zero-variadic-macro-arguments)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/unit)
  add_dependencies(unit-tests ${name})
  add_test(NAME unit-${name} COMMAND ${name})
endfunction()
