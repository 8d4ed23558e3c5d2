# Installs the manual pages of gihflow and of its commands, and completions of shells, where systems look for them.
# Included by the project it sets up the installation; run as a script it has the program write them.

if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  function(generate file)
    get_filename_component(folder ${file} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    execute_process(COMMAND ${PROGRAM} --generate ${ARGN} OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  file(REMOVE_RECURSE ${OUTPUT})
  generate(${OUTPUT}/man/man1/gihflow.1 man)
  file(STRINGS ${OUTPUT}/man/man1/gihflow.1 names REGEX "^\\\\fBgihflow\\\\-[a-z-]+\\\\fR\\(1\\)")
  list(TRANSFORM names REPLACE "^.*gihflow\\\\-([a-z-]+).*$" "\\1")
  list(REMOVE_DUPLICATES names)
  foreach(name IN LISTS names)
    generate(${OUTPUT}/man/man1/gihflow-${name}.1 man ${name})
  endforeach()
  generate(${OUTPUT}/bash-completion/completions/gihflow bash)
  generate(${OUTPUT}/zsh/site-functions/_gihflow zsh)
  generate(${OUTPUT}/fish/vendor_completions.d/gihflow.fish fish)
  return()
endif()

set(gihflow_manual ${PROJECT_BINARY_DIR}/manual)
install(CODE "execute_process(
  COMMAND \"${CMAKE_COMMAND}\" -D \"PROGRAM=$<TARGET_FILE:gihflow_cli>\" -D \"OUTPUT=${gihflow_manual}\"
    -P \"${CMAKE_CURRENT_LIST_DIR}/manual.cmake\"
  COMMAND_ERROR_IS_FATAL ANY)" COMPONENT program)
install(DIRECTORY ${gihflow_manual}/ DESTINATION ${CMAKE_INSTALL_DATAROOTDIR} COMPONENT program)
