# Files as text in a C++ source. Included by the project it gives gihflow_embed(); run as a script it writes the source,
# leaving it alone where nothing changed.
#
#   gihflow_embed(OUTPUT NAME FILES...)   OUTPUT: a source that defines gihflow::NAME(), declared in base/embedded.hpp

if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  set(content "// Written by cmake/embed.cmake.\n#include \"base/embedded.hpp\"\n\nnamespace gihflow {\n\n")
  string(APPEND content "std::span<const EmbeddedFile> ${NAME}() {\n  static constexpr EmbeddedFile all[] = {\n")
  string(REPLACE "|" ";" files "${FILES}")
  foreach(file IN LISTS files)
    file(READ "${file}" text)
    file(RELATIVE_PATH name "${SOURCE_DIR}" "${file}")
    string(APPEND content "      {\"${name}\", R\"embedded(${text})embedded\"},\n")
  endforeach()
  string(APPEND content "  };\n  return all;\n}\n\n}  // namespace gihflow\n")
  set(before)
  if(EXISTS "${OUTPUT}")
    file(READ "${OUTPUT}" before)
  endif()
  if(NOT content STREQUAL before)
    file(WRITE "${OUTPUT}" "${content}")
  endif()
  return()
endif()

set(gihflow_embed_script ${CMAKE_CURRENT_LIST_FILE})
function(gihflow_embed output name)
  list(JOIN ARGN "|" files)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D OUTPUT=${output} -D NAME=${name} -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D "FILES=${files}"
      -P ${gihflow_embed_script}
    DEPENDS ${ARGN} ${gihflow_embed_script}
    COMMENT "Embedding ${name}"
    VERBATIM)
endfunction()
