# Writes gihflow_build_info.hpp, which says what was built and how. Included by the project it sets up a target that
# does so at every build (the commit changes without CMake being run again); run by that target as a script it writes
# the header, leaving the file alone if nothing changed.
#
# The header is for src/base/version.cpp alone. It defines these macros, all string literals:
#   GIHFLOW_VERSION     "0.1.0"
#   GIHFLOW_GIT_COMMIT  40 hex digits, followed by "-dirty" if a tracked file differs from it; "unknown" without git
#   GIHFLOW_COMPILER    "GNU 12.2.0"
#   GIHFLOW_FLAGS       compiler flags common to all sources
#   GIHFLOW_BUILD_TYPE  "Release"

if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  set(commit "unknown")
  if(GIT)
    # A tarball unpacked inside some other repository is not a checkout of this one.
    execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} rev-parse --show-prefix HEAD
      OUTPUT_VARIABLE out RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed AND out MATCHES "^\n([0-9a-f]+)\n$")
      set(commit ${CMAKE_MATCH_1})
      execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} status --porcelain --untracked-files=no
        OUTPUT_VARIABLE changes ERROR_QUIET)
      if(changes)
        string(APPEND commit "-dirty")
      endif()
    endif()
  endif()
  set(content "// Written by cmake/build_info.cmake.\n#pragma once\n")
  foreach(name IN ITEMS VERSION GIT_COMMIT COMPILER FLAGS BUILD_TYPE)
    if(name STREQUAL "GIT_COMMIT")
      set(value "${commit}")
    else()
      string(STRIP "${${name}}" value)
      string(REGEX REPLACE "[ ;]+" " " value "${value}")
      string(REGEX REPLACE "([\"\\\\])" "\\\\\\1" value "${value}")
    endif()
    string(APPEND content "#define GIHFLOW_${name} \"${value}\"\n")
  endforeach()
  file(CONFIGURE OUTPUT ${HEADER} CONTENT "${content}" @ONLY)
  return()
endif()

find_package(Git QUIET)
set(GIHFLOW_BUILD_INFO_DIR ${PROJECT_BINARY_DIR}/build_info)
set(GIHFLOW_BUILD_INFO_HEADER ${GIHFLOW_BUILD_INFO_DIR}/gihflow_build_info.hpp)
set(gihflow_flags_text ${CMAKE_CXX_FLAGS})
if(CMAKE_CONFIGURATION_TYPES)
  set(gihflow_configurations ${CMAKE_CONFIGURATION_TYPES})
else()
  set(gihflow_configurations ${CMAKE_BUILD_TYPE})
endif()
foreach(configuration IN LISTS gihflow_configurations)
  string(TOUPPER ${configuration} upper)
  list(APPEND gihflow_flags_text $<$<CONFIG:${configuration}>:${CMAKE_CXX_FLAGS_${upper}}>)
endforeach()
set(gihflow_flags_options ${gihflow_cxx_options})
list(FILTER gihflow_flags_options EXCLUDE REGEX "^-W")
list(APPEND gihflow_flags_text -std=c++${CMAKE_CXX_STANDARD} ${gihflow_flags_options})

add_custom_target(gihflow_build_info
  COMMAND ${CMAKE_COMMAND}
    -D HEADER=${GIHFLOW_BUILD_INFO_HEADER}
    -D SOURCE_DIR=${PROJECT_SOURCE_DIR}
    -D "GIT=$<$<BOOL:${GIT_FOUND}>:${GIT_EXECUTABLE}>"
    -D VERSION=${PROJECT_VERSION}
    -D "COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
    -D "FLAGS=${gihflow_flags_text}"
    -D "BUILD_TYPE=$<CONFIG>"
    -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${GIHFLOW_BUILD_INFO_HEADER}
  COMMENT "Reading the commit"
  VERBATIM)
